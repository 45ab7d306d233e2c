"""What a changed line costs on the wire of a whole deploy, also when something goes wrong."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.functional.conftest import Site

MAIN = "src/langflix/__main__.py"
CACHE = "/mnt/tank/apps/langflix/cache"


@pytest.fixture
def live(site: Site) -> Iterator[dict[str, Any]]:
    """The outcome of a deploy of the checkout; the changed file is put back."""
    kept = (site.root / MAIN).read_bytes()
    yield site.good("deploy", "--json").json
    (site.root / MAIN).write_bytes(kept)


def change_a_line(site: Site) -> tuple[int, str]:
    """Deploy with one more line; the bytes sent, and what was said."""
    text = (site.root / MAIN).read_text("utf-8")
    (site.root / MAIN).write_text(f"{text}\nCHANGED = {time.time_ns()}\n", "utf-8")
    done = site.good("deploy", "--json")
    assert done.json["outcome"] == "deployed"
    return int(done.json["bytes_sent"]), done.err


def references(site: Site) -> list[str]:
    """The names in the host's cache."""
    return site.sh("ls", "-A", CACHE).split()


def test_one_changed_line_moves_kilobytes(site: Site, live: dict[str, Any]) -> None:
    """After a first deploy each changed line costs less than 20 kB; both sides keep the same."""
    for _ in range(2):
        sent, said = change_a_line(site)
        assert 0 < sent < 20_000
        assert "warning" not in said
    (name,) = references(site)
    (kept,) = (site.root / ".slipway/references" / site.host).iterdir()
    assert name == f"reference.{kept.name}"
    assert hashlib.sha256(kept.read_bytes()).hexdigest() == kept.name
    assert site.sh("stat", "-c", "%a", f"{CACHE}/{name}").strip() == "600"


def test_a_damaged_reference_falls_back(site: Site, live: dict[str, Any]) -> None:
    """The same deploy goes on with the whole layer, says so, and later ones are small again."""
    change_a_line(site)
    (name,) = references(site)
    site.sh("sh", "-c", f"printf damaged | dd of={CACHE}/{name} bs=1 seek=200000 conv=notrunc")
    sent, said = change_a_line(site)
    assert "the host could not restore it" in said
    assert sent > 20_000
    assert references(site) == []
    assert "warning" not in change_a_line(site)[1]
    assert change_a_line(site)[0] < 20_000


def test_a_client_without_the_reference(site: Site, live: dict[str, Any]) -> None:
    """Another machine's deploy sends the layer whole, without a word, and is small next time."""
    change_a_line(site)
    shutil.rmtree(site.root / ".slipway/references")
    sent, said = change_a_line(site)
    assert sent > 20_000
    assert "warning" not in said
    assert change_a_line(site)[0] < 20_000
