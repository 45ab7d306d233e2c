"""Start the boot program and follow what it tells, up to a host that answers."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from slipway.doors import Clock, Shell
from slipway.errors import HostError
from slipway.hosts.rehearsal.values import Places
from slipway.report import Report

PROGRAMS_DIR = Path(__file__).parent
BOOT = str(PROGRAMS_DIR / "boot.py")
BOOT_S = 150.0
BOOT_END_S = 10.0
SWEEP_S = 30.0
SWEEP_TRIES = 40
SWEEP_WAIT_S = 0.25
LOG_LINES = 10
STAGES = {
    "born": "namespaces are made",
    "network": "the network is up",
    "services": "sshd and dockerd are starting",
}


def start(
    document: dict[str, object],
    *,
    marker: str,
    console: Path,
    plug: Callable[[int], None],
    clock: Clock,
    report: Report,
) -> str:
    """Boot a host and wait until sshd and Docker answer.

    Args:
        document: what :func:`slipway.hosts.rehearsal.spec.make` made.
        marker: the argument by which its processes are found.
        console: file for what init, sshd and dockerd write.
        plug: lays the network into the namespace of the process id it gets.
        clock: time.
        report: where progress is told.

    Returns:
        The version of its Docker engine.

    Raises:
        HostError: it did not come up; the caller removes what was started.
    """
    reading, writing = os.pipe()
    try:
        with console.open("wb") as log:
            boot = subprocess.Popen(
                [sys.executable, "-I", BOOT, "boot", marker],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=[writing],
                start_new_session=True,
                cwd="/",
                env={"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8"},
            )
    finally:
        os.close(writing)
    try:
        return _follow(boot, reading, {**document, "report_fd": writing}, plug, clock, report)
    except _NotUp as error:
        raise HostError(
            f"the rehearsal host did not come up: {error}; it was stopped, its data is kept",
            details=_last_lines(console),
            hint="./inv rehearsal.down removes it with its data; ./inv rehearsal.up tries again",
            stage="rehearsal",
        ) from error
    finally:
        os.close(reading)
        if boot.stdin is not None:
            boot.stdin.close()
        _end(boot)


def sweep(shell: Shell, document: dict[str, object], places: Places, clock: Clock) -> None:
    """Remove the host's cgroups; waits for the kernel to be done with its last processes.

    Raises:
        HostError: they would not go.
    """
    argv = [sys.executable, "-I", BOOT, "sweep", places.marker]
    data = json.dumps(document).encode() + b"\n"
    for _ in range(SWEEP_TRIES):
        done = shell.run(argv, timeout=SWEEP_S, input=data, check=False)
        if done.ok:
            return
        clock.sleep(SWEEP_WAIT_S)
    raise HostError(
        f"the control groups {places.group} of rehearsal host {places.name} could not be removed",
        details=done.error_text.splitlines()[-LOG_LINES:],
        hint="try again; a process may still be ending",
        stage="rehearsal",
    )


def _end(boot: subprocess.Popen[bytes]) -> None:
    """The boot program ends once the host's first process is born; make sure of it."""
    try:
        boot.wait(timeout=BOOT_END_S)
    except subprocess.TimeoutExpired:
        boot.kill()
        boot.wait()


class _NotUp(Exception):
    """Why the host isn't up, a clause."""


def _follow(
    boot: subprocess.Popen[bytes],
    reading: int,
    document: dict[str, object],
    plug: Callable[[int], None],
    clock: Clock,
    report: Report,
) -> str:
    assert boot.stdin is not None  # noqa: S101 - PIPE was asked for
    try:
        boot.stdin.write(json.dumps(document).encode() + b"\n")
        boot.stdin.flush()
        for line in _lines(reading, clock):
            if "error" in line:
                raise _NotUp(str(line["error"]))
            if line.get("stage") == "ready":
                return str(line["docker"])
            report.say(f"  {STAGES.get(str(line.get('stage')), str(line))}")
            if line.get("stage") == "born":
                plug(int(str(line["pid"])))
                boot.stdin.write(b"go\n")
                boot.stdin.flush()
    except BrokenPipeError as error:
        raise _NotUp("the boot program ended early") from error
    raise _NotUp("its first process ended early")


def _lines(reading: int, clock: Clock) -> Iterator[dict[str, object]]:
    """Lines of JSON from the pipe, until its writers are gone or the time is over."""
    deadline = clock.monotonic() + BOOT_S
    rest = b""
    while (left := deadline - clock.monotonic()) > 0:
        ready, _, _ = select.select([reading], [], [], left)
        if not ready:
            break
        data = os.read(reading, 65536)
        if not data:
            return
        *whole, rest = (rest + data).split(b"\n")
        for line in whole:
            yield json.loads(line)
    raise _NotUp(f"it was not ready within {BOOT_S:.0f} s")


def _last_lines(console: Path) -> list[str]:
    try:
        return console.read_text("utf-8", "replace").splitlines()[-LOG_LINES:]
    except OSError:
        return []
