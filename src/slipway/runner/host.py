"""The host's own files and clock."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Sequence

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
