"""Which registry is meant, what a push there comes to; for people and for programs. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.app.answer import Answer
from slipway.errors import ConfigError
from slipway.hosts.config import Hosts
from slipway.images.registry.address import Registry, parse_registry
from slipway.images.values import Image
from slipway.report import human_bytes, table


def pick_registry(hosts: Hosts, to: str) -> Registry:
    """The registry that is named, or else that of the files.

    Args:
        hosts: the files.
        to: an address; empty when none was named.

    Raises:
        ConfigError: it is none, or nothing names one.
    """
    if to:
        try:
            return parse_registry(to)
        except ValueError as error:
            raise ConfigError(
                f"--to {error}; nothing was sent",
                hint="./inv push --to registry.lan:5000/home",
                stage="config",
            ) from error
    if hosts.registry is None:
        raise ConfigError(
            f"there is no `registry` in {hosts.file}, and so no place to push to",
            hint='write registry = "HOST:PORT" above its hosts, or ./inv push --to HOST:PORT',
            stage="config",
        )
    return hosts.registry


def push_answer(registry: Registry, images: Sequence[Image], sent: int, *, pushed: bool) -> Answer:
    """What a push came to, or would.

    Args:
        registry: where.
        images: which.
        sent: bytes of parts that went there, or would go.
        pushed: whether it was done.
    """
    rows = [(image.role, registry.pinned(image)) for image in images]
    if pushed:
        talk = f"{registry} has all {len(images)} images; {human_bytes(sent)} were sent"
    else:
        talk = f"{human_bytes(sent)} are to be sent to {registry}; nothing was"
    value = {
        "registry": str(registry),
        "pushed": pushed,
        "bytes": sent,
        "images": [
            {
                "role": image.role,
                "reference": registry.tagged(image),
                "pinned": registry.pinned(image),
                "manifest_digest": image.manifest_digest,
            }
            for image in images
        ],
    }
    return Answer(value, table(rows, head=("ROLE", "PULLED BY")), talk)
