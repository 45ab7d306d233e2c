"""A file that a live worker or beat touches every few seconds; standard library only.

The container's health check, ``/usr/bin/probe``, looks how long ago that was; ``check`` tells
people the same in words.  It lies in ``LANGFLIX_RUN_DIR``, by default ``/tmp/langflix``: the only
place that a read-only image can write.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

EVERY_S = 5.0
#: Six missed beats: long enough for a busy machine, short enough to be told in time.
STALE_AFTER_S = 30.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the process is alive, and the sentence that says so."""

    alive: bool
    sentence: str


def beat(role: str, directory: Path) -> None:
    """Say that this process is alive."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{role}.heartbeat"
    if not path.exists():
        part = path.with_suffix(".part")
        part.write_text(f"{os.getpid()}\n", encoding="ascii")
        part.rename(path)
    os.utime(path)


def end(role: str, directory: Path) -> None:
    """Say that this process has stopped."""
    (directory / f"{role}.heartbeat").unlink(missing_ok=True)


def check(role: str, directory: Path, now: float | None = None) -> Verdict:
    """Judge the role's last heartbeat; ``now`` is a time stamp in seconds, for tests."""
    try:
        last = (directory / f"{role}.heartbeat").stat().st_mtime
    except FileNotFoundError:
        return Verdict(False, f"{role} has not beaten yet: it is starting, or was stopped")
    age = (time.time() if now is None else now) - last
    if age > STALE_AFTER_S:
        return Verdict(False, f"{role} beat last {age:.0f} s ago: it hangs or lost its queue")
    return Verdict(True, f"{role} beat {max(age, 0):.0f} s ago")
