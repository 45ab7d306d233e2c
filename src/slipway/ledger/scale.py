"""How many containers of services are wanted on a host, whatever the Compose files say. Pure.

``scale.json`` of the application's folder: ``{"format": 1, "services": {"worker": 3}}``. It is the
host's, not a release's: deploys and rollbacks keep to it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from slipway.errors import DeployError
from slipway.ledger.release import FORMAT, Release, as_json
from slipway.reading import Reader

Scale = Mapping[str, int]
"""Service to the number of its containers; one that isn't named has the Compose files' number."""


def parse_scale(text: bytes, where: str) -> dict[str, int]:
    """Read a ``scale.json``.

    Raises:
        DeployError: it is no JSON, of another format, or has problems; nothing was changed.
    """
    try:
        reader = Reader(json.loads(text))
    except ValueError as error:
        raise DeployError(
            f"{where} is no JSON: {error}",
            hint="remove it there: then the Compose files say how many containers there are",
            stage="read",
        ) from error
    reader.format(FORMAT)
    services = reader.table("services")
    found = {name: services.whole(name) for name in services.names()}
    if reader.problems:
        raise DeployError(
            f"{where} can't be read by this version of slipway",
            details=[f"{where}: {problem}" for problem in reader.problems],
            hint="use the version of slipway that wrote it, or remove the file there",
            stage="read",
        )
    return found


def scale_text(scale: Scale) -> str:
    """The content of a ``scale.json``."""
    return as_json({"format": FORMAT, "services": dict(scale)}).decode()


def scaled(release: Release, scale: Scale) -> Release:
    """A release as it should stand on a host: with the host's numbers of containers."""
    return replace(
        release,
        expected=tuple(
            replace(one, containers=scale.get(one.service, one.containers))
            for one in release.expected
        ),
        rolling=tuple(
            replace(one, containers=scale.get(one.service, one.containers))
            for one in release.rolling
        ),
    )
