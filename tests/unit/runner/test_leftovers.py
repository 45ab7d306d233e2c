"""What a run that was broken off leaves in the application's folder, and a disk that is full."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from slipway.runner.host import HostFolder
from slipway.runner.listener import SpoolListener
from slipway.runner.spool import Spool
from slipway.runner.sweep import sweep

REQUEST = {"holder": {"who": "w", "what": "deploy r", "since": "2026"}}


def _made(folder: Path, *names: str, old: bool = False) -> list[Path]:
    paths = [folder / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("half")
        if old:
            os.utime(path, (time.time() - 3600,) * 2)
    return paths


def test_half_written_files_of_a_run_go(tmp_path: Path) -> None:
    """Everything that was never given its name, and nothing that was."""
    halves = _made(tmp_path, "current.new", "releases/r/database.dump.new", "runs/.last.r")
    whole = _made(tmp_path, "current", "releases/r/compose.json", "runs/r/end.json", "data/a.new")
    sweep(str(tmp_path))
    assert [path.exists() for path in halves] == [False] * 3
    assert all(path.exists() for path in whole)


def test_what_others_may_be_writing_stays(tmp_path: Path) -> None:
    """A deploy writes its files before it has the lease: only old ones go, or all after a boot."""
    (young,) = _made(tmp_path, ".slipway.young/0")
    (old,) = _made(tmp_path, "cache/.slipway.old", old=True)
    sweep(str(tmp_path))
    assert young.exists() and not old.exists()
    sweep(str(tmp_path), alone=True)
    assert not young.parent.exists()


def test_events_go_on_after_a_line_that_was_broken_off(tmp_path: Path) -> None:
    """The broken line is left out; numbers go on where whole ones ended."""
    spool = Spool(str(tmp_path), "1")
    spool.make(REQUEST)
    listener = SpoolListener(spool)
    listener.tell("say", text="a")
    with (tmp_path / "runs/1/events.jsonl").open("ab") as file:
        file.write(b'{"number": 1, "eve')
    again = SpoolListener(spool)
    again.tell("say", text="b")
    assert [(one["number"], one["text"]) for one in spool.events()] == [(0, "a"), (1, "b")]
    assert [one["text"] for one in spool.events(1)] == ["b"]


def test_a_full_disk_does_not_keep_a_run_from_its_way_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was set aside is given back for the first note; a further one is done without."""
    spool = Spool(str(tmp_path), "1")
    spool.make(REQUEST)
    listener = SpoolListener(spool)
    whole = Spool.note

    def note(self: Spool, event: dict[str, object]) -> None:
        if (tmp_path / "runs/1/reserve").exists() or event["event"] == "lost":
            raise OSError(28, "No space left on device")
        whole(self, event)

    monkeypatch.setattr(Spool, "note", note)
    listener.tell("say", text="a")
    listener.tell("lost")
    listener.tell("say", text="b")
    assert [(one["number"], one["text"]) for one in spool.events()] == [(0, "a"), (1, "b")]
    assert not spool.free()


def test_a_link_that_leads_there_already_takes_no_space(tmp_path: Path) -> None:
    """Going back to a release that is still recorded as live writes nothing."""
    folder = HostFolder(str(tmp_path))
    folder.link("current", "releases/a")
    before = os.lstat(tmp_path / "current").st_ino
    folder.link("current", "releases/a")
    assert os.lstat(tmp_path / "current").st_ino == before
    folder.link("current", "releases/b")
    assert folder.current() == "b"


def test_absence_is_not_reckoned_by_a_clock_that_jumps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host whose clock is an hour ahead all at once does not take the client for gone."""
    now = [100.0]
    monkeypatch.setattr("slipway.runner.listener.time.monotonic", lambda: now[0])
    monkeypatch.setattr("slipway.runner.listener.time.sleep", lambda seconds: _pass(now, seconds))
    spool = Spool(str(tmp_path), "1")
    spool.make(REQUEST)
    spool.touch("heard")
    listener = SpoolListener(spool)
    os.utime(tmp_path / "runs/1/heard", (time.time() - 7200,) * 2)
    spool.say("verify-0", {"failed": False})
    assert listener.turn("verify", 0, 60)
    assert not listener.turn("verify", 1, 60)
    assert now[0] - 100.0 < 25


def _pass(now: list[float], seconds: float) -> None:
    now[0] += seconds
