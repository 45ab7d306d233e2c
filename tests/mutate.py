"""Change the code in small ways and see whether the unit tests notice: ``./inv dev.mutate``.

mutmut (https://mutmut.readthedocs.io) makes the changes, in a copy below ``.slipway/mutants``, and
runs the tests that come by each changed function. What no test noticed is shown, the first hundred
as differences.
A run takes up where the one before stopped. Changes of a function that is another one since are
tried again; after a change of the tests, so are those that no test had noticed. What was noticed
once counts as noticed: without ``.slipway/mutants`` everything begins anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.composing import compose_model

from slipway.report import Report

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("plan", "ledger", "stack", "act", "runner")
# What is done between deploys rests on plans of its own, which its tests hold.
_TESTS = tuple(f"tests/unit/{room}" for room in (*ROOMS, "operate"))
# What is imported is another thing in a copy whose code is changed: each module imports mutmut.
_IMPORTS = "tests/unit/act/test_pack.py::test_it_needs_the_standard_library_only"
# The program that reads Compose files, and what tells that it is made of today's sources.
_PROGRAMS = ("nix", ".slipway/programs")
_COPIED = (
    *("src/slipway", "tests/unit", "tests/composing.py", "tests/conftest.py", "pyproject.toml"),
    *_PROGRAMS,
)
_RESULT = re.compile(r"^\s+(\S+): (.+)$", re.MULTILINE)
# What mutmut calls it when no test failed, or none came by, and its codes for both.
_UNNOTICED = ("survived", "no tests")
_UNNOTICED_CODES = (0, 33)
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
            f"pytest_add_cli_args=\n    --deselect\n    {_IMPORTS}",
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


def forget(place: Path) -> None:
    """Let mutmut try again what no test noticed, if the tests in ``place`` are others since.

    It keeps what it found in a file ``*.meta`` of JSON for each module. One that it was writing
    when it was ended may be broken, and goes.
    """
    digest, mark = hashlib.sha256(), place / "tests.sha256"
    for path in sorted((place / "tests").rglob("*.py")):
        digest.update(path.relative_to(place).as_posix().encode() + b"\0" + path.read_bytes())
    same = mark.is_file() and mark.read_text() == digest.hexdigest()
    for path in (place / "mutants").rglob("*.meta"):
        try:
            found = json.loads(path.read_text())
        except ValueError:
            path.unlink()
            continue
        codes = found["exit_code_by_key"]
        found["exit_code_by_key"] = {
            name: None if code in _UNNOTICED_CODES and not same else code
            for name, code in codes.items()
        }
        path.write_text(json.dumps(found))
    mark.write_text(digest.hexdigest())


def run(place: Path, seconds: float) -> int | None:
    """Try mutants with this terminal, for that long at most or until somebody presses Ctrl-C.

    Returns:
        mutmut's exit code; None when it did not come to its end.
    """
    argv = [sys.executable, "-m", "mutmut", "run", "--max-children", "2"]
    # Shells let what they run in the background ignore it, and what that runs does, too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(argv, cwd=place, stdout=sys.stderr, start_new_session=True)
    try:
        return process.wait(seconds)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        return None
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it with all that it started; what it found so far is in its files.

    It alone is interrupted, and ends its workers itself: it would take a test that was interrupted
    for one that has told.
    """
    process.send_signal(signal.SIGINT)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_END_S)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def results(place: Path) -> dict[str, str]:
    """What became of each change, of all runs so far, both in mutmut's words."""
    return dict(_RESULT.findall(_said(place, "results", "--all", "true")))


def summary(found: Mapping[str, str]) -> str:
    """How many changes there are, and how many ended how."""
    ends = Counter(found.values()).most_common()
    return f"{len(found)} changes: " + ", ".join(f"{count} {end}" for end, count in ends)


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
    compose_model()  # builds the program, which the copy takes along
    copied(ROOT, place, rooms)
    forget(place)
    ended = run(place, 60 * minutes)
    if ended:
        report.say("mutmut ended early, for the reason above; what it found before is kept")
        return 1
    found = results(place)
    unnoticed = [name for name, end in found.items() if end in _UNNOTICED]
    for number, name in enumerate(unnoticed):
        report.text(f"{name}\n{difference(place, name)}\n" if number < _SHOWN else name)
    report.say(summary(found))
    report.say(
        f"{len(unnoticed)} changes were not noticed" + (" (so far)" if ended is None else "")
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), sys.argv[2:] or ROOMS))
