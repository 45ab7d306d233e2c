"""Make the runner one file: a zip archive that Python runs (PEP 441), always of the same bytes."""

from __future__ import annotations

import functools
import hashlib
import io
import zipfile
from dataclasses import dataclass
from importlib import resources

_EPOCH = (1980, 1, 1, 0, 0, 0)
_MAIN = b"import slipway.runner.__main__\n"


@dataclass(frozen=True, slots=True)
class Packed:
    """The runner's file.

    Attributes:
        name: holds the start of its hash, so that each version has a file of its own.
        data: its bytes.
    """

    name: str
    data: bytes


@functools.cache
def packed() -> Packed:
    """The runner of this version of slipway."""
    room = resources.files("slipway.runner")
    files = {"__main__.py": _MAIN, "slipway/__init__.py": b""}
    for entry in room.iterdir():
        if entry.name.endswith(".py"):
            files[f"slipway/runner/{entry.name}"] = entry.read_bytes()
    holder = io.BytesIO()
    with zipfile.ZipFile(holder, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_DEFLATED)
    data = holder.getvalue()
    return Packed(f"{hashlib.sha256(data).hexdigest()[:16]}.pyz", data)
