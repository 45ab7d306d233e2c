"""Images and layers for the tests of this folder."""

from __future__ import annotations

import hashlib
from pathlib import Path

from slipway.images.description import image
from slipway.images.layers import tar
from slipway.images.values import Image, Layer, LayerPath


def layer(letter: str, size: int = 2048, title: str = "") -> Layer:
    """A layer that is never written, so that only its digest and size matter."""
    return Layer(f"sha256:{letter * 64}", size, title or letter, (LayerPath(f"/nix/{letter}"),))


def real_layer(folder: Path, title: str, size: int = 700) -> Layer:
    """A layer of one real file, with its true digest and size."""
    top = folder / title
    top.mkdir()
    (top / "file").write_bytes(title.encode() * (size // len(title)))
    paths = (LayerPath(str(top), f"^{top}".replace("-", r"\-"), f"/{title}"),)
    data = b"".join(tar(paths))
    return Layer(f"sha256:{hashlib.sha256(data).hexdigest()}", len(data), title, paths)


def image_of(role: str, *layers: Layer) -> Image:
    """An image of these layers."""
    return image("app", role, "amd64", {"Cmd": [role]}, layers)
