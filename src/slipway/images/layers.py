"""Write a layer's tar, byte for byte as nix2container 1.0.0 describes it.

Nothing is kept on disk: the tar is made from the store paths while it is sent, and its digest is
compared with the description at the end of the layer.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from typing import Final

from slipway.errors import BuildError
from slipway.images.tarheader import END, header, padding
from slipway.images.tree import entries
from slipway.images.values import Layer, LayerPath

CHUNK: Final = 1 << 20
"""Bytes of a chunk, at most: large enough that hashing, not Python, takes the time."""


def stream(layer: Layer) -> Iterator[bytes]:
    """The bytes of a layer's tar, in chunks.

    Raises:
        BuildError: a file can't be read, or the bytes are not those of the description. The
            last chunk is held back until the digest is known, so nobody gets a whole wrong layer.
    """
    digest = hashlib.sha256()
    size = 0
    held = b""
    for chunk in tar(layer.paths):
        digest.update(chunk)
        size += len(chunk)
        if size > layer.bytes:
            break
        if held:
            yield held
        held = chunk
    found = f"sha256:{digest.hexdigest()}"
    if size != layer.bytes or found != layer.digest:
        raise BuildError(
            f"the layer {layer.title} differs from its description: "
            f"{_difference(layer, size, found)}; the host's images are as they were",
            hint="nix-store --verify --check-contents, then ./inv build",
            stage="layers",
        )
    yield held


def _difference(layer: Layer, size: int, found: str) -> str:
    if size > layer.bytes:
        return f"it should have {layer.bytes} bytes, and has more"
    if size < layer.bytes:
        return f"it should have {layer.bytes} bytes, and has {size}"
    return f"it should be {layer.digest}, and is {found}"


def tar(paths: Sequence[LayerPath]) -> Iterator[bytes]:
    """The tar made from ``paths``, in chunks of at most ``CHUNK`` bytes.

    Raises:
        BuildError: a file can't be read, or changed while it was read.
    """
    buffer = bytearray()
    for entry, source in entries(paths):
        buffer += header(entry)
        if source is not None and entry.size:
            for part in _content(source, entry.size):
                if len(buffer) + len(part) > CHUNK:
                    yield bytes(buffer)
                    buffer.clear()
                buffer += part
            buffer += bytes(padding(entry.size))
        if len(buffer) >= CHUNK // 2:
            yield bytes(buffer)
            buffer.clear()
    buffer += END
    yield bytes(buffer)


def _content(source: bytes, size: int) -> Iterator[bytes]:
    """Exactly ``size`` bytes of a file."""
    try:
        handle = os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            left = size
            while left:
                part = os.read(handle, min(left, CHUNK // 2))
                if not part:
                    raise _changed(source)
                left -= len(part)
                yield part
            if os.read(handle, 1):
                raise _changed(source)
        finally:
            os.close(handle)
    except OSError as error:
        raise BuildError(
            f"{os.fsdecode(source)}, part of a layer, can't be read: {error.strerror}",
            hint="./inv build",
            stage="layers",
        ) from error


def _changed(source: bytes) -> BuildError:
    return BuildError(
        f"{os.fsdecode(source)}, part of a layer, changed while it was read",
        hint="./inv build",
        stage="layers",
    )
