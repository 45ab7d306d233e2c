"""The command line: bad input gives a sentence and an exit code, never a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def inv(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line as ``./inv`` does."""
    return subprocess.run(
        [sys.executable, "-m", "invoke", "--search-root", str(ROOT), *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )


def test_every_task_has_one_clear_line() -> None:
    """``--list`` shows all tasks, each with a line that fits a terminal."""
    listed = inv("--list").stdout.splitlines()
    rows = [line.split(maxsplit=1) for line in listed if line.startswith("  ")]
    names = {row[0] for row in rows}
    assert names >= {
        "lock", "fetch", "build", "deploy", "plan", "status", "releases", "logs", "exec", "run",
        "down", "lint", "test", "rehearsal.up", "rehearsal.status", "rehearsal.shell",
        "rehearsal.down",
    }  # fmt: skip
    assert all(len(row) == 2 and row[1].endswith(".") for row in rows)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("deploy", "--host", "nowhere"), "there is no host 'nowhere'"),
        (("status", "--host", "nowhere"), "there is no host 'nowhere'"),
        (("build", "--role", "nothing"), "there is no role nothing"),
        (("lock", "--only", "nothing"), "there is no lock nothing"),
        (("rehearsal.up", "--name", "Bad Name"), "Bad Name"),
    ],
)
def test_wrong_names_are_exit_code_2(arguments: tuple[str, ...], said: str) -> None:
    """A wrong name is said in one sentence with a hint; exit code 2."""
    done = inv(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_errors_are_json_on_request() -> None:
    """With ``--json`` an error is an object with the promised fields on standard output."""
    done = inv("deploy", "--host", "nowhere", "--json")
    error = json.loads(done.stdout)
    assert list(error) == ["error", "stage", "hint", "exit_code"]
    assert error["exit_code"] == done.returncode == 2


@pytest.mark.parametrize("arguments", [("deploy", "--bogus"), ("nothing",), ("deploy", "stray")])
def test_wrong_flags_are_a_sentence(arguments: tuple[str, ...]) -> None:
    """An unknown flag, task or argument is named; nothing runs."""
    done = inv(*arguments)
    assert done.returncode != 0
    assert arguments[-1] in done.stderr
    assert "Traceback" not in done.stderr


def test_an_answer_that_can_not_be_written_is_said() -> None:
    """A full disk behind standard output gives a sentence and code 1."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "invoke", "--search-root", str(ROOT), "rehearsal.status"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
            check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        )
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "error: it was done, but standard output can't be written: No space left on device"
    ]


@pytest.mark.parametrize("words", ["--list", "rehearsal.status", "rehearsal.status --json"])
def test_a_reader_who_has_read_enough_is_no_failure(words: str) -> None:
    """What was asked for was done; `| head -1` in a script is not taken for a failed deploy."""
    gone = f"exec {ROOT}/inv {words} > >(exit)"
    done = subprocess.run(
        ["/bin/bash", "-c", f"sleep 0.2 | cat; {gone}"],
        stderr=subprocess.PIPE, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(("closed", "code"), [("2>&-", 2), ("<&-", 2), (">&- 2>&-", 2)])
def test_closed_streams_are_no_failure(closed: str, code: int) -> None:
    """A program of cron's may have none of them: the exit code tells what it would tell."""
    argv = ["/bin/sh", "-c", f"exec {ROOT}/inv status --host nowhere {closed}"]
    assert subprocess.run(argv, timeout=120, check=False).returncode == code
