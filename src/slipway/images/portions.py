"""A large transfer in portions that arrive one by one: what is there stays there. Pure.

``docker load`` takes an archive whole or not at all, so a line that breaks near the end would cost
all of it. Each portion is an archive of its own. Where a portion ends in the middle of an image,
the layers up to there are an image, too, which only holds them, to be taken away once the real one
is there. It is tagged ``APPLICATION/arriving.layers``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from slipway.images.description import image
from slipway.images.layout import size
from slipway.images.transfer import Transfer
from slipway.images.values import Image, Layer

#: Bytes of layers after which a portion ends; compressed a third of it, or half a minute of
#: 5 Mbit/s. Each portion costs an engine about half a second.
PORTION_BYTES: Final = 48_000_000
#: No role of `slipway.toml` has a dot in its name.
ARRIVING: Final = "arriving.layers"

#: Digests of an image's lowest layers, bottom first: a graph driver finds a layer by nothing less.
Chain = tuple[str, ...]


def portions(transfer: Transfer, most: int = PORTION_BYTES) -> tuple[Transfer, ...]:
    """A transfer in portions, in the order in which they have to arrive.

    Args:
        transfer: what is to arrive.
        most: bytes of layers after which a portion ends; a larger layer is one by itself.

    Returns:
        Transfers of which each has its layers' lower ones in itself or in those before it. The
        transfer itself, when it is one portion.
    """
    lacking = {layer.digest for layer in transfer.layers}
    made: list[Transfer] = []
    there: set[Chain] = set()
    whole: list[Image] = []
    layers: dict[str, Layer] = {}
    for one in transfer.images:
        for place, layer in enumerate(one.layers, start=1):
            if layer.digest not in lacking or _chain(one.layers[:place]) in there:
                continue
            full = sum(each.bytes for each in layers.values()) + layer.bytes > most
            if full and layers and layer.digest not in layers:
                made.append(
                    _portion(
                        [*whole, *_holding(one.layers[: place - 1], one, whole, layers)], layers
                    )
                )
                whole, layers = [], {}
            layers[layer.digest] = layer
            there.add(_chain(one.layers[:place]))
        whole.append(one)
    if not made:
        return (transfer,)
    return (*made, _portion(whole, layers))


def partial(images: Sequence[Image]) -> tuple[Image, ...]:
    """Those that only hold layers of others."""
    return tuple(one for one in images if one.role == ARRIVING)


def _holding(
    lower: tuple[Layer, ...], one: Image, whole: Sequence[Image], sent: Mapping[str, Layer]
) -> list[Image]:
    """An image of the lower layers of one, unless none was sent or another image holds them."""
    chain = _chain(lower)
    held = any(_chain(each.layers[: len(lower)]) == chain for each in whole)
    if held or not sent.keys() & set(chain):
        return []
    application = one.reference.partition("/")[0]
    architecture = json.loads(one.config)["architecture"]
    return [image(application, ARRIVING, architecture, {}, lower)]


def _chain(layers: Sequence[Layer]) -> Chain:
    return tuple(layer.digest for layer in layers)


def _portion(images: Sequence[Image], layers: Mapping[str, Layer]) -> Transfer:
    sent = tuple(layers.values())
    return Transfer(tuple(images), sent, size(images, sent))
