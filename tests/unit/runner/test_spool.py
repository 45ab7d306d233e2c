"""What a run leaves on disk, and what whoever started it says by way of that."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from slipway.runner import listener as listeners
from slipway.runner.failure import Failed
from slipway.runner.listener import CANCEL, SpoolListener
from slipway.runner.spool import Spool, last

REQUEST = {"holder": {"who": "me@here"}, "steps": []}
RUN = "20260101-000000-abcdef"


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    """One of a run that has just begun."""
    made = Spool(str(tmp_path), RUN)
    made.make(REQUEST)
    made.touch("heard")
    return made


class Time:
    """Time that moves by sleeping.

    Attributes:
        seconds: since it began.
        then: what happens at each sleep.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self.then: Callable[[], None] = lambda: None

    def monotonic(self) -> float:
        """The time."""
        return self.seconds

    def sleep(self, seconds: float) -> None:
        """Let some pass."""
        self.seconds += seconds
        self.then()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Time:
    """The listener's."""
    made = Time()
    fake = SimpleNamespace(monotonic=made.monotonic, sleep=made.sleep, time=time.time)
    monkeypatch.setattr(listeners, "time", fake)
    return made


def told(spool: Spool) -> list[tuple[int, str]]:
    """Numbers and names of its events."""
    return [(one["number"], one["event"]) for one in spool.events()]


def test_what_was_asked_is_written_down(spool: Spool, tmp_path: Path) -> None:
    """Before anything is done; what was never written is None, and so is what can't be read."""
    assert spool.read("request.json") == REQUEST
    assert spool.read("about.json") == {"run": RUN, "holder": REQUEST["holder"], "number": 1}
    assert spool.read("end.json") is None
    (tmp_path / "runs" / RUN / "end.json").write_text('{"outcome": ')
    assert spool.read("end.json") is None
    (tmp_path / "runs" / RUN / "end.json").write_text("[1]")
    assert spool.read("end.json") is None
    spool.write("end.json", {"outcome": "done"})
    assert spool.read("end.json") == {"outcome": "done"}
    assert not list((tmp_path / "runs").rglob("*.new"))


def test_the_latest_run(tmp_path: Path) -> None:
    """It is the one that began last, not the one whose name is the last."""
    assert last(str(tmp_path)) is None
    for run in ("20260103-000000-a", "20260102-000000-b"):
        Spool(str(tmp_path), run).make(REQUEST)
        found = last(str(tmp_path))
        assert found is not None
        assert (found.run, found.read("request.json")) == (run, REQUEST)


def test_only_ten_runs_are_kept(tmp_path: Path) -> None:
    """The latest; what is no run is left alone."""
    runs = [f"202601{day:02}-000000-x" for day in range(1, 14)]
    (tmp_path / "runs/notes").mkdir(parents=True)
    for run in runs:
        Spool(str(tmp_path), run).make(REQUEST)
    assert sorted(one.name for one in (tmp_path / "runs").iterdir()) == [
        *runs[-10:],
        "last",
        "notes",
    ]


def test_runs_go_in_the_order_in_which_the_host_began_them(tmp_path: Path) -> None:
    """A name begins with the time of whoever asks, whose clock may be days ahead."""
    ahead = [f"203001{day:02}-000000-x" for day in range(1, 11)]
    behind = [f"200001{day:02}-000000-x" for day in (9, 8, 7)]
    for run in (*ahead, *behind):
        made = Spool(str(tmp_path), run)
        made.make(REQUEST)
        made.touch("heard")
        assert made.read("request.json") == REQUEST
    kept = {one.name for one in (tmp_path / "runs").iterdir()}
    assert kept == {*ahead[3:], *behind, "last"}


def test_runs_that_do_not_say_which_they_are_go_first(tmp_path: Path) -> None:
    """Whatever stands in their place; one that can be read is kept before them."""
    odd = [f"20300{month}01-000000-x" for month in range(1, 10)]
    for run, text in zip(odd, ("", "[]", '{"number": "x"}', '{"number": null}') * 3, strict=False):
        (tmp_path / "runs" / run).mkdir(parents=True)
        (tmp_path / "runs" / run / "about.json").write_text(text)
    for run in ("20000101-000000-a", "20000102-000000-b"):
        Spool(str(tmp_path), run).make(REQUEST)
    left = {one.name for one in (tmp_path / "runs").iterdir()}
    assert left == {*odd[1:], "20000101-000000-a", "20000102-000000-b", "last"}


def test_events_from_a_number_on(spool: Spool) -> None:
    """In order, with what was said of them."""
    listener = SpoolListener(spool)
    assert spool.events() == []
    listener.tell("step", name="up")
    listener.tell("done", step="up")
    assert told(spool) == [(0, "step"), (1, "done")]
    assert [one["step"] for one in spool.events(1)] == ["up"]
    assert spool.events(2) == []


def test_a_line_that_was_broken_off(spool: Spool) -> None:
    """It is left out; whoever goes on with the run numbers on, on a line of its own."""
    SpoolListener(spool).tell("step", name="up")
    path = Path(spool.path, "events.jsonl")
    path.write_bytes(path.read_bytes() + b'[1]\n7\n{"number": 1, "ev')
    assert told(spool) == [(0, "step")]
    later = SpoolListener(spool)
    later.tell("back")
    later.tell("end")
    assert told(spool) == [(0, "step"), (1, "back"), (2, "end")]
    assert [one["event"] for one in spool.events(1)] == ["back", "end"]


