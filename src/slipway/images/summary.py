"""Images as people and other programs read them."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.images.values import Image, Layer
from slipway.report import human_bytes, table

_SHORT = 12


def summary(images: Sequence[Image]) -> list[dict[str, object]]:
    """What ``build --json`` prints: one object an image, layers bottom first."""
    roles = _roles(images)
    return [
        {
            "role": image.role,
            "reference": image.reference,
            "config_digest": image.config_digest,
            "manifest_digest": image.manifest_digest,
            "bytes": image.bytes,
            "layers": [
                {
                    "digest": layer.digest,
                    "bytes": layer.bytes,
                    "title": layer.title,
                    "roles": roles[layer.digest],
                }
                for layer in image.layers
            ],
        }
        for image in images
    ]


def summary_text(images: Sequence[Image]) -> str:
    """What ``build`` prints: a table of the images, and one of the layers, each once."""
    roles, layers = _roles(images), _layers(images)
    per_image = table(
        [
            (
                image.role,
                image.reference,
                _short(image.config_digest),
                _short(image.manifest_digest),
                human_bytes(image.bytes),
                str(len(image.layers)),
            )
            for image in images
        ],
        head=("ROLE", "REFERENCE", "CONFIG", "MANIFEST", "UNPACKED", "LAYERS"),
    )
    per_layer = table(
        [
            (_short(digest), human_bytes(layer.bytes), layer.title, ", ".join(roles[digest]))
            for digest, layer in layers.items()
        ],
        head=("LAYER", "UNPACKED", "WHAT", "ROLES"),
    )
    total = human_bytes(sum(layer.bytes for layer in layers.values()))
    return f"{per_image}\n\n{per_layer}\n\n{len(layers)} layers, {total} in all"


def _layers(images: Sequence[Image]) -> dict[str, Layer]:
    return {layer.digest: layer for image in images for layer in image.layers}


def _roles(images: Sequence[Image]) -> dict[str, list[str]]:
    roles: dict[str, list[str]] = {}
    for image in images:
        for layer in image.layers:
            roles.setdefault(layer.digest, []).append(image.role)
    return roles


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:_SHORT]
