"""Runs one ffmpeg: bounded in time and memory, told about as it goes, ended when unwanted.

ffmpeg writes its own progress (``-progress pipe:1``) to standard output; a pipe that nobody reads
any more ends it by SIGPIPE, so even a killed worker leaves no ffmpeg behind for long.
"""

from __future__ import annotations

import os
import resource
import selectors
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from langflix.errors import InputError, MediaError

#: Called about once a second with the milliseconds written so far; what it raises ends ffmpeg.
Tick = Callable[[int], None]

#: ffmpeg tells how far it is this often; see :func:`progress_flags`.
REPORT_S = 0.5
TICK_S = 1.0
#: Kept of what ffmpeg says, in bytes, from the end: a broken film makes it say a lot.
MAX_SAID = 32 * 2**10
#: Address space: decoding 4K with two threads takes 1.3 GB of it, and 0.4 GB of memory.
MAX_MEMORY = 3 * 2**30
#: No output is larger.
MAX_OUTPUT = 4 * 2**30
#: Other work of the machine goes first.
NICENESS = 5


@dataclass(frozen=True, slots=True)
class Limits:
    """For how many seconds ffmpeg may run, and for how many without getting any further."""

    time_s: float = 300
    stall_s: float = 120


@dataclass(frozen=True, slots=True)
class Done:
    """How ffmpeg ended: exit code, the end of what it said, frames and milliseconds written."""

    returncode: int
    said: str
    frames: int
    written_ms: int


@dataclass(slots=True)
class Progress:
    """Reads ffmpeg's progress: lines of ``key=value``, in pieces as they come."""

    frames: int = 0
    written_ms: int = 0
    _rest: bytes = field(default=b"", repr=False)

    def feed(self, data: bytes) -> bool:
        """Take a piece; say whether it got any further."""
        before = (self.frames, self.written_ms)
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._rest = self._rest[-1000:]
        for line in lines:
            key, _, value = line.partition(b"=")
            number = value.strip()
            if not number.isdigit() or len(number) > 18:
                continue
            if key == b"frame":
                self.frames = int(number)
            elif key == b"out_time_us":
                self.written_ms = int(number) // 1000
        return (self.frames, self.written_ms) != before


def progress_flags() -> tuple[str, ...]:
    """Return the flags that make ffmpeg tell how far it is."""
    return ("-nostats", "-stats_period", str(REPORT_S), "-progress", "pipe:1")


def run(
    argv: Sequence[str], limits: Limits, tick: Tick | None = None, directory: Path | None = None
) -> Done:
    """Run ffmpeg to its end.

    Args:
        argv: the command.
        limits: when it is ended, which counts as the film's fault.
        tick: called as it goes; see :data:`Tick`.
        directory: where it runs.

    Raises:
        InputError: when it takes too long.
        MediaError: when it does not start.

    """
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=directory,
            env={"LC_ALL": "C.UTF-8", "HOME": "/nonexistent", "XDG_CACHE_HOME": "/nonexistent"},
        )
    except OSError as error:
        raise MediaError(f"ffmpeg does not start: {error.strerror}") from error
    with process:
        try:
            _bound(process.pid)
            return _watch(process, limits, tick or _nobody)
        finally:
            if process.poll() is None:
                process.kill()


def _nobody(_: int) -> None:
    """Take no interest."""


def _bound(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        resource.prlimit(pid, resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (MAX_OUTPUT, MAX_OUTPUT))
        resource.prlimit(pid, resource.RLIMIT_CORE, (0, 0))
        os.setpriority(os.PRIO_PROCESS, pid, NICENESS)


def _watch(process: subprocess.Popen[bytes], limits: Limits, tick: Tick) -> Done:
    assert process.stdout is not None and process.stderr is not None  # noqa: S101  both are pipes
    progress, said = Progress(), b""
    begun = moved = ticked = time.monotonic()
    with selectors.DefaultSelector() as ready:
        ready.register(process.stdout, selectors.EVENT_READ)
        ready.register(process.stderr, selectors.EVENT_READ)
        while ready.get_map():
            for key, _ in ready.select(TICK_S):
                data = os.read(key.fd, 2**16)
                if not data:
                    ready.unregister(key.fileobj)
                elif key.fileobj is process.stderr:
                    said = (said + data)[-MAX_SAID:]
                elif progress.feed(data):
                    moved = time.monotonic()
            now = time.monotonic()
            if now - begun > limits.time_s:
                raise InputError(f"ffmpeg did not finish with the video in {limits.time_s:.0f} s")
            if now - moved > limits.stall_s:
                raise InputError(f"ffmpeg got no further with the video for {limits.stall_s:.0f} s")
            if now - ticked >= TICK_S:
                ticked = now
                tick(progress.written_ms)
    # Both pipes are closed: it has ended or is about to.
    process.wait(timeout=limits.stall_s)
    text = said.decode("utf-8", errors="replace")
    return Done(process.returncode, text, progress.frames, progress.written_ms)
