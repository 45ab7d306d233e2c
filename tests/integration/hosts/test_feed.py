"""What reads a line on a host ends when nothing comes any more, by the shells that hosts have."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from slipway.config import load
from slipway.hosts.feed import feeding
from slipway.shell import LocalShell
from slipway.supply.outputs import outputs

ROOT = Path(__file__).parents[3]

# What sums up has children of its own, as `docker load` may; it says how much it got.
SCRIPT = f"{feeding(idle_s=2, look_s=1)}fed | {{ wc -c; exit 7; }}\n"
SHELLS = (["dash"], ["bash"], ["bash", "--posix"], ["busybox", "sh"])


@pytest.fixture(scope="module")
def busybox() -> Path:
    """The one that rehearsal hosts have."""
    (tree,) = outputs(LocalShell(), ROOT, load(ROOT), ("rehearsal-host",)).values()
    return tree / "usr/bin/busybox"


@pytest.fixture(params=SHELLS, ids=" ".join)
def reading(busybox: Path, request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[bytes]]:
    """The script, in a group of its own; nothing of it is left at the end."""
    program, *more = request.param
    argv = [str(busybox) if program == "busybox" else program, *more, "-c", SCRIPT]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        argv, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
    ) as process:
        try:
            yield process
            for _ in range(100):  # a last look of a second is allowed to end
                if not _left(process.pid):
                    return
                time.sleep(0.1)
            raise AssertionError(f"left: {_left(process.pid)}")
        finally:
            if _left(process.pid):
                os.killpg(process.pid, signal.SIGKILL)


def _left(group: int) -> list[str]:
    """What runs in a group of processes; those that nobody has waited for run no more."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            name, _, rest = path.read_text().rpartition(")")
            state, _, pgrp, *_ = rest.split()
            if int(pgrp) == group and state not in "ZX":
                found.append(f"{name}) {state}")
    return found


def test_all_comes_through(reading: subprocess.Popen[bytes]) -> None:
    """Bytes, the reader's exit code, and no word besides."""
    out, err = reading.communicate(os.urandom(3_000_001), timeout=60)
    assert (int(out), err, reading.returncode) == (3_000_001, b"", 7)


def test_a_slow_line_is_none_that_is_gone(reading: subprocess.Popen[bytes]) -> None:
    """As long as a byte comes now and then."""
    assert reading.stdin
    for _ in range(8):
        reading.stdin.write(b"x")
        reading.stdin.flush()
        time.sleep(0.7)
    out, err = reading.communicate(timeout=60)
    assert (int(out), err, reading.returncode) == (8, b"", 7)


def test_a_silent_line_ends(reading: subprocess.Popen[bytes]) -> None:
    """Though nobody has closed it; the reader has what came until then."""
    assert reading.stdin and reading.stdout and reading.stderr
    reading.stdin.write(b"abc")
    reading.stdin.flush()
    assert reading.wait(timeout=60) == 7
    assert (int(reading.stdout.read()), reading.stderr.read()) == (3, b"")
