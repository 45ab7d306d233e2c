"""Programs that this process starts, and that end when it does."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import tempfile
from collections.abc import Sequence

_KIND_S = 10.0
_PDEATHSIG = 1
# Loaded before anything is forked: a child of a process with threads must not load it.
_LIBC = ctypes.CDLL(None)


class ChildEvents:
    """A program that prints what happens to containers.

    Args:
        argv: the program and its arguments.
    """

    def __init__(self, argv: Sequence[str]) -> None:
        self._file = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=self._file,
            stderr=subprocess.DEVNULL,
            preexec_fn=die_with_parent,
        )

    def end(self) -> str:
        """Note no more; what was printed."""
        ended(self._process)
        with self._file:
            self._file.seek(0)
            return text_of(self._file.read())


class ChildStopping:
    """Programs that stop containers.

    Args:
        processes: one a container, so that a slow one holds no other up.
    """

    def __init__(self, processes: Sequence[subprocess.Popen[bytes]]) -> None:
        self._processes = processes

    def over(self) -> bool:
        """Whether all have come to their end."""
        return all(process.poll() is not None for process in self._processes)


def ended(process: subprocess.Popen[bytes]) -> bytes:
    """End a program kindly, then surely; what it wrote to standard error."""
    for how in (process.terminate, process.kill):
        how()
        try:
            return process.communicate(timeout=_KIND_S)[1] or b""
        except subprocess.TimeoutExpired:
            continue
    return b""


def die_with_parent() -> None:
    """Let the kernel end a child with us: what nobody watches must not go on changing things."""
    _LIBC.prctl(_PDEATHSIG, signal.SIGKILL)


def text_of(data: bytes | None) -> str:
    """What a program wrote."""
    return (data or b"").decode("utf-8", "replace")
