"""Compress a stream on its way to a host."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Final, Literal, Protocol

import zstandard

Method = Literal["zstd", "gzip", "none"]

# A fast level: on a home network the wire, on a local host the processor is the limit. What is
# small is compressed as well as it can be, which takes well under a second.
_ZSTD_LEVEL: Final = 3
_ZSTD_BEST: Final = 19
_SMALL_BYTES: Final = 4_000_000
_GZIP_LEVEL: Final = 1
_GZIP_FORMAT: Final = 31


class _Compressor(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...

    def flush(self) -> bytes: ...


def compressed(
    chunks: Iterable[bytes], method: Method, *, size: int | None = None
) -> Iterator[bytes]:
    """``chunks`` compressed by ``method``; never an empty chunk, read only as fast as taken.

    Args:
        chunks: the stream.
        method: ``zstd``, ``gzip``, or ``none`` to pass it through.
        size: bytes of the whole stream, when known.
    """
    if method == "none":
        yield from (chunk for chunk in chunks if chunk)
        return
    compressor = _compressor(method, size)
    for chunk in chunks:
        if part := compressor.compress(chunk):
            yield part
    if part := compressor.flush():
        yield part


def _compressor(method: Method, size: int | None) -> _Compressor:
    if method == "zstd":
        is_small = size is not None and size <= _SMALL_BYTES
        level = _ZSTD_BEST if is_small else _ZSTD_LEVEL
        return zstandard.ZstdCompressor(level=level).compressobj()
    return zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_FORMAT)
