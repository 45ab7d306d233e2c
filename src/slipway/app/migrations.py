"""The files of the checkout that hold a stack's migrations."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from slipway.errors import ConfigError
from slipway.supply.sources import is_leftover

# A comment of Python, SQL or a C-like language, alone in its line.
_DOWNTIME: Final = re.compile(rb"^(#|--|//) slipway: downtime\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Migrations:
    """What a folder of migrations holds.

    Attributes:
        sha256: hex digest of every file, names and contents; empty for no folder.
        revisions: the migrations' names: files but for those that begin with ``_``, without their
            endings, in order.
        downtimes: those with the line ``# slipway: downtime`` (``--`` or ``//`` for ``#``): code of
            the release before can't go on once they are applied.
    """

    sha256: str = ""
    revisions: tuple[str, ...] = ()
    downtimes: frozenset[str] = frozenset()


def read_migrations(root: Path, folder: str) -> Migrations:
    """Read a folder of migrations; what programs and editors leave there is none of them.

    Args:
        root: the checkout.
        folder: relative to it; empty for none.

    Raises:
        ConfigError: the folder is not there, or a file of it can't be read.
    """
    if not folder:
        return Migrations()
    if not (root / folder).is_dir():
        raise ConfigError(
            f"x-slipway.migrate.source: there is no folder {folder}",
            hint="name the folder that holds the migrations, or leave source out",
            stage="config",
        )
    digest = hashlib.sha256()
    revisions, downtimes = [], set()
    for path in _files(root, folder):
        name, content = path.relative_to(root).as_posix(), _content(root, path)
        digest.update(f"{name}\0{hashlib.sha256(content).hexdigest()}\n".encode())
        if not path.name.startswith("_"):
            revisions.append(path.stem)
            if _DOWNTIME.search(content):
                downtimes.add(path.stem)
    return Migrations(digest.hexdigest(), tuple(revisions), frozenset(downtimes))


def _files(root: Path, folder: str) -> list[Path]:
    below = ((path, path.relative_to(root / folder)) for path in (root / folder).rglob("*"))
    return sorted(
        path
        for path, place in below
        if path.is_file() and not any(is_leftover(part) for part in place.parts)
    )


def _content(root: Path, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        name = path.relative_to(root).as_posix()
        raise ConfigError(
            f"x-slipway.migrate.source: {name} can't be read: {error.strerror}", stage="config"
        ) from error
