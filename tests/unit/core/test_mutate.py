"""A run of mutations goes on where the one before stopped."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests import mutate

#: Stands for mutmut: a worker that would tell of being interrupted, and a Ctrl-C from outside.
MUTMUT = """
import os, pathlib, signal, subprocess, sys, time
worker = (
    "import pathlib, signal, sys, time\\n"
    "signal.signal(signal.SIGINT, lambda *_: pathlib.Path('interrupted').touch())\\n"
    "print('ready', flush=True)\\n"
    "time.sleep(600)\\n"
)
process = subprocess.Popen([sys.executable, "-c", worker], stdout=subprocess.PIPE)
process.stdout.readline()
try:
    os.kill(os.getppid(), signal.SIGINT)
    time.sleep(600)
except KeyboardInterrupt:
    pathlib.Path("stopped").touch()
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A copy with a test, and what mutmut remembers of a module."""
    for name, text in (
        ("tests/unit/test_a.py", "x"),
        ("mutants/src/a.py.meta", json.dumps({"exit_code_by_key": CODES, "other": 1})),
    ):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text)
    return tmp_path


#: Noticed, not noticed, without a test, out of time, not tried.
CODES = {"a": 1, "b": 0, "c": 33, "d": 36, "e": None}


def remembered(place: Path) -> object:
    """What mutmut would take as known."""
    found = json.loads((place / "mutants/src/a.py.meta").read_text())
    assert found["other"] == 1
    return found["exit_code_by_key"]


def test_what_was_not_noticed_is_tried_again_after_a_change_of_tests(place: Path) -> None:
    """What was noticed stays so; without a change everything stays."""
    open_again = {**CODES, "b": None, "c": None}
    mutate.forget(place)
    assert remembered(place) == open_again
    for text, expected in (("x", CODES), ("y", open_again), ("y", CODES)):
        path = place / "mutants/src/a.py.meta"
        path.write_text(json.dumps({"exit_code_by_key": CODES, "other": 1}))
        (place / "tests/unit/test_a.py").write_text(text)
        mutate.forget(place)
        assert remembered(place) == expected


def test_a_memory_that_was_being_written_is_dropped(place: Path) -> None:
    """What is no JSON would end every later run."""
    broken = place / "mutants/src/b.py.meta"
    broken.write_text('{"exit_code_by_key": {"a"')
    mutate.forget(place)
    assert not broken.exists()
    assert remembered(place)


def test_a_run_that_is_stopped_interrupts_no_test(tmp_path: Path) -> None:
    """Only mutmut is told to end; what it started is gone as well in the end: else its worker
    would hold standard error open for longer than is waited for."""
    (tmp_path / "mutmut.py").write_text(MUTMUT)
    code = f"from tests import mutate, composing; print(mutate.run({str(tmp_path)!r}, 600))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=mutate.ROOT,
        env={"PYTHONPATH": f"{mutate.ROOT / 'src'}:{mutate.ROOT}", "PYTHONSAFEPATH": ""},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    assert done.stdout == "None\n"
    assert (tmp_path / "stopped").exists()
    assert not (tmp_path / "interrupted").exists()


def test_numbers_are_told() -> None:
    """How many changes there are, and how many ended how, the most frequent end first."""
    ends = {"a": "killed", "b": "survived", "c": "killed"}
    assert mutate.summary(ends) == "3 changes: 2 killed, 1 survived"


def test_the_test_that_is_left_out_is_there() -> None:
    """Under another name it would end every run that changes what goes to the host."""
    text = mutate.settings(["runner"])
    path, _, name = text.partition("--deselect\n    ")[2].partition("\n")[0].partition("::")
    assert f"def {name}(" in (mutate.ROOT / path).read_text()
