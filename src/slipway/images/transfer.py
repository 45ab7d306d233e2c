"""Decide which images and layers a host still needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from slipway.images.layout import size
from slipway.images.values import HeldImages, Image, Layer


@dataclass(frozen=True, slots=True)
class Transfer:
    """What goes to a host in one stream.

    Attributes:
        images: the images it loads.
        layers: the layers in the stream, each once.
        bytes_to_send: size of the uncompressed stream; 0 when there is nothing to load.
    """

    images: tuple[Image, ...] = ()
    layers: tuple[Layer, ...] = ()
    bytes_to_send: int = 0


def plan_transfer(images: Sequence[Image], held: HeldImages) -> Transfer:
    """The images that ``held`` lacks, with the layers it lacks.

    An image whose reference is there with its own digest needs nothing. A layer counts as held
    only with every layer below it, in order: a graph driver finds it in no other way.
    """
    chains = {chain[:end] for chain in held.chains for end in range(1, len(chain) + 1)}
    lacking = [image for image in images if not _is_held(image, held)]
    missing: dict[str, Layer] = {}
    for image in lacking:
        digests = tuple(layer.digest for layer in image.layers)
        known = 0
        while known < len(digests) and digests[: known + 1] in chains:
            known += 1
        missing.update({layer.digest: layer for layer in image.layers[known:]})
    return _transfer(lacking, missing)


def whole(images: Sequence[Image]) -> Transfer:
    """All of ``images`` with all of their layers, for a host whose store is in doubt."""
    return _transfer(images, {layer.digest: layer for image in images for layer in image.layers})


def _transfer(images: Sequence[Image], layers: dict[str, Layer]) -> Transfer:
    sent = tuple(layers.values())
    return Transfer(tuple(images), sent, size(images, sent))


def _is_held(image: Image, held: HeldImages) -> bool:
    return held.references.get(image.reference) in (image.config_digest, image.manifest_digest)
