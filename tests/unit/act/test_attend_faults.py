"""Being there while the connection, the runner or the patience ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from tests.unit.demo import world

from slipway.act.attend import attend
from slipway.act.doors import Doors
from slipway.act.runner import Event
from slipway.errors import HostUnreachable, Interrupted

END: dict[str, Any] = {
    "outcome": "done", "cause": None, "second": None, "late": None,
    "failed_over": [], "absent": [],
}  # fmt: skip


@dataclass
class Scripted:
    """A runner that says what a test wrote down; an error in the script is raised.

    Attributes:
        follows: the answers of ``follow``, one a call; the last one for ever.
        settles: those of ``settle``.
        tells: what ``tell`` does, one a call; None or an error.
        told: the words that were left.
        values: what they said.
    """

    follows: list[Any]
    settles: list[Any] = field(default_factory=list)
    tells: list[Any] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    values: list[Mapping[str, Any]] = field(default_factory=list)

    def start(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        raise AssertionError("nobody begins anything")

    def follow(self, run: str, first: int) -> Sequence[Event]:
        found: Sequence[Event] = _said(self.follows)
        return found

    def tell(self, run: str, word: str, value: Mapping[str, Any]) -> None:
        if self.tells:
            _said(self.tells)
        self.told.append(word)
        self.values.append(value)

    def settle(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = _said(self.settles)
        return found


def _said(script: list[Any]) -> Any:
    said = script.pop(0) if len(script) > 1 else script[0]
    if isinstance(said, BaseException):
        raise said
    return said


def _doors(runner: Scripted) -> Doors:
    return replace(world().doors, runner=runner)


def _event(number: int, event: str, **fields: object) -> Event:
    return {"number": number, "at": 0.0, "event": event, **fields}


GONE = HostUnreachable("the wire is cut")
LOST = [{"event": "lost"}]


def test_who_only_looks_on_says_so() -> None:
    """A deploy that another process began is not held up by who can't do its part."""
    turn = [_event(0, "turn", step="verify", index=1)]
    runner = Scripted([turn, [_event(1, "end", **END)]])
    attend(_doors(runner), "r")
    assert runner.told == ["verify-1"]
    assert runner.values[0]["absent"] is True


def test_an_answer_is_told_over_a_new_connection() -> None:
    """What this machine did is not lost because the wire was cut while it was done."""
    turn = [_event(0, "turn", step="verify", index=1)]
    runner = Scripted([turn, [_event(1, "end", **END)]], tells=[GONE, GONE, None])
    done: list[int] = []
    attended = attend(_doors(runner), "r", lambda step, index: done.append(index))
    assert attended.end["outcome"] == "done"
    assert (done, runner.told, attended.resumed) == ([1], ["verify-1"], 2)


def test_a_wire_that_stays_cut_leaves_it_to_the_host() -> None:
    """After a minute and a half: the host ends it, and the next deploy shows how."""
    doors = _doors(Scripted([GONE]))
    before = doors.clock.monotonic()
    with pytest.raises(HostUnreachable, match="ends the deploy, or goes back, by itself") as caught:
        attend(doors, "r")
    assert caught.value.exit_code == 4
    assert 80 < doors.clock.monotonic() - before < 100


def test_a_second_wish_to_end_while_the_first_is_told() -> None:
    """Ctrl-C while the host can't be reached leaves it to the host; it is no traceback."""
    runner = Scripted([KeyboardInterrupt()], tells=[GONE, KeyboardInterrupt()])
    with pytest.raises(Interrupted, match="goes back by itself"):
        attend(_doors(runner), "r")


def test_a_host_that_ends_a_broken_off_run_itself_is_waited_for() -> None:
    """The end that it notes is the one that counts."""
    runner = Scripted([LOST, [], [_event(0, "end", **END)]], settles=[{"busy": {"what": "settle"}}])
    assert attend(_doors(runner), "r").end["outcome"] == "done"


def test_a_run_that_nobody_knows_any_more_is_given_up() -> None:
    """It neither works, nor has an end, nor can be ended: nothing is waited for in vain."""
    assert attend(_doors(Scripted([LOST], settles=[{}])), "r").end == {}
