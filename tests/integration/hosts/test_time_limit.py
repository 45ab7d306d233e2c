"""A command on a host ends in time, also on one without ``timeout``, by the shells hosts have."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from slipway.config import load
from slipway.hosts import command
from slipway.shell import LocalShell
from slipway.supply.outputs import outputs

ROOT = Path(__file__).parents[3]
SHELLS = ("dash", "bash", "busybox")
#: What the scripts need besides; ``timeout`` comes and goes.
PROGRAMS = ("env", "sleep", "cat", "kill")


@pytest.fixture(scope="module")
def tree() -> Path:
    """The programs that rehearsal hosts have."""
    (found,) = outputs(LocalShell(), ROOT, load(ROOT), ("rehearsal-host",)).values()
    return found


@pytest.fixture(params=SHELLS)
def path(tree: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A folder of programs, with one of the shells and without ``timeout``."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in PROGRAMS:
        (folder / name).symlink_to(str(shutil.which(name)))
    busybox = tree / "usr/bin/busybox"
    shell = str(busybox if request.param == "busybox" else shutil.which(request.param))
    # As Debian builds it, busybox' shell has all its programs in it, `timeout` too.
    (folder / "sh").symlink_to(shell)
    return folder


def run(path: Path, argv: list[str], timeout: float, data: bytes = b"") -> tuple[int, bytes, bytes]:
    """Run a command as on a host with these programs: its code, what it wrote."""
    wrapped = command.wrapped(argv, sudo=False, timeout=timeout)
    framed = [str(path / "sh"), "-c", '"$@"; exit $?', "framed", *wrapped]
    done = subprocess.run(
        framed, input=data, capture_output=True, env={"PATH": str(path)}, timeout=60, check=False
    )
    return done.returncode, done.stdout, done.stderr


def test_a_command_that_ends_is_as_ever(path: Path) -> None:
    """Its input, its output and its code, and no word besides."""
    data = os.urandom(300_000)
    assert run(path, ["sh", "-c", "cat; exit 7"], 9000, data) == (7, data, b"")


def test_a_command_that_goes_on_is_ended(path: Path) -> None:
    """With a code that says so; nothing holds the output open, and a pause is all that is left."""
    began = time.monotonic()
    code, out, err = run(path, ["sh", "-c", "echo begun; exec sleep 1000"], 2)
    assert code == 143
    assert command.ran_out(code, time.monotonic() - began, 2)
    assert out == b"begun\n"
    assert b"begun" not in err


def test_a_command_that_heeds_nothing_is_killed(path: Path) -> None:
    """A little later."""
    heedless = "trap '' TERM; while :; do sleep 1; done"
    assert run(path, ["sh", "-c", heedless], 1)[0] == 137


@pytest.mark.parametrize("path", SHELLS[:2], indirect=True)
def test_the_hosts_own_program_is_used(path: Path) -> None:
    """Where there is one: it ends what the command started, too."""
    own = path / "timeout"
    own.write_text('#!/bin/sh\necho "$@"\n')
    own.chmod(0o755)
    assert run(path, ["id"], 3)[:2] == (0, b"-k 5 3 id\n")
