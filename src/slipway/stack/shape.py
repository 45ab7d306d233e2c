"""What the containers of a release should be made of, from its Compose file. Pure."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from slipway.runner.containers import veiled
from slipway.stack.limits import Limits, limits


@dataclass(frozen=True, slots=True)
class Shape:
    """What a service's containers should be made of.

    Attributes:
        environment: variable to the :func:`~slipway.runner.containers.veiled` form of its value;
            those of the image are not known.
        mounts: place to the path or the volume's name that should be there.
        networks: Docker's names of those it should be in; None when it has those of something else.
        limits: what it may take.
        restart: its restart policy; empty when it is said in another way.
    """

    environment: Mapping[str, str]
    mounts: Mapping[str, str]
    networks: frozenset[str] | None
    limits: Limits
    restart: str


def read_shapes(text: bytes) -> dict[str, Shape]:
    """Service to what its containers should be made of.

    Args:
        text: the Compose file of a release, as slipway renders it.
    """
    document = _plain(json.loads(text))
    return {name: _shape(document, body) for name, body in document["services"].items()}


def network_name(document: Mapping[str, Any], name: str) -> str:
    """Docker's name of a network or, likewise, of a volume.

    Args:
        document: the Compose document.
        name: its name there.
    """
    return _docker_name(document, "networks", name)


def _docker_name(document: Mapping[str, Any], kind: str, name: str) -> str:
    body = (document.get(kind) or {}).get(name) or {}
    return str(body.get("name") or f"{document.get('name', '')}_{name}")


def _shape(document: Mapping[str, Any], body: Mapping[str, Any]) -> Shape:
    variables = body.get("environment") or {}
    own = "network_mode" in body
    names = body.get("networks") or {"default": None}
    return Shape(
        environment={
            name: veiled(str(value)) for name, value in variables.items() if value is not None
        },
        mounts=dict(_mounts(document, body)),
        networks=None if own else frozenset(network_name(document, name) for name in names),
        limits=limits(body),
        restart=_restart(body),
    )


def _restart(body: Mapping[str, Any]) -> str:
    if (body.get("deploy") or {}).get("restart_policy"):
        return ""
    return str(body.get("restart") or "no").partition(":")[0]


def _mounts(document: Mapping[str, Any], body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for mount in body.get("volumes") or ():
        source = mount.get("source")
        if mount.get("type") == "bind":
            yield _place(mount["target"]), posixpath.normpath(source)
        elif mount.get("type") == "volume" and source:
            yield _place(mount["target"]), _docker_name(document, "volumes", source)
    for kind, folder in (("configs", "/"), ("secrets", "/run/secrets/")):
        for one in body.get(kind) or ():
            file = ((document.get(kind) or {}).get(one["source"]) or {}).get("file")
            if file:
                target = one.get("target") or one["source"]
                yield _place(posixpath.join(folder, target)), posixpath.normpath(file)


def _place(path: str) -> str:
    return posixpath.normpath(path)


def _plain(value: Any) -> Any:
    """``value`` as Compose takes it: a doubled ``$`` is one."""
    if isinstance(value, str):
        return value.replace("$$", "$")
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
