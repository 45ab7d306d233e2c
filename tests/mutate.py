"""Change the code in small ways and see whether the unit tests notice: ``./inv dev.mutate``.

mutmut (https://mutmut.readthedocs.io) makes the changes, in a copy below ``.slipway/mutants``, and
runs the tests that come by each changed function. What no test noticed is shown, the first hundred
as differences.
A run takes up where the one before stopped, unless the code or the tests of it changed since.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from slipway.report import Report

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("plan", "ledger", "stack", "act")
_TESTS = ("tests/unit/plan", "tests/unit/ledger", "tests/unit/stack", "tests/unit/act")
# The program that reads Compose files, and what tells that it is made of today's sources.
_PROGRAMS = ("nix", ".slipway/programs")
_COPIED = (
    *("src/slipway", "tests/unit", "tests/composing.py", "tests/conftest.py", "pyproject.toml"),
    *_PROGRAMS,
)
_RESULT = re.compile(r"^\s+(\S+): survived$", re.MULTILINE)
_END_S = 20.0
_SHOWN = 100


def settings(rooms: Sequence[str]) -> str:
    """mutmut's settings for a copy of the checkout."""
    return "\n".join(
        [
            "[mutmut]",
            "source_paths=\n    src",
            "only_mutate=" + "".join(f"\n    src/slipway/{room}/*" for room in rooms),
            "pytest_add_cli_args_test_selection=" + "".join(f"\n    {one}" for one in _TESTS),
            "also_copy=" + "".join(f"\n    {one}" for one in _PROGRAMS),
            "",
        ]
    )


def copied(root: Path, place: Path, rooms: Sequence[str]) -> None:
    """Put what is tested into ``place``; what mutmut remembers there stays."""
    for name in _COPIED:
        source, target = root / name, place / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)
    (place / "setup.cfg").write_text(settings(rooms))


def run(place: Path, seconds: float) -> bool:
    """Try mutants with this terminal, for that long at most; whether all were tried."""
    argv = [sys.executable, "-m", "mutmut", "run", "--max-children", "2"]
    process = subprocess.Popen(argv, cwd=place, stdout=sys.stderr, start_new_session=True)
    try:
        return process.wait(seconds) == 0
    except subprocess.TimeoutExpired:
        return False
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it with all that it started; what it found so far is in its files."""
    for sign in (signal.SIGINT, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_END_S)


def survivors(place: Path) -> tuple[str, ...]:
    """The changes that no test noticed, of all runs so far, by mutmut's names."""
    return tuple(_RESULT.findall(_said(place, "results")))


def difference(place: Path, name: str) -> str:
    """The changed lines of one; takes half a second."""
    lines = _said(place, "show", name).splitlines()
    return "\n".join(line for line in lines if re.match(r"[-+](?![-+])", line))


def _said(place: Path, *words: str) -> str:
    argv = [sys.executable, "-m", "mutmut", *words]
    done = subprocess.run(argv, cwd=place, capture_output=True, text=True, check=True)
    return done.stdout


def main(minutes: float, rooms: Sequence[str]) -> int:
    """Try the mutants of some rooms and print those that survived."""
    report, place = Report(), ROOT / ".slipway/mutants"
    report.step("mutate", f"{', '.join(rooms)}: {minutes:g} minutes at most")
    copied(ROOT, place, rooms)
    whole = run(place, 60 * minutes)
    found = survivors(place)
    for number, name in enumerate(found):
        report.text(f"{name}\n{difference(place, name)}\n" if number < _SHOWN else name)
    report.say(f"{len(found)} changes were not noticed" + ("" if whole else " (so far)"))
    return 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), sys.argv[2:] or ROOMS))
