"""Durations as Compose's long form has them. Pure."""

from __future__ import annotations

import re

_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ns|us|µs|ms|s|m|h)")
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(duration: str | None, default: float) -> float:
    """A duration such as ``1m30s`` in seconds.

    Args:
        duration: as Compose writes it, or None for the default.
        default: in seconds.
    """
    if duration is None:
        return default
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(duration))
