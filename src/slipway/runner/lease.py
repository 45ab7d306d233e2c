"""The lease: one at a time may change what runs.

It is a lock that the kernel holds (flock) on a file of the application's folder, for as long as
the process that took it lives: killed, or with the host rebooted, it is free at once, and no clock
has a part in it. The file says in JSON who holds it; its number grows with every holder, so that
what an earlier one wrote can be told from what the present one did.

A holder that lives gives a sign every second: it sets the file's time to the seconds since the
host's boot, which no jump of a clock changes and which takes no room on a full disk. One that is
frozen gives none; whoever comes after a minute of that ends it (:meth:`Lease.outlive`), and what is
ended can't wake up and go on.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import threading
import time
from collections.abc import Mapping
from typing import Any

from slipway.runner import life

NAME = "lease"
_TRIES = 6
_AGAIN_S = 0.2
_SIGN_S = 1.0
SILENT_S = 60.0
"""After so many seconds without a sign a holder counts as frozen."""
_LOOK_S = 3.0


class Lease:
    """A lease that this process holds, or not.

    Args:
        folder: the application's folder.
    """

    def __init__(self, folder: str) -> None:
        self._path = os.path.join(folder, NAME)
        self._file = -1
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

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
        number = _number(_said(file)) + 1
        began = {"pid": os.getpid(), "started": life.started(os.getpid()), "sign": life.uptime()}
        self._write({**holder, "number": number, **began})
        self._over.clear()
        self._thread = threading.Thread(target=self._signs, args=(file,), daemon=True)
        self._thread.start()
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

    def silent(self) -> float:
        """Seconds since its holder's last sign; 0 when nobody holds it or its holder gives none."""
        return self._looked()[0] if self.held() else 0.0

    def outlive(self) -> bool:
        """End a holder that has given no sign for a minute; whether it was.

        It is looked at twice. One that does anything meanwhile lives, though its signs don't
        arrive, and so does one that isn't the process that took the lease.
        """
        if self.silent() < SILENT_S:
            return False
        _, said, sign = self._looked()
        pid, started = said.get("pid"), said.get("started")
        if type(pid) is not int or type(started) is not int:
            return False
        before = life.doings(pid)
        time.sleep(_LOOK_S)
        silent, again, later = self._looked()
        same = (again.get("pid"), again.get("started"), later) == (pid, started, sign)
        if silent < SILENT_S or not same or life.doings(pid) != before:
            return False
        if not life.end(pid, started):
            return False
        end = time.monotonic() + _LOOK_S
        while self.held() and time.monotonic() < end:
            time.sleep(_AGAIN_S)
        return not self.held()

    def _looked(self) -> tuple[float, Mapping[str, Any], int]:
        """How long there was no sign, what the file says, and its time in ns."""
        with contextlib.suppress(OSError):
            file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                said, sign = _said(file), os.fstat(file).st_mtime_ns
            finally:
                os.close(file)
            first, now = said.get("sign"), life.uptime()
            if isinstance(first, (int, float)):
                # Until the first sign the time is that of the writing, by the host's clock.
                last = sign / 1e9 if first <= sign / 1e9 <= now + _SIGN_S else first
                return max(0.0, now - last), said, sign
        return 0.0, {}, 0

    def _signs(self, file: int) -> None:
        """Give signs until it is given up."""
        while not self._over.is_set():
            sign = int(life.uptime() * 1e9)
            with contextlib.suppress(OSError):
                os.utime(file, ns=(sign, sign))
            self._over.wait(_SIGN_S)

    def give_up(self) -> None:
        """Let others in; what stays in the file is the number."""
        if self._file >= 0:
            self._over.set()
            if self._thread:
                self._thread.join()  # its file's number may be another's once it is closed
            with contextlib.suppress(OSError):  # what it says counts only while it is held
                self._write({"number": _number(_said(self._file))})
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


def _number(said: Mapping[str, Any]) -> int:
    """The number of the latest holder; one that is none counts as if there had been nobody."""
    number = said.get("number")
    return number if type(number) is int and number > 0 else 0


def _said(file: int) -> dict[str, Any]:
    """What a lease's file says; one that says nothing we know is somebody's all the same."""
    with contextlib.suppress(ValueError, OSError, RecursionError):
        value = json.loads(os.pread(file, 65536, 0))
        if isinstance(value, dict):
            return value
    return {}
