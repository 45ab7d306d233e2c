"""Compress a stream on its way to a host."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Final, Literal, Protocol

import zstandard

Method = Literal["zstd", "gzip", "none"]

# Fast levels: on a home network the wire, on a local host the processor is the limit.
_ZSTD_LEVEL: Final = 3
_GZIP_LEVEL: Final = 1
_GZIP_FORMAT: Final = 31


class _Compressor(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...

    def flush(self) -> bytes: ...


def compressed(chunks: Iterable[bytes], method: Method) -> Iterator[bytes]:
    """``chunks`` compressed by ``method``; never an empty chunk, read only as fast as taken.

    Args:
        chunks: the stream.
        method: ``zstd``, ``gzip``, or ``none`` to pass it through.
    """
    if method == "none":
        yield from (chunk for chunk in chunks if chunk)
        return
    compressor = _compressor(method)
    for chunk in chunks:
        if part := compressor.compress(chunk):
            yield part
    if part := compressor.flush():
        yield part


def _compressor(method: Method) -> _Compressor:
    if method == "zstd":
        return zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compressobj()
    return zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_FORMAT)
