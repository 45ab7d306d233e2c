"""The host's own files and clock."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Mapping, Sequence

from slipway.runner.handed import BEFORE, instead

_CURRENT = "current"


class HostFolder:
    """The application's folder.

    Args:
        path: where it lies, absolute.
    """

    def __init__(self, path: str) -> None:
        self._path = path

    @property
    def path(self) -> str:
        """Where it lies, absolute."""
        return self._path

    def current(self) -> str | None:
        """The id of the live release."""
        try:
            return os.path.basename(os.readlink(self._at(_CURRENT))) or None
        except OSError:
            return None

    def link(self, path: str, target: str) -> None:
        """Put a symbolic link in the place of the one before; an empty target takes it away."""
        place = self._at(path)
        if not target:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(place)
            return
        with contextlib.suppress(OSError):
            if os.readlink(place) == target:
                return
        fresh = f"{place}.new"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(fresh)
        os.symlink(target, fresh)
        os.replace(fresh, place)

    def write(self, path: str, text: str) -> None:
        """Put a file in the place of the one before, whole; an empty text takes it away."""
        place = self._at(path)
        if not text:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(place)
            return
        with open(f"{place}.new", "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(f"{place}.new", place)

    def exists(self, path: str) -> bool:
        """Whether there is such a file."""
        return os.path.isfile(self._at(path))

    def append(self, path: str, line: str) -> None:
        """A line at the end of a file."""
        with open(self._at(path), "ab") as file:
            file.write(line.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def mark(self, path: str) -> None:
        """Have an empty file there, in a folder that is made; on the disk when this returns."""
        place = self._at(path)
        os.makedirs(os.path.dirname(place), mode=0o700, exist_ok=True)
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT, 0o600)
        os.fsync(descriptor)
        os.close(descriptor)

    def hand(self, folder: str, files: Mapping[str, str]) -> None:
        """Let a folder hold copies of files and nothing else; each is there whole or not at all.

        Who is given the folder alone may look into it, and nobody gets there from above. What is
        valid besides is there before what is valid from now on, so that a service that starts in
        between lets in with what it let in with. A file that is lost is taken from the folder.

        Args:
            folder: the folder.
            files: its names to the files that are copied, with their owners and modes.

        Raises:
            OSError: a file is nowhere; the folder is as it was.
        """
        place = self._at(folder)
        os.makedirs(os.path.dirname(place), mode=0o700, exist_ok=True)
        os.makedirs(place, mode=0o755, exist_ok=True)
        os.chmod(place, 0o755)  # whatever the umask is
        copies = {name: self._content(folder, name, path) for name, path in files.items()}
        for name in sorted(copies, key=lambda one: (not one.endswith(BEFORE), one)):
            _written(place, name, *copies[name])
        for name in set(os.listdir(place)) - set(files):
            os.unlink(os.path.join(place, name))

    def _content(self, folder: str, name: str, path: str) -> tuple[bytes, os.stat_result]:
        """What a file holds, and whose it is."""
        places = [self._at(one) for one in (path, *instead(folder, name))]
        found = next((one for one in places if os.path.isfile(one)), places[0])
        with open(found, "rb") as file:
            return file.read(), os.fstat(file.fileno())

    def remove(self, paths: Sequence[str]) -> None:
        """Remove files and folders, and the folder each lay in when it is empty."""
        for path in paths:
            place = self._at(path)
            if os.path.isdir(place) and not os.path.islink(place):
                shutil.rmtree(place, ignore_errors=True)
            else:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(place)
            with contextlib.suppress(OSError):
                os.rmdir(os.path.dirname(place))

    def _at(self, path: str) -> str:
        return os.path.join(self._path, path)


def _written(folder: str, name: str, content: bytes, found: os.stat_result) -> None:
    fresh = os.path.join(folder, f".{name}.new")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(fresh)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as file:
        file.write(content)
        os.fchmod(descriptor, found.st_mode & 0o777)
        if (found.st_uid, found.st_gid) != (os.geteuid(), os.getegid()):
            os.fchown(descriptor, found.st_uid, found.st_gid)
        file.flush()
        os.fsync(descriptor)
    os.replace(fresh, os.path.join(folder, name))


class HostClock:
    """The host's clock."""

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that only grow."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)
