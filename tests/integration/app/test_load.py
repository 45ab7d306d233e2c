"""The load's process beside the changes: begun before them, ended after them, ended in any case."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from slipway.app import load
from slipway.app.load import Asked, Way, load_site
from slipway.app.underload import Run
from slipway.errors import SlipwayError
from slipway.report import Report

#: Stands in for the application: writes what it was told, and ends as its first argument says.
PROGRAM = """
import json, os, pathlib, signal, sys, time
here = pathlib.Path(__file__).parents[2]
(here / "pid").write_text(str(os.getpid()))
(here / "argv").write_text(json.dumps(sys.argv[1:]))
how = (here / "how").read_text()
if how == "absent":
    sys.exit("langflix: nobody answers")
told = []
signal.signal(signal.SIGTERM, lambda *_: told.append(time.time()))
print(json.dumps({"began": "t"}), flush=True)
if how == "broken":
    sys.exit("langflix: broke off")
seconds = float(sys.argv[sys.argv.index("--seconds") + 1])
end = time.monotonic() + min(seconds, 60)
while not told and time.monotonic() < end:
    time.sleep(0.01)
print(json.dumps({"rows": [], "late_ms": 0, "lessons": {}, "told": bool(told)}))
sys.exit(1)
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose application is the program above; nothing is waited for."""
    package = tmp_path / "src/langflix"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(PROGRAM)
    (tmp_path / "how").write_text("good")
    monkeypatch.setattr(load, "_QUIET_S", 0.0)
    return tmp_path


def run(root: Path, *switches: object) -> Run:
    """A load with these changes."""
    way = Way("deploys", "ours", [one for one in switches if callable(one)])
    return load._run(root, "http://site", Asked(7, 1, 2), Report(quiet=True), way)


def gone(root: Path) -> bool:
    """Whether the program has ended."""
    return not Path(f"/proc/{int((root / 'pid').read_text())}").exists()


def test_changes_are_made_while_the_load_runs(root: Path) -> None:
    """The load begins before the first change and is told to end after the last."""
    seen: list[bool] = []

    def switch() -> None:
        seen.append((root / "pid").exists() and not gone(root))

    made = run(root, switch, switch)
    assert seen == [True, True]
    assert made.load["told"] is True
    assert [one.problem for one in made.changes] == ["", ""]
    assert gone(root)


def test_a_change_that_fails_is_told_and_the_next_made(root: Path) -> None:
    """What the command said is the change's problem; its own sentence goes before a hint."""

    def fail() -> None:
        raise SlipwayError("x failed", details=["{", "error: no room", "hint: make some"])

    def refuse() -> None:
        raise SlipwayError("no other version")

    made = run(root, fail, refuse, lambda: None)
    assert [one.problem for one in made.changes] == ["error: no room", "no other version", ""]


def test_without_changes_it_lasts_as_long_as_asked(root: Path) -> None:
    """The load ends by itself after its seconds; the program is asked for rate and site."""
    began = time.monotonic()
    (made,) = load_site(root, "http://site", Asked(7, 1, 0), Report(quiet=True))
    assert time.monotonic() - began >= 1.0
    assert made.load["told"] is False
    argv = (root / "argv").read_text()
    assert all(word in argv for word in ('"http://site"', '"--rate", "7"', '"--seconds", "1"'))


@pytest.mark.parametrize(("how", "said"), [("absent", "nobody answers"), ("broken", "broke off")])
def test_a_load_without_a_result(root: Path, how: str, said: str) -> None:
    """When the program ends before it begins, or before its result, its last words are told."""
    (root / "how").write_text(how)
    with pytest.raises(SlipwayError, match="could not be done") as raised:
        run(root, lambda: None)
    assert raised.value.details == (f"langflix: {said}",)
    assert gone(root)


def test_the_load_ends_with_whoever_began_it(root: Path) -> None:
    """Ctrl-C in a change leaves no load behind; it has a session of its own to end well in."""

    def interrupt() -> None:
        pid = int((root / "pid").read_text())
        assert os.getsid(pid) == pid
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(root, interrupt)
    assert gone(root)
