"""Where the program ``compose-model`` is: built once, and remembered by what it was built of."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
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
    for path in sorted((*nix.rglob("*.nix"), *nix.rglob("*.sh"), *_go(nix))):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(nix).as_posix()}\0{content}\n".encode())
    return digest.hexdigest()


def _go(nix: Path) -> tuple[Path, ...]:
    go, locks = nix / "go", nix / "locks"
    return (
        *(go / ATTRIBUTE).glob("*.go"),
        *go.glob("go.*"),
        *(path for path in (locks / "debian.json", locks / "go.json") if path.is_file()),
    )
