"""Differences over a real sshd, restored by the real zstd; Docker is a script that keeps its input.

What is sent is an image's archive with one real layer of half a megabyte of random bytes.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
import zstandard
from tests.integration.hosts.sshd_server import Sshd
from tests.unit.images.sample_images import image_of

from slipway.doors import Host
from slipway.hosts.delta import Delta
from slipway.hosts.facts import Facts, read_facts
from slipway.hosts.load import Loaded
from slipway.hosts.local import LocalHost
from slipway.hosts.shelf import Shelf
from slipway.images.archive import archive
from slipway.images.layers import tar
from slipway.images.transfer import whole
from slipway.images.values import Image, Layer, LayerPath

# Keeps what it is to load as `loaded`; fails when there is a file `refuse` beside it.
DOCKER = """#!/bin/sh
folder=$(dirname -- "$0")
[ "$1" != info ] || echo '{"ServerVersion":"26.1.5","DriverStatus":[],"DockerRootDir":"/"}'
[ "$1" != compose ] || echo 2.26.1
if [ "$1" = load ]; then
    [ ! -e "$folder/refuse" ] || { echo refused >&2; exit 1; }
    cat >"$folder/loaded" && cat -- "$folder/said"
elif [ "$2" = inspect ]; then
    cat -- "$folder/inspected"
fi
"""


class Site:
    """One client and one host.

    Attributes:
        cache: the host's side.
        sent: bytes on the wire of each attempt.
        warned: what the person was told.
    """

    def __init__(self, host: Host, folder: Path) -> None:
        self.folder, self.cache = folder, folder / "it's a pool/cache"
        self.host, self.sent = host, list[int]()
        self.warned: list[str] = []
        (folder / "docker").write_text(DOCKER)
        (folder / "docker").chmod(0o755)
        self.delta = self.client("one")

    def client(self, name: str) -> Delta:
        """A machine that sends; its side is its own."""
        return Delta(
            self.host,
            str(self.cache),
            Shelf(self.folder / name),
            self.warned.append,
            docker=str(self.folder / "docker"),
        )

    def counted(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """The chunks as they are."""
        self.sent.append(0)
        for chunk in chunks:
            self.sent[-1] += len(chunk)
            yield chunk

    def image(self, content: bytes) -> Image:
        """An image with a file; the script will say that it is there."""
        top = self.folder / "app" / hashlib.sha256(content).hexdigest()[:8]
        top.mkdir(parents=True, exist_ok=True)
        (top / "file").write_bytes(content)
        paths = (LayerPath(str(top), f"^{top}".replace("-", r"\-"), "/app"),)
        data = b"".join(tar(paths))
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        image = image_of("api", Layer(digest, len(data), "application", paths))
        (self.folder / "said").write_text(f"Loaded image: {image.reference}\n")
        seen = {"Id": image.config_digest, "RepoTags": [image.reference], "Layers": [digest]}
        (self.folder / "inspected").write_text(json.dumps(seen))
        return image

    def facts(self) -> Facts:
        """What the host says of itself."""
        folder = str(self.cache.parent)
        return read_facts(self.host, folder, "demo", docker=str(self.folder / "docker"))

    def load(self, content: bytes, by: Delta | None = None) -> Loaded | None:
        """Send an image with that content."""
        return (by or self.delta).load(whole([self.image(content)]), self.facts(), self.counted)

    def references(self) -> list[Path]:
        """Everything in the host's cache."""
        return sorted(self.cache.iterdir())

    def good(self, content: bytes) -> bool:
        """Whether that image is what was loaded last, and is the host's only reference."""
        data = b"".join(archive(whole([self.image(content)])))
        (kept,) = self.references()
        assert kept.name == f"reference.{hashlib.sha256(data).hexdigest()}"
        assert kept.stat().st_mode & 0o777 == 0o600
        return kept.read_bytes() == data == (self.folder / "loaded").read_bytes()


