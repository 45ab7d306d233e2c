"""The lease: one at a time may change what runs.

It is a lock that the kernel holds (flock) on a file of the application's folder, for as long as
the process that took it lives: killed, or with the host rebooted, it is free at once, and no clock
has a part in it. The file says in JSON who holds it; its number grows with every holder, so that
what an earlier one wrote can be told from what the present one did.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Mapping
from typing import Any

NAME = "lease"
_TRIES = 6
_AGAIN_S = 0.2


class Lease:
    """A lease that this process holds, or not.

    Args:
        folder: the application's folder.
    """

    def __init__(self, folder: str) -> None:
        self._path = os.path.join(folder, NAME)
        self._file = -1

    def take(self, holder: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Get it.

        Args:
            holder: who takes it, for others to read.

        Returns:
            None; or who holds it, when somebody else does.
        """
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not _locked(file):
            said = _said(file)
            os.close(file)
            return said
        self._file = file
        number = int(_said(file).get("number", 0)) + 1
        self._write({**holder, "number": number, "pid": os.getpid()})
        return None

    def held(self) -> bool:
        """Whether anybody holds it; asking gets into nobody's way for longer than a moment."""
        try:
            file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(file)
        return False

    def give_up(self) -> None:
        """Let others in; what stays in the file is the number."""
        if self._file >= 0:
            with contextlib.suppress(OSError):  # what it says counts only while it is held
                self._write({"number": _said(self._file).get("number", 0)})
            os.close(self._file)
            self._file = -1

    def _write(self, value: Mapping[str, Any]) -> None:
        data = json.dumps(value).encode() + b"\n"
        os.pwrite(self._file, data, 0)
        os.ftruncate(self._file, len(data))


def _locked(file: int) -> bool:
    """Lock it; who has just ended lets go within a moment."""
    for left in reversed(range(_TRIES)):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except OSError:
            if left:
                time.sleep(_AGAIN_S)
    return False


def _said(file: int) -> dict[str, Any]:
    """What a lease's file says; one that says nothing we know is somebody's all the same."""
    with contextlib.suppress(ValueError, OSError):
        value = json.loads(os.pread(file, 65536, 0))
        if isinstance(value, dict):
            return value
    return {}
