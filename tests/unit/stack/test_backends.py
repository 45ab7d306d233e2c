"""What a look at the edge's configuration tells of its backends."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.demo import wanted
from tests.unit.plan.full import FULL, planned, released, seen

from slipway.errors import ConfigError
from slipway.plan.wanted import Seen
from slipway.stack.backends import read_backends, unreached

OURS = (Path(__file__).resolve().parents[3] / "deploy/edge/haproxy.cfg").read_text("utf-8")
API = "backend api\n" + "".join(f"  server {name} api:1\n" for name in "abcde")


def test_ours() -> None:
    """The backends of the edge that comes with LangFlix, as its comments count them; and tables."""
    tables = {"connections": 0, "addresses": 0, "guesses": 0}
    assert read_backends(OURS) == {"api": 7, "frontend": 7, "flower": 3, "acme": 1, **tables}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (API + "# server f\nlisten l # x\n  server a b:1\nfrontend f\n  bind :1\n",
         {"api": 5, "l": 1}),
        ("frontend f\n  bind :1\n", None),
        (API + "  server-template x 3 api:1\n", None),
        (".if defined(X)\n" + API + ".endif\n", {"api": 5}),
        ("frontend f\n.if defined(X)\n  bind :1\n.endif\n" + API, {"api": 5}),
        (API + ".if defined(X)\n  server f api:1\n.endif\n", None),
        (".if defined(X)\n" + API + ".else\nbackend api\n  server a api:1\n.endif\n", None),
        (API.replace("backend api", 'backend "$NAME"'), None),
        ("", None),
    ],
)  # fmt: skip
def test_what_can_be_told(text: str, found: dict[str, int] | None) -> None:
    """Sections and servers; nothing where a condition, a template or a variable decides."""
    assert read_backends(text) == found


def test_a_service_without_a_backend_is_warned_of() -> None:
    """With the file that the edge is given; where that says nothing there is no warning."""
    for edge, count in ((API, 0), (API.replace("backend api", "backend other"), 1), ("", 0)):
        one = wanted(FULL, edge=edge.encode())
        found = unreached(one.stack, one.contents)
        assert len(found) == count, edge
        assert all("services.api has roll: true" in line for line in found)


def test_more_containers_than_places_are_refused_at_plan() -> None:
    """By the Compose files' number, and by the host's own; two fit into five places."""
    edge = API.encode()
    assert planned(Seen(), edge=edge).plan.touched
    more = FULL.replace("replicas: 2", "replicas: 3")
    with pytest.raises(ConfigError) as caught:
        planned(Seen(), more, edge=edge)
    (line,) = caught.value.details
    assert "3 containers of api need 7 servers in the edge's backend api, which has 5" in line
    with pytest.raises(ConfigError, match="1 problem"):
        planned(seen(released(), scale={"api": 3}), edge=edge)
    with pytest.raises(ConfigError) as caught:
        planned(seen(released(), scale={"beat": 2}), edge=edge)
    assert "beat=2: the Compose file does not declare" in caught.value.details[0]
