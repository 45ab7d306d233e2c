"""The media share: films that lie on a NAS already, mounted read-only.

Paths are relative to it, with ``/`` between names.  Whatever a path says and wherever a symbolic
link leads, nothing outside the share is ever listed or opened.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from langflix.errors import AbsentError, InputError, MediaError
from langflix.media.storage import SUBTITLE_ENDINGS, VIDEO_ENDINGS

#: A folder with more than this is shown in part.
MAX_ENTRIES = 2000
Kind = Literal["folder", "video", "subtitle"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A folder or file of use; ``bytes`` is 0 for folders."""

    name: str
    path: str
    kind: Kind
    bytes: int


@dataclass(frozen=True, slots=True)
class Folder:
    """What lies in a folder, folders first; ``truncated`` when there is more."""

    path: str
    entries: tuple[Entry, ...]
    truncated: bool


@dataclass(frozen=True, slots=True)
class Share:
    """The share at ``root``."""

    root: Path

    def folder(self, path: str) -> Folder:
        """List a folder; ``""`` is the share itself.

        Raises:
            InputError: when the path is not one below the share.
            AbsentError: when there is no such folder.
            MediaError: when the share cannot be read.

        """
        real = self._real(path)
        if not real.is_dir():
            raise AbsentError("there is no such folder on the media share")
        shown = "" if path in ("", ".") else PurePosixPath(path).as_posix()
        try:
            names = sorted(entry.name for entry in real.iterdir())
        except OSError as error:
            raise MediaError(f"the folder cannot be read: {error.strerror}") from error
        found = list(self._entries(shown, names))
        found.sort(key=lambda entry: (entry.kind != "folder", entry.name.casefold(), entry.name))
        return Folder(shown, tuple(found[:MAX_ENTRIES]), len(found) > MAX_ENTRIES)

    def file(self, path: str, endings: frozenset[str]) -> Path:
        """Return where a file really lies; raises as :meth:`folder` does."""
        if PurePosixPath(path).suffix.lower() not in endings:
            raise InputError(f"{path!r} must end in one of {', '.join(sorted(endings))}")
        real = self._real(path)
        if not real.is_file():
            raise AbsentError("there is no such file on the media share")
        return real

    def _entries(self, folder: str, names: Iterable[str]) -> Iterable[Entry]:
        for name in names:
            if name.startswith(".") or not name.isprintable():
                continue
            path = f"{folder}/{name}" if folder else name
            try:
                real = self._real(path)
                if real.is_dir():
                    yield Entry(name, path, "folder", 0)
                elif real.is_file() and (kind := kind_of(name)) is not None:
                    yield Entry(name, path, kind, real.stat().st_size)
            except (InputError, MediaError, OSError):
                continue  # leads outside, or went away meanwhile

    def _real(self, path: str) -> Path:
        pure = PurePosixPath(path)
        if pure.is_absolute() or ".." in pure.parts or not path.isprintable():
            raise InputError("the path must be below the media share")
        try:
            root = self.root.resolve(strict=True)
        except OSError as error:
            raise MediaError("the media share is not there") from error
        try:
            real = (root / pure).resolve(strict=True)
        except (OSError, RuntimeError) as error:
            raise AbsentError("there is nothing of that name on the media share") from error
        if not real.is_relative_to(root):
            raise InputError("the path must be below the media share")
        return real


def kind_of(name: str) -> Kind | None:
    """Return what a file is by its name's ending; None when it is of no use."""
    ending = PurePosixPath(name).suffix.lower()
    return (
        "video" if ending in VIDEO_ENDINGS else "subtitle" if ending in SUBTITLE_ENDINGS else None
    )
