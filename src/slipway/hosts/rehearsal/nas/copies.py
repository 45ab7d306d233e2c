"""Copies of a dataset's files, in the place of ZFS' snapshots.

``cp`` copies them, and shares blocks where the file system can. Owners, modes, times, links, holes
and extended attributes are kept. A copy is not taken in one moment, as a snapshot of ZFS is.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from .engine import run
from .errors import CallError

SHOWN = ".zfs"  # where a dataset shows its snapshots (zfsprops(7), `snapdir`)
HIDDEN = ".nas"  # where the stand-in keeps a pool's state, in the pool itself
_COPY_S = 3600


def take(folder: Path, copy: Path, without: Iterable[str]) -> None:
    """Copy what is in a folder.

    Args:
        folder: the folder.
        copy: where to; it must not be there yet.
        without: names in the folder that are left out.

    Raises:
        CallError: it can't be copied, for want of room perhaps.
    """
    copy.mkdir(parents=True)
    _copy(_entries(folder, without), copy)
    _like(folder, copy)


def put_back(copy: Path, folder: Path, without: Iterable[str]) -> None:
    """Make a folder's content what it was. The folder itself stays, so that mounts of it hold.

    Args:
        copy: the copy.
        folder: the folder.
        without: names in the folder that stay as they are.

    Raises:
        CallError: it can't be copied.
    """
    for entry in _entries(folder, without):
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    _copy(_entries(copy, ()), folder)
    _like(copy, folder)


def show(copy: Path, folder: Path, name: str) -> None:
    """Let a dataset show a snapshot, as ZFS does, below ``.zfs/snapshot``.

    Args:
        copy: the snapshot's files.
        folder: where the dataset is mounted.
        name: the snapshot's.
    """
    link = folder / SHOWN / "snapshot" / name
    link.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    link.symlink_to(copy)


def hide(folder: Path, name: str) -> None:
    """Show a snapshot no more."""
    (folder / SHOWN / "snapshot" / name).unlink(missing_ok=True)


def _entries(folder: Path, without: Iterable[str]) -> list[Path]:
    hidden = {*without, HIDDEN, SHOWN}
    return sorted(path for path in folder.iterdir() if path.name not in hidden)


def _copy(entries: list[Path], folder: Path) -> None:
    if not entries:
        return
    argv = ["cp", "--archive", "--reflink=auto", "--", *map(str, entries), str(folder)]
    done = run(argv, _COPY_S)
    if done.returncode:
        raise CallError(done.stderr.strip())


def _like(one: Path, other: Path) -> None:
    told = one.stat()
    os.chown(other, told.st_uid, told.st_gid)
    shutil.copystat(one, other)
