"""Take away what something that was broken off has left in the application's folder."""

from __future__ import annotations

import contextlib
import os
import shutil
import time

# Written by the runner itself, which is alone while it holds the lease.
_OURS = (".", "runs", "runs/last", "runs/last/words")
# Written by whoever deploys, without the lease: they have two minutes for it (slipway.ledger).
_THEIRS = (".", "cache", "runner")
_OLD_S = 600.0


def sweep(folder: str, *, alone: bool = False) -> None:
    """Remove files that were begun and never given their names.

    Args:
        folder: the application's folder; the lease is held.
        alone: nobody else can be writing there now, as after a boot.
    """
    releases = [f"releases/{name}" for name in _names(os.path.join(folder, "releases"))]
    for place in (*_OURS, *releases):
        for name in _names(os.path.join(folder, place)):
            if name.endswith(".new") or name.startswith(".last."):
                _remove(os.path.join(folder, place, name))
    for place in _THEIRS:
        for name in _names(os.path.join(folder, place)):
            path = os.path.join(folder, place, name)
            if name.startswith(".slipway.") and (alone or _age(path) > _OLD_S):
                _remove(path)


def booted_since(path: str) -> bool:
    """Whether the host was booted after something was written."""
    with contextlib.suppress(OSError, ValueError):
        with open("/proc/uptime", encoding="ascii") as file:
            up = float(file.read().split()[0])
        return time.time() - up > os.stat(path).st_mtime
    return False


def _names(folder: str) -> list[str]:
    with contextlib.suppress(OSError):
        return os.listdir(folder)
    return []


def _age(path: str) -> float:
    with contextlib.suppress(OSError):
        return time.time() - os.lstat(path).st_mtime
    return 0.0


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            os.unlink(path)
