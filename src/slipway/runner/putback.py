"""Make the files of datasets what they were at a snapshot, and leave every snapshot alone.

``zfs rollback`` would destroy all later snapshots, the one of how things are now among them. So the
files are copied out of ``.zfs/snapshot/NAME``, in which ZFS shows them (zfsprops(7), ``snapdir``).
What was not changed since has the same number, time of change and size there, and is not copied.
Broken off, it is begun again: it compares first, and whatever it did is right already.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator, Sequence

from slipway.runner.failure import Failed

SNAPSHOTS = ".zfs/snapshot"
#: Below the application's folder, while data are put back: the name of what has them as they were.
HALF = "restoring"
_OWN = ".zfs"
_BATCH = 200
_COPY_S = 3600.0
_LINES = 5
_BLOCK = 512  # bytes, of `st_blocks` (stat(3type))
_COPY = ("cp", "--archive", "--parents", "--remove-destination", "--reflink=auto")


def put_back(
    paths: Sequence[str], name: str, heed: Callable[[], None], *, room: bool = False
) -> None:
    """Make what lies in datasets what it was.

    Args:
        paths: where they are mounted, the uppermost first; one that has no such snapshot, since
            it was made later, stays as it is.
        name: of the snapshot.
        heed: called now and then; what it raises ends it.
        room: whether to see first that there is room for what is copied, were it all copied.

    Raises:
        Failed: there is no such room, or the uppermost has no such snapshot, and nothing was
            changed; or a part was not copied.
    """
    if not os.path.isdir(first := _shown(paths[0], name)):
        raise Failed(
            f"{first} is not there: nothing can be put back from it",
            hint="zfs list -t snapshot shows those there are; `snapdir` must not be `disabled`",
        )
    mounted = frozenset(paths)
    shown = [(path, _shown(path, name)) for path in paths]
    datasets = [_Dataset(*one, mounted, heed) for one in shown if os.path.isdir(one[1])]
    if room:
        _see_room(paths[0], sum(one.bytes() for one in datasets))
    for one in datasets:
        one.put_back()
    os.sync()


def _see_room(path: str, wanted: int) -> None:
    told = os.statvfs(path)
    free = told.f_bavail * told.f_frsize
    if wanted > free:
        raise Failed(
            f"{path} has too little room: {wanted:,} bytes are put back, {free:,} are free",
            hint="old snapshots hold room: zfs list -t snapshot -o name,used",
        )


def _shown(path: str, name: str) -> str:
    return os.path.join(path, SNAPSHOTS, name)


class _Dataset:
    """The files of one dataset.

    Args:
        live: where it is mounted.
        shown: where its snapshot is.
        mounted: what is a dataset of its own, and no part of this one.
        heed: called now and then.
    """

    def __init__(
        self, live: str, shown: str, mounted: frozenset[str], heed: Callable[[], None]
    ) -> None:
        self._live, self._shown, self._mounted, self._heed = live, shown, mounted, heed
        self._stale: list[str] = []

    def put_back(self) -> None:
        """All of it, but for what is mounted in it."""
        folders = [""]
        for folder in folders:
            folders += self._compare(folder)
        self._copy()
        for folder in reversed(folders):
            _alike(os.path.join(self._shown, folder), os.path.join(self._live, folder))

    def bytes(self) -> int:
        """What the files take that are to be copied."""
        size, folders = 0, [""]
        for folder in folders:
            self._heed()
            place = os.path.join(self._live, folder)
            here = _entries(place) if os.path.isdir(place) and not os.path.islink(place) else {}
            for name, found in _entries(os.path.join(self._shown, folder)).items():
                path = os.path.join(folder, name)
                if self._skipped(path):
                    continue
                if stat.S_ISDIR(found.st_mode):
                    folders.append(path)
                elif name not in here or not _same(here[name], found):
                    size += found.st_blocks * _BLOCK
        return size

    def _compare(self, folder: str) -> Iterator[str]:
        """Remove what is too much, note what is to be copied; yields the folders below."""
        self._heed()
        here, then = (_entries(os.path.join(one, folder)) for one in (self._live, self._shown))
        for name, found in here.items():
            path = os.path.join(folder, name)
            if not self._holds(path) and (
                name not in then or stat.S_IFMT(found.st_mode) != stat.S_IFMT(then[name].st_mode)
            ):
                _remove(os.path.join(self._live, path), found)
        for name, found in then.items():
            path = os.path.join(folder, name)
            if self._skipped(path):
                continue
            if stat.S_ISDIR(found.st_mode):
                os.makedirs(os.path.join(self._live, path), mode=0o700, exist_ok=True)
                yield path
            elif name not in here or not _same(here[name], found):
                self._stale.append(path)

    def _holds(self, path: str) -> bool:
        """Whether something is, or has below it, what is no part of this one."""
        place = os.path.join(self._live, path)
        return self._skipped(path) or any(one.startswith(f"{place}/") for one in self._mounted)

    def _skipped(self, path: str) -> bool:
        return path == _OWN or os.path.join(self._live, path) in self._mounted

    def _copy(self) -> None:
        for start in range(0, len(self._stale), _BATCH):
            self._heed()
            batch = self._stale[start : start + _BATCH]
            argv = (*_COPY, "--target-directory", self._live, "--", *batch)
            done = subprocess.run(
                argv, cwd=self._shown, capture_output=True, timeout=_COPY_S, check=False,
                text=True, errors="replace", stdin=subprocess.DEVNULL,
            )  # fmt: skip
            if done.returncode:
                raise Failed(
                    f"not all of {self._live} could be put back",
                    details=done.stderr.strip().splitlines()[:_LINES],
                )


def _entries(folder: str) -> dict[str, os.stat_result]:
    with os.scandir(folder) as entries:
        return {one.name: one.stat(follow_symlinks=False) for one in entries}


def _same(here: os.stat_result, then: os.stat_result) -> bool:
    """Whether a file was not touched since: ZFS changes its time of change with anything in it."""
    return (here.st_ino, here.st_ctime_ns, here.st_size) == (
        then.st_ino, then.st_ctime_ns, then.st_size,
    )  # fmt: skip


def _remove(path: str, found: os.stat_result) -> None:
    if stat.S_ISDIR(found.st_mode):
        shutil.rmtree(path)
    else:
        os.unlink(path)


def _alike(then: str, here: str) -> None:
    """Owner, mode, times and lists of access of a folder."""
    found = os.stat(then)
    os.chown(here, found.st_uid, found.st_gid)
    shutil.copystat(then, here)
