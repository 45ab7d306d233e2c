"""Every method that a release has."""

from __future__ import annotations

from . import (
    accounts,
    appimages,
    appquery,
    apps,
    backups,
    core,
    datasets,
    docker,
    filesystem,
    snapshots,
    system,
)
from .middleware import Method
from .releases import Release

_PARTS = (
    core,
    system,
    accounts,
    appquery,
    appimages,
    apps,
    docker,
    backups,
    datasets,
    snapshots,
    filesystem,
)


def methods(release: Release) -> list[Method]:
    """The methods of a release."""
    return [method for part in _PARTS for method in part.methods(release)]
