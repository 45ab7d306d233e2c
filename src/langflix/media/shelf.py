"""Lists every film of the media share.

Symbolic links are not followed: what one leads to inside the share is found where it really lies,
and what it leads to outside is not the share's.  So no film is listed twice, and a walk ends.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from langflix.domain import beside
from langflix.domain.scan import Seen
from langflix.errors import MediaError
from langflix.media.share import kind_of

#: What NAS systems keep in a share for themselves; names with a dot before them are hidden anyway.
SKIPPED = frozenset({"@eaDir", "#recycle", "$RECYCLE.BIN", "lost+found"})
#: Longer paths are not taken: no job can be made of them, and no index of the database holds them.
MAX_PATH_CHARS, MAX_PATH_BYTES = 1024, 2048
_OLDEST, _NEWEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much of a share is looked at in one go; ``time_s`` is in seconds."""

    depth: int = 16
    folders: int = 50_000
    films: int = 50_000
    in_folder: int = 50_000
    time_s: float = 300


@dataclass(frozen=True, slots=True)
class Listing:
    """The films of a share; ``unread`` are folders that could not be looked into, or not wholly."""

    films: tuple[Seen, ...]
    unread: frozenset[str]


@dataclass(slots=True)
class _Found:
    """What lies in one folder."""

    films: list[tuple[str, os.stat_result]] = field(default_factory=list)
    subtitles: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    anything: bool = False
    whole: bool = True


def walk(root: Path, bounds: Bounds = Bounds()) -> Listing:
    """Return the films of the share at ``root``.

    Raises:
        MediaError: when the share is away: it cannot be read, has nothing in it, as the folder has
            that a NAS is mounted on, or was another one by the end.

    """
    identity = _identity(root)
    walk = _Walk(root, bounds)
    walk.through()
    if _identity(root) != identity:
        raise MediaError("the media share went away")
    return Listing(tuple(walk.films), frozenset(walk.unread))


def modified_at(status: os.stat_result) -> datetime:
    """Return when a file was last written to, as exactly as the database keeps it."""
    told = _OLDEST + timedelta(microseconds=status.st_mtime_ns // 1000)
    return min(max(told, _OLDEST), _NEWEST)


class _Walk:
    """A walk on its way, from folder to folder."""

    def __init__(self, root: Path, bounds: Bounds) -> None:
        self._root = root
        self._bounds = bounds
        self._ends = time.monotonic() + bounds.time_s
        self._folders = 0
        self.films: list[Seen] = []
        self.unread: set[str] = set()

    def through(self) -> None:
        """Visit every folder within the bounds."""
        self._start()
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            found = self._visit(folder)
            self.films.extend(self._films(folder, found))
            below = (_join(folder, name) for name in sorted(found.folders, reverse=True))
            waiting.extend(path for path in below if _fits(path))

    def _start(self) -> None:
        try:
            found = _look_into(self._root, 1)
        except OSError as error:
            raise MediaError(f"the media share cannot be read: {error.strerror}") from error
        if found.whole and not found.anything:
            raise MediaError("the media share has nothing in it: is it mounted?")

    def _visit(self, folder: str) -> _Found:
        self._folders += 1
        full = len(self.films) >= self._bounds.films or self._folders > self._bounds.folders
        late = time.monotonic() > self._ends
        if full or late or folder.count("/") >= self._bounds.depth:
            self.unread.add(folder)
            return _Found()
        return self._read(folder)

    def _read(self, folder: str) -> _Found:
        try:
            found = _look_into(self._root / folder, self._bounds.in_folder)
        except OSError:
            found = _Found(whole=False)
        if not found.whole:
            self.unread.add(folder)
        return found

    def _films(self, folder: str, found: _Found) -> Iterator[Seen]:
        if not found.films:
            return
        names = [name for name, _ in found.films]
        subtitles = beside.match(names, [*found.subtitles, *self._put_aside(folder, found)])
        for name, status in found.films:
            path = _join(folder, name)
            if _fits(path):
                where = _join(folder, subtitles[name]) if name in subtitles else None
                yield Seen(path, where, status.st_size, modified_at(status))

    def _put_aside(self, folder: str, found: _Found) -> Iterable[str]:
        """Return the subtitles in the folders beside the films that are made for them."""
        for name in found.folders:
            if name.casefold() in beside.FOLDERS:
                inside = self._read(_join(folder, name)).subtitles
                paths = (f"{name}/{title}" for title in inside)
                yield from (path for path in paths if _fits(_join(folder, path)))


def _look_into(folder: Path, most: int) -> _Found:
    """Return what lies in a folder; raises OSError, also when a film there cannot be asked."""
    found = _Found()
    with os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name
            if name.startswith(".") or name in SKIPPED or not name.isprintable():
                continue
            found.anything = True
            if len(found.films) + len(found.subtitles) + len(found.folders) >= most:
                found.whole = False
                break
            if entry.is_dir(follow_symlinks=False):
                found.folders.append(name)
            elif entry.is_file(follow_symlinks=False):
                _take(entry, found)
    return found


def _take(entry: os.DirEntry[str], found: _Found) -> None:
    kind = kind_of(entry.name)
    if kind == "video":
        found.films.append((entry.name, entry.stat(follow_symlinks=False)))
    elif kind == "subtitle":
        found.subtitles.append(entry.name)


def _identity(root: Path) -> tuple[int, int]:
    try:
        status = root.stat()
    except OSError as error:
        raise MediaError("the media share is not there") from error
    return status.st_dev, status.st_ino


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _fits(path: str) -> bool:
    return len(path) <= MAX_PATH_CHARS and len(path.encode()) <= MAX_PATH_BYTES
