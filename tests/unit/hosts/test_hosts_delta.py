"""Differences save bytes where both sides can, and never stand in the way."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.images.sample_images import image_of, layer, real_layer

from slipway.doors import Completed
from slipway.hosts import delta as module
from slipway.hosts.delta import Delta, seeds
from slipway.hosts.facts import Facts
from slipway.hosts.load import Loaded
from slipway.hosts.shelf import Shelf
from slipway.images.archive import archive
from slipway.images.transfer import Transfer, whole
from slipway.images.values import Image
from slipway.testing import FakeHost

A, B = "a" * 64, "b" * 64


def passed(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks, uncounted."""
    return chunks


class Bench:
    """A host, both references, and what was warned of."""

    def __init__(
        self, folder: Path, *, zstd: tuple[int, int] = (1, 5), references: tuple[str, ...] = ()
    ) -> None:
        self.facts = Facts("26.1.5", "2.26.1", zstd=zstd, references=references)
        self.host, self.shelf = FakeHost(name="nas"), Shelf(folder / "shelf")
        self.warned: list[str] = []
        self.delta = Delta(self.host, "/pool/cache", self.shelf, self.warned.append)

    def load(self, transfer: Transfer) -> Loaded | None:
        """Send images to the host."""
        return self.delta.load(transfer, self.facts, passed)

    def seed(self, *images: Image) -> None:
        """Give both sides a first reference."""
        self.delta.seed(images, self.facts, passed)

    def answers(self, image: Image, reply: Completed | None = None) -> None:
        """What the host says to the archive of an image, and to looking at it."""
        good = {
            "Id": image.config_digest,
            "RepoTags": [image.reference],
            "Layers": [layer.digest for layer in image.layers],
        }
        loaded = f"Loaded image: {image.reference}\n".encode()
        self.host.on("sh", "-c", module._LOAD, reply=reply or loaded)
        self.host.on("sh", "-c", reply=json.dumps(good))
        self.host.on("docker", "image", "rm")


@pytest.fixture
def image(tmp_path: Path) -> Image:
    """An image of one real layer."""
    return image_of("api", real_layer(tmp_path, "app"))


@given(st.lists(st.integers(0, 3_000_000), max_size=12))
def test_seeds_are_small(sizes: list[int]) -> None:
    """No large layer seeds, and all together stay below the limit."""
    chosen = seeds([layer("a", size) for size in sizes])
    assert sum(one.bytes for one in chosen) <= 8_000_000
    assert all(one.bytes <= 2_000_000 for one in chosen)
    smallest = min(sizes, default=2_000_001)
    assert bool(chosen) == (smallest <= 2_000_000)


def test_a_first_archive_goes_without_a_reference(tmp_path: Path, image: Image) -> None:
    """The archive is restored by itself, its name is its sha256, and it is kept here."""
    bench = Bench(tmp_path)
    bench.answers(image)
    loaded = bench.load(whole([image]))
    data = b"".join(archive(whole([image])))
    sha256 = hashlib.sha256(data).hexdigest()
    assert loaded == Loaded((image.reference,), ())
    assert zstandard.ZstdDecompressor().decompress(bench.host.streamed[0]) == data
    sent = next(call for call in bench.host.calls if call[2] == module._LOAD)
    assert sent[4:] == ("docker", "/pool/cache", sha256, "-")
    assert bench.shelf.get(sha256) == data
    assert bench.warned == []


