"""Compression on the way."""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterator

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from slipway.images.compress import Method, against, compressed


def restored(data: bytes, method: Method) -> bytes:
    if method == "gzip":
        return gzip.decompress(data)
    return zstandard.ZstdDecompressor().decompressobj().decompress(data) if data else b""


@given(st.lists(st.binary(max_size=3000), max_size=6), st.sampled_from(["zstd", "gzip"]))
def test_a_compressed_stream_is_restored(chunks: list[bytes], method: Method) -> None:
    """What comes out of the usual decompressor is what went in, and no chunk is empty."""
    parts = list(compressed(chunks, method))
    assert all(parts)
    assert restored(b"".join(parts), method) == b"".join(chunks)


def test_none_passes_the_stream_through() -> None:
    """Without compression only empty chunks are left out."""
    assert list(compressed([b"a", b"", b"b"], "none")) == [b"a", b"b"]


@pytest.mark.parametrize("method", ["zstd", "gzip", "none"])
def test_the_stream_is_read_only_as_it_is_taken(method: Method) -> None:
    """The first chunk is given out long before the last one is read."""
    read = 0

    def endless() -> Iterator[bytes]:
        nonlocal read
        for number in range(10_000):
            read += 1
            yield zstandard.ZstdCompressor().compress(number.to_bytes(4, "big") * 100) * 100

    next(compressed(endless(), method))
    assert read < 1000


@pytest.mark.parametrize("method", ["zstd", "gzip"])
def test_an_error_in_the_stream_is_not_swallowed(method: Method) -> None:
    """A failing source fails the stream, without a proper end after it."""

    def broken() -> Iterator[bytes]:
        yield b"a" * 100
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        list(compressed(broken(), method))


def restored_against(frame: bytes, reference: bytes) -> bytes:
    known = zstandard.ZstdCompressionDict(reference, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    return zstandard.ZstdDecompressor(dict_data=known if reference else None).decompress(frame)


@given(st.binary(max_size=5000), st.binary(max_size=5000), st.binary(max_size=50))
def test_a_difference_is_restored(data: bytes, reference: bytes, start: bytes) -> None:
    """With the same reference it comes back, whether they have something in common or not."""
    for one in (data, start + reference):
        assert restored_against(b"".join(against(one, reference)), reference) == one


@pytest.mark.parametrize("size", [500_000, 5_000_000])
def test_only_what_changed_counts(size: int) -> None:
    """Random bytes with a few put in compress to next to nothing, from the first to the last."""
    reference = random.Random(1).randbytes(size)
    data = reference[: size // 3] + b"changed" * 3 + reference[size // 3 :]
    parts = list(against(data, reference))
    assert len(b"".join(parts)) < 2000
    assert restored_against(b"".join(parts), reference) == data


def test_another_reference_is_noticed() -> None:
    """The frame's checksum shows that it was restored with other bytes."""
    reference = random.Random(1).randbytes(50_000)
    frame = b"".join(against(reference + b"end", reference))
    with pytest.raises(zstandard.ZstdError):
        restored_against(frame, bytes(50_000))
