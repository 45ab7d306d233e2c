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
# Against a large reference a middle level with tables for every position of it finds what moved
# as well, in a tenth of the best one's time (16 MB of random bytes with one put in: 1.5 kB).
_ZSTD_MIDDLE: Final = 9
_TABLE_LOG: Final = 24
_PIECE: Final = 1 << 16
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


def against(data: bytes, reference: bytes) -> Iterator[bytes]:
    """``data`` as one zstd frame that repeats what ``reference`` has, in small chunks.

    The reference is a raw dictionary (RFC 8878, 5): ``zstd -d -D FILE`` restores it with a file of
    the same bytes. The window spans all of ``data``, so the dictionary counts to its end; the
    frame's checksum shows a wrong one.

    Args:
        data: at most 16 MB or so; it is held in memory with the reference.
        reference: bytes that the other side has; empty for none.
    """
    is_small = max(len(data), len(reference)) <= _SMALL_BYTES
    tables = {} if is_small else {"hash_log": _TABLE_LOG, "chain_log": _TABLE_LOG}
    parameters = zstandard.ZstdCompressionParameters.from_level(
        _ZSTD_BEST if is_small else _ZSTD_MIDDLE,
        source_size=len(data),
        dict_size=len(reference),
        window_log=max(zstandard.WINDOWLOG_MIN, (len(data) - 1).bit_length()),
        enable_ldm=True,
        write_checksum=True,
        **tables,
    )
    known = zstandard.ZstdCompressionDict(reference, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    compressor = zstandard.ZstdCompressor(
        dict_data=known if reference else None, compression_params=parameters
    )
    frame = compressor.compress(data)
    for start in range(0, len(frame), _PIECE):
        yield frame[start : start + _PIECE]


def _compressor(method: Method, size: int | None) -> _Compressor:
    if method == "zstd":
        is_small = size is not None and size <= _SMALL_BYTES
        level = _ZSTD_BEST if is_small else _ZSTD_LEVEL
        return zstandard.ZstdCompressor(level=level).compressobj()
    return zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_FORMAT)
