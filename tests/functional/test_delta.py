"""What a changed line costs on the wire of a whole deploy, also when something goes wrong."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Iterator

import pytest
from tests.functional.conftest import Site

MAIN = "src/langflix/__main__.py"
CACHE = "/mnt/tank/apps/langflix/cache"


@pytest.fixture(autouse=True, scope="module")
def live(site: Site) -> Iterator[None]:
    """A stack that runs; the file that all tests change is put back at the end."""
    kept = (site.root / MAIN).read_bytes()
    site.good("deploy")
    yield
    (site.root / MAIN).write_bytes(kept)


def change_a_line(site: Site) -> tuple[int, str]:
    """Deploy with one more line; the bytes sent, and what was said."""
    text = (site.root / MAIN).read_text("utf-8")
    (site.root / MAIN).write_text(f"{text}\nCHANGED = {time.time_ns()}\n", "utf-8")
    done = site.good("deploy", "--json")
    assert done.json["outcome"] == "deployed"
    return int(done.json["bytes_sent"]), done.err


def warnings(said: str) -> list[str]:
    """What was warned of, but for what the host's Docker is like."""
    lines = (line for line in said.splitlines() if line.startswith("warning"))
    return [line for line in lines if "confines containers" not in line]


def with_reference(site: Site) -> None:
    """The host keeps one, as after every deploy that sent a layer."""
    if not references(site):
        change_a_line(site)


def references(site: Site) -> list[str]:
    """The names in the host's cache."""
    return site.sh("ls", "-A", CACHE).split()


@pytest.mark.long  # test_deploys.py has one changed line
def test_one_changed_line_moves_kilobytes(site: Site) -> None:
    """After a first deploy each changed line costs less than 20 kB; both sides keep the same."""
    for _ in range(2):
        sent, said = change_a_line(site)
        assert 0 < sent < 20_000
        assert warnings(said) == []
    (name,) = references(site)
    (kept,) = (site.root / ".slipway/references" / site.host).iterdir()
    assert name == f"reference.{kept.name}"
    assert hashlib.sha256(kept.read_bytes()).hexdigest() == kept.name
    assert site.sh("stat", "-c", "%a", f"{CACHE}/{name}").strip() == "600"


@pytest.mark.long  # tests/integration/hosts/test_delta_transfer.py damages one, too
def test_a_damaged_reference_falls_back(site: Site) -> None:
    """The same deploy goes on with the whole layer, says so, and later ones are small again."""
    with_reference(site)
    (name,) = references(site)
    # The same files lie in it several times, for several roles: one copy alone might not be missed.
    damage = "head -c 4000000 /dev/zero | dd bs=1000 seek=100 conv=notrunc"
    site.sh("sh", "-c", f"{damage} of={CACHE}/{name}")
    sent, said = change_a_line(site)
    assert "the host could not restore it" in said
    assert sent > 20_000
    assert references(site) == []
    assert warnings(change_a_line(site)[1]) == []
    assert change_a_line(site)[0] < 20_000


@pytest.mark.long  # tests/integration/hosts/test_delta_transfer.py has another client, too
def test_a_client_without_the_reference(site: Site) -> None:
    """Another machine's deploy sends the layer whole, without a word, and is small next time."""
    with_reference(site)
    shutil.rmtree(site.root / ".slipway/references")
    sent, said = change_a_line(site)
    assert sent > 20_000
    assert warnings(said) == []
    assert change_a_line(site)[0] < 20_000