@pytest.mark.parametrize("first", [1, 2, 9])
def test_a_full_disk_takes_the_reserve(
    spool: Spool, monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    """Once it is given back, too, nothing but the note is lost, and no number."""
    real, failures = spool.note, [True] * first

    def full(event: dict[str, Any]) -> None:
        if failures and failures.pop():
            raise OSError(28, "No space left on device")
        real(event)

    monkeypatch.setattr(spool, "note", full)
    listener = SpoolListener(spool)
    listener.tell("one")
    assert not spool.free()
    failures.clear()
    listener.tell("two")
    assert told(spool) == ([(0, "one"), (1, "two")] if first == 1 else [(0, "two")])


def test_age(spool: Spool, tmp_path: Path) -> None:
    """Each touch shows, also on a clock that was set back."""
    assert Spool(str(tmp_path), "nowhere").stamp("heard") == 0
    path = Path(spool.path, "heard")
    path.write_text("kept")
    os.utime(path, ns=(9 * 10**18, 9 * 10**18))
    before = spool.stamp("heard")
    spool.touch("heard")
    assert spool.stamp("heard") not in (0, before)
    assert path.read_text() == "kept"


def test_words(spool: Spool) -> None:
    """One that was left is there; another isn't."""
    spool.say("verify-0", {"failed": False})
    assert spool.word("verify-0") == {"failed": False}
    assert spool.word("verify-1") is None


def test_a_wish_to_end_is_heeded_until_it_is_ignored(spool: Spool) -> None:
    """Going back is what they wanted, and must not be cut short by it."""
    listener = SpoolListener(spool)
    listener.heed()
    spool.say(CANCEL, {})
    for _ in range(2):
        with pytest.raises(Failed) as caught:
            listener.heed()
        assert caught.value.cause.kind == "interrupted"
    listener.ignore()
    listener.heed()


def test_a_turn_that_was_taken(spool: Spool, clock: Time) -> None:
    """It is asked for, waited for, and the answer to this action is the one that counts."""
    spool.say("verify-0", {"failed": True, "message": "another's", "details": [], "hint": None})

    def answered() -> None:
        if clock.seconds > 5:
            spool.say("verify-1", {"failed": False})

    clock.then = answered
    assert SpoolListener(spool).turn("verify", 1, 60.0)
    assert 5 < clock.seconds < 6
    (turn,) = spool.events()
    assert (turn["event"], turn["step"], turn["index"]) == ("turn", "verify", 1)


def test_who_waits_for_a_turn_looks_around(spool: Spool, clock: Time) -> None:
    """Now and then; what is found ends the waiting."""
    heard, seen = Path(spool.path, "heard"), []
    clock.then = lambda: os.utime(heard, (clock.seconds, clock.seconds))

    def look() -> None:
        seen.append(round(clock.seconds))
        if len(seen) == 3:
            raise Failed("the edge was removed")

    with pytest.raises(Failed, match="the edge was removed"):
        SpoolListener(spool).turn("verify", 0, 60.0, look)
    assert seen == [3, 6, 9]


@pytest.mark.parametrize(("hint", "shown"), [("mend it", "mend it"), (None, "")])
def test_a_turn_that_failed(spool: Spool, clock: Time, hint: str | None, shown: str) -> None:
    """Why is told as they told it."""
    said = {"failed": True, "message": "no answer", "details": ["a line"], "hint": hint}
    spool.say("verify-0", said)
    with pytest.raises(Failed, match="no answer") as caught:
        SpoolListener(spool).turn("verify", 0, 60.0)
    cause = caught.value.cause
    assert (cause.details, cause.hint, cause.kind) == (("a line",), shown, "failed")
    assert clock.seconds == 0


def test_a_turn_that_nobody_there_can_take(spool: Spool) -> None:
    """Who only looks on says so, and is not waited for."""
    spool.touch("heard")
    spool.say("verify-1", {"failed": False, "absent": True})
    assert not SpoolListener(spool).turn("verify", 1, 60.0)


def test_nobody_there_for_a_turn(spool: Spool, clock: Time) -> None:
    """It is left out once nobody was heard of for some time, and that is told."""
    assert not SpoolListener(spool).turn("verify", 0, 60.0)
    assert 20 < clock.seconds < 21
    assert told(spool) == [(0, "turn"), (1, "say")]


def test_a_turn_that_takes_too_long(spool: Spool, clock: Time) -> None:
    """Somebody is there all the time; the one who says so is waited for, but not for ever."""
    heard = Path(spool.path, "heard")
    clock.then = lambda: os.utime(heard, (clock.seconds, clock.seconds))
    with pytest.raises(Failed, match="did not end verify within 60 s"):
        SpoolListener(spool).turn("verify", 0, 60.0)
    assert told(spool) == [(0, "turn")]


def test_a_wish_to_end_ends_a_turn(spool: Spool, clock: Time) -> None:
    """Nobody has to wait for it."""
    clock.then = lambda: spool.say(CANCEL, {})
    with pytest.raises(Failed, match="interrupted"):
        SpoolListener(spool).turn("verify", 0, 60.0)
    assert clock.seconds < 1


def test_notes_are_lines_of_json(spool: Spool) -> None:
    """Others read them too; a line break in a text does not make two of it."""
    SpoolListener(spool).tell("say", text="a\nb ß\u2028c")
    (line,) = Path(spool.path, "events.jsonl").read_bytes().splitlines()
    assert json.loads(line)["text"] == "a\nb ß\u2028c"
    assert spool.events()[0]["text"] == "a\nb ß\u2028c"
