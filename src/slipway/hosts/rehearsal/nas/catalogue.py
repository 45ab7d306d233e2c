"""Every method that a release has."""

from __future__ import annotations

from . import core, system
from .middleware import Method
from .releases import Release

_PARTS = (core.methods, system.methods)


def methods(release: Release) -> list[Method]:
    """The methods of a release."""
    return [method for part in _PARTS for method in part(release)]
