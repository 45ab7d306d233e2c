"""Programs on this machine: bytes, codes, time limits and lines as they come."""

from __future__ import annotations

import sys
import time

import pytest

from slipway.errors import CommandFailed
from slipway.shell import LocalShell

PYTHON = sys.executable
SAYS = "import sys; [print(i, file=sys.stderr) for i in range(3)]; print('out')"


def test_bytes_go_in_and_out() -> None:
    """What is given on standard input comes back untouched, five megabytes of it."""
    data = bytes(range(256)) * 20_000

    done = LocalShell().run(["cat"], input=data, timeout=30)

    assert done.stdout == data


def test_a_failure_is_an_error_with_its_words() -> None:
    """A code other than 0 raises, with the end of standard error."""
    with pytest.raises(CommandFailed) as caught:
        LocalShell().run([PYTHON, "-c", "raise SystemExit('no luck')"], timeout=30)

    assert caught.value.command_exit_code == 1
    assert caught.value.details == ("no luck",)


def test_a_failure_can_be_looked_at() -> None:
    """Without the check the code is a value."""
    done = LocalShell().run([PYTHON, "-c", "raise SystemExit(7)"], timeout=30, check=False)

    assert (done.exit_code, done.ok) == (7, False)


def test_an_absent_program() -> None:
    """A program that isn't there is an error with its name."""
    with pytest.raises(CommandFailed, match="no-such-program"):
        LocalShell().run(["no-such-program"], timeout=30)


@pytest.mark.parametrize("watched", [False, True])
def test_a_time_limit_ends_the_program(watched: bool) -> None:
    """A program that outstays its time is stopped, and what it had said is kept."""
    program = "import sys, time; print('begun', file=sys.stderr, flush=True); time.sleep(300)"
    started = time.monotonic()

    with pytest.raises(CommandFailed, match="ran out of time") as caught:
        LocalShell().run(
            [PYTHON, "-c", program], timeout=2, watch=(lambda _: None) if watched else None
        )

    assert time.monotonic() - started < 60
    assert caught.value.details == ("begun",)


def test_lines_are_seen_as_they_come() -> None:
    """A watcher gets each line of standard error, and the result holds them too."""
    lines: list[str] = []

    done = LocalShell().run([PYTHON, "-c", SAYS], timeout=30, watch=lines.append)

    assert lines == ["0", "1", "2"]
    assert (done.error_text, done.text) == ("0\n1\n2\n", "out\n")


def test_variables_are_added() -> None:
    """Given variables stand beside the inherited ones."""
    program = "import os; print(os.environ['CANARY'], 'PATH' in os.environ)"

    done = LocalShell().run([PYTHON, "-c", program], timeout=30, env={"CANARY": "x"})

    assert done.text == "x True\n"
