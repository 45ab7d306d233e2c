"""The guide's service of one's own is one, and the edge it describes reaches it."""

from __future__ import annotations

import re
import textwrap
from dataclasses import replace

from tests.composing import stack
from tests.unit.docs import pages

from slipway.stack.backends import edge_backends, read_backends, unreached
from slipway.stack.model import own_variables

GUIDE = (pages.DOCS / "guides/deploy.md").read_text("utf-8")
GUIDE = GUIDE.partition("\n## Add a service of your own\n")[2].partition("\n## ")[0]
DEPLOY = pages.ROOT / "deploy"
ROLES = ("api", "beat", "cli", "door", "edge", "flower", "frontend", "postgres", "redis", "worker")


def block(language: str) -> str:
    """The first block of the section in a language."""
    found = re.findall(rf"```{language}\n(.*?) *```", GUIDE, re.DOTALL)
    return textwrap.dedent(found[0])


def test_the_overlay_and_the_backend_go_together() -> None:
    """With both the service rolls behind the edge; without the backend a warning says so."""
    base = (DEPLOY / "docker-compose.yml").read_text("utf-8")
    own = own_variables("langflix", ROLES, app_dir="/srv/a")
    variables = {**own, "LANGFLIX_DATA": "/srv/a/data"}
    texts = [("docker-compose.yml", base), ("docker-compose.notes.yml", block("yaml"))]
    made = stack(texts, variables)
    assert made.rolled["notes"] == "edge"
    assert made.roles["notes"] == "frontend"
    assert "notes" in made.standing
    edge = (DEPLOY / "edge/haproxy.cfg").read_text("utf-8")
    (said,) = unreached(made, {"edge": edge.encode()})
    assert "services.notes" in said
    assert read_backends(block("text")) == {"notes": 3}
    mended = {"edge": f"{edge}\n{block('text')}".encode()}
    assert unreached(made, mended) == ()
    assert edge_backends(made, mended)["notes"] == 3
    assert unreached(replace(made, rolled={"notes": "beside"}), {"edge": edge.encode()}) == ()
