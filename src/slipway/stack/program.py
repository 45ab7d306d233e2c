"""Where the program ``compose-model`` is: built once, and remembered by what it was built of."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

ATTRIBUTE = "compose-model"
_FOLDER = ".slipway/programs"


def program(root: Path, build: Callable[[], Path]) -> Path:
    """The program, built when nobody remembers one of the same sources.

    Args:
        root: the checkout; the memory is a link below ``.slipway``.
        build: makes the package :data:`ATTRIBUTE` and returns its store path.
    """
    folder = root / _FOLDER
    link = folder / f"{ATTRIBUTE}-{sources_hash(root / 'nix')[:16]}"
    path = link / "bin" / ATTRIBUTE
    if not path.is_file():
        built = build()
        folder.mkdir(parents=True, exist_ok=True)
        for older in folder.glob(f"{ATTRIBUTE}-*"):
            older.unlink(missing_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(built)
    return path


def sources_hash(nix: Path) -> str:
    """The hash of all that decides how the program comes out, hex: its Go, its locks, its Nix."""
    digest = hashlib.sha256()
    for name in sorted((*_nix(str(nix)), *_go(nix))):
        with open(f"{nix}/{name}", "rb") as stream:
            content = hashlib.sha256(stream.read()).hexdigest()
        digest.update(f"{name}\0{content}\n".encode())
    return digest.hexdigest()


def _nix(folder: str, inside: str = "") -> Iterator[str]:
    """Every Nix file and shell script below a folder, as paths in it."""
    with os.scandir(folder) as found:
        for one in found:
            if one.is_dir(follow_symlinks=False):
                yield from _nix(one.path, f"{inside}{one.name}/")
            elif one.name.endswith((".nix", ".sh")):
                yield f"{inside}{one.name}"


def _go(nix: Path) -> Iterator[str]:
    for name in os.listdir(nix / "go" / ATTRIBUTE):
        if name.endswith(".go"):
            yield f"go/{ATTRIBUTE}/{name}"
    yield from (f"go/{name}" for name in os.listdir(nix / "go") if name.startswith("go."))
    locks = ("locks/debian.json", "locks/go.json")
    yield from (name for name in locks if (nix / name).is_file())
