"""The stream that ``docker load`` reads: every image of a transfer in one tar."""

from __future__ import annotations

from collections.abc import Iterator

from slipway.images.layers import stream
from slipway.images.layout import Member, members
from slipway.images.tarheader import END, padding
from slipway.images.transfer import Transfer
from slipway.images.values import Layer


def archive(transfer: Transfer) -> Iterator[bytes]:
    """The archive in chunks, ``transfer.bytes_to_send`` bytes in all; layers are made on the way.

    Raises:
        BuildError: a layer differs from its description. The stream then ends in the middle of
            that layer, so that ``docker load`` cannot take it for a whole archive.
    """
    if not transfer.images:
        return
    small = bytearray()
    for member in members(transfer.images, transfer.layers):
        small += member.header
        if isinstance(member.content, Layer):
            yield bytes(small)
            small.clear()
            yield from stream(member.content)
        else:
            small += member.content
        small += _filling(member)
    yield bytes(small + END)


def _filling(member: Member) -> bytes:
    return bytes(padding(member.size))