@pytest.fixture(params=["ssh", "local"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """Each kind of host in turn."""
    if request.param == "local":
        yield Site(LocalHost("den"), tmp_path)
        return
    server: Sshd = request.getfixturevalue("sshd")
    host = server.host()
    yield Site(host, tmp_path)
    host.close()


BEFORE = random.Random(1).randbytes(500_000)
AFTER = BEFORE[:200_000] + b"one more line\n" + BEFORE[200_000:]
LATER = AFTER[:300_000] + b"and another\n" + AFTER[300_000:]


def test_a_changed_line_costs_next_to_nothing(site: Site) -> None:
    """The first archive goes whole, each next one as its difference from the one before."""
    for content in (BEFORE, AFTER, LATER):
        loaded = site.load(content)
        assert loaded is not None
        assert loaded.doubtful == ()
        assert site.good(content)
    assert site.sent[0] > 500_000
    assert max(site.sent[1:]) < 2_000
    assert site.warned == []


def test_a_damaged_reference_is_noticed_and_removed(site: Site) -> None:
    """The difference is refused before Docker sees a byte; the next archive starts afresh."""
    site.load(BEFORE)
    (kept,) = site.references()
    data = bytearray(kept.read_bytes())
    data[len(data) // 2] ^= 1
    kept.write_bytes(data)
    (site.folder / "loaded").unlink()
    assert site.load(AFTER) is None
    assert "could not restore it" in site.warned[0]
    assert not (site.folder / "loaded").exists()
    assert site.references() == []
    assert site.load(AFTER) is not None
    assert site.good(AFTER)


def test_a_vanished_reference_is_no_harm(site: Site) -> None:
    """A host that was emptied gets the archive whole, without a warning."""
    site.load(BEFORE)
    site.references()[0].unlink()
    assert site.load(AFTER) is not None
    assert site.good(AFTER)
    assert site.warned == []


def test_another_client_has_no_reference_and_needs_none(site: Site) -> None:
    """A second machine sends whole; the first one then does too, and nobody is misled."""
    other = site.client("two")
    site.load(BEFORE)
    assert site.load(AFTER, other) is not None
    assert site.good(AFTER)
    assert site.load(LATER) is not None
    assert site.good(LATER)
    assert min(site.sent) > 500_000
    assert site.warned == []


def test_what_docker_refuses_is_no_reference(site: Site) -> None:
    """When Docker fails, its words are the answer, the old reference stays, nothing is left."""
    site.load(BEFORE)
    kept = site.references()
    (site.folder / "refuse").touch()
    loaded = site.load(AFTER)
    assert loaded is not None
    assert (len(loaded.doubtful), loaded.said) == (1, ("refused",))
    assert site.references() == kept
    (site.folder / "refuse").unlink()
    site.load(AFTER)
    assert site.good(AFTER)
    assert site.sent[-1] < 2_000


def test_a_cache_that_cannot_be_made(site: Site) -> None:
    """Where a file is in the way of the cache, the person is told, and the usual way is open."""
    site.cache.parent.mkdir()
    site.cache.write_text("a file")
    assert site.load(BEFORE) is None
    assert "has no place for it" in site.warned[0]
    assert site.cache.read_text() == "a file"


def test_a_stream_cut_short_is_refused(site: Site) -> None:
    """Half a difference is never loaded, and a good reference is not blamed for it."""
    site.load(BEFORE)
    kept = site.references()

    def cut(chunks: Iterator[bytes]) -> Iterator[bytes]:
        yield b"".join(chunks)[:-5]

    assert site.delta.load(whole([site.image(AFTER)]), site.facts(), cut) is None
    assert "could not restore it" in site.warned[0]
    assert site.references() == kept


def test_leftovers_of_a_killed_transfer_go(site: Site) -> None:
    """A file that a killed transfer left in the cache is removed by the next one."""
    site.load(BEFORE)
    (site.cache / ".slipway.abcdefghij").write_bytes(bytes(10))
    site.load(AFTER)
    assert site.good(AFTER)


def test_a_seed_is_a_reference(site: Site) -> None:
    """After a seed the very first archive is small, and Docker was not asked to load the seed."""
    site.delta.seed([site.image(BEFORE)], site.facts(), site.counted)
    assert not (site.folder / "loaded").exists()
    assert site.load(AFTER) is not None
    assert site.good(AFTER)
    assert site.sent[0] > 500_000
    assert site.sent[1] < 2_000


def test_a_large_archive_is_within_the_programs_limits(site: Site) -> None:
    """Near the limit too, the host's zstd takes the reference and its window."""
    large = random.Random(2).randbytes(15_900_000)
    site.load(large)
    changed = large[:9_000_000] + b"x" + large[9_000_000:]
    assert site.load(changed) is not None
    assert site.good(changed)
    assert site.sent[1] < 20_000
    assert site.warned == []


def test_other_bytes_than_promised_are_refused(site: Site) -> None:
    """A frame that restores well, but to something else, is never loaded."""
    site.load(BEFORE)
    (site.folder / "loaded").unlink()

    def other(chunks: Iterator[bytes]) -> Iterator[bytes]:
        list(chunks)
        yield zstandard.compress(b"something else")

    assert site.delta.load(whole([site.image(AFTER)]), site.facts(), other) is None
    assert "could not restore it" in site.warned[0]
    assert not (site.folder / "loaded").exists()