def test_a_common_reference_is_used(tmp_path: Path, image: Image) -> None:
    """Of the references there, one that is here too makes the archive small."""
    data = b"".join(archive(whole([image])))
    sha256 = hashlib.sha256(data).hexdigest()
    bench = Bench(tmp_path, references=(A, sha256))
    bench.answers(image)
    bench.shelf.keep(data)
    assert bench.load(whole([image])) is not None
    sent = next(call for call in bench.host.calls if call[2] == module._LOAD)
    assert sent[-1] == sha256
    assert len(bench.host.streamed[0]) < 60
    known = zstandard.ZstdCompressionDict(data, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    restored = zstandard.ZstdDecompressor(dict_data=known).decompress(bench.host.streamed[0])
    assert restored == data


def test_a_reference_only_the_host_has_is_left(tmp_path: Path, image: Image) -> None:
    """Another client's reference, one that is damaged here, or what is no name is not used."""
    names = (A, f"{B}x", "short", "../shelf/x", B)
    bench = Bench(tmp_path, references=names)
    (tmp_path / "shelf").mkdir()
    (tmp_path / "shelf" / A).write_bytes(b"damaged")
    bench.answers(image)
    assert bench.load(whole([image])) is not None
    assert next(call for call in bench.host.calls if call[2] == module._LOAD)[-1] == "-"


@pytest.mark.parametrize(
    ("zstd", "able"), [((0, 0), False), ((1, 3), False), ((1, 4), True), ((2, 0), True)]
)
def test_a_host_without_zstd_gets_it_the_usual_way(
    tmp_path: Path, image: Image, zstd: tuple[int, int], able: bool
) -> None:
    """Nothing is sent, nothing is warned of: the caller goes on as ever. From 1.4 on it is able."""
    bench = Bench(tmp_path, zstd=zstd)
    if able:
        bench.answers(image)
        assert bench.load(whole([image])) is not None
        return
    assert bench.load(whole([image])) is None
    assert (bench.host.streamed, bench.warned) == ([], [])


def test_a_large_archive_is_not_even_asked_for(tmp_path: Path, image: Image) -> None:
    """Above the limit, and with nothing to send, the host isn't asked."""
    bench = Bench(tmp_path)
    for size in (0, module.LIMIT + 1):
        assert bench.load(Transfer((image,), image.layers, size)) is None
    assert bench.host.calls == []


@pytest.mark.parametrize("code", [71, 72, 75])
def test_a_refused_difference_is_warned_of(tmp_path: Path, image: Image, code: int) -> None:
    """The caller is to send it the usual way, the person is told why, nothing is kept here."""
    bench = Bench(tmp_path)
    bench.answers(image, Completed((), code, b"", b"zstd: bad\nlast words\n"))
    assert bench.load(whole([image])) is None
    assert len(bench.warned) == 1
    assert "(last words); sending the images whole" in bench.warned[0]
    assert not (tmp_path / "shelf").exists()
    assert not [call for call in bench.host.calls if call[:2] == ("docker", "image")]


def test_dockers_own_failure_is_a_doubt(tmp_path: Path, image: Image) -> None:
    """When Docker refused what was restored, the image is in doubt as with any load."""
    bench = Bench(tmp_path)
    bench.answers(image, Completed((), 1, b"", b"no space left on device\n"))
    loaded = bench.load(whole([image]))
    assert loaded is not None
    assert (loaded.doubtful, loaded.said) == ((image,), ("no space left on device",))
    assert not (tmp_path / "shelf").exists()


def test_a_machine_that_cannot_keep_it_goes_on(tmp_path: Path, image: Image) -> None:
    """Where nothing can be written here, the load counts all the same, with a warning."""
    (tmp_path / "shelf").write_text("a file")
    bench = Bench(tmp_path)
    bench.answers(image)
    assert bench.load(whole([image])) == Loaded((image.reference,), ())
    assert "can't be kept here" in bench.warned[0]


def test_seeding_sends_small_layers_and_loads_nothing(tmp_path: Path, image: Image) -> None:
    """The seed is kept on both sides; a failure is a warning."""
    bench = Bench(tmp_path)
    bench.host.on("sh", "-c", module._LOAD)
    bench.seed(image)
    sent = bench.host.calls[-1]
    assert sent[4:6] == ("-", "/pool/cache")
    assert bench.shelf.get(sent[6]) is not None
    bench.host.on("sh", "-c", module._LOAD, reply=72)
    bench.seed(image)
    assert "the next change costs more bytes" in bench.warned[0]


def test_seeding_without_small_layers_asks_nothing(tmp_path: Path) -> None:
    """Where every layer is large there is nothing to seed."""
    bench = Bench(tmp_path)
    bench.seed(image_of("api", layer("a", 3_000_000)))
    assert bench.host.calls == []


def test_the_shelf_keeps_only_the_newest(tmp_path: Path) -> None:
    """What was kept before goes, and so does what a stopped process left behind."""
    shelf = Shelf(tmp_path / "shelf")
    shelf.keep(b"one")
    (tmp_path / "shelf/.half").write_bytes(b"x")
    shelf.keep(b"two")
    (kept,) = (tmp_path / "shelf").iterdir()
    assert kept.name == hashlib.sha256(b"two").hexdigest()
    assert kept.stat().st_mode & 0o777 == 0o600
    assert shelf.get(kept.name) == b"two"
    assert shelf.get(hashlib.sha256(b"one").hexdigest()) is None
