"""Being there while the connection, the runner or the patience ends."""

from __future__ import annotations

import pytest
from tests.unit.act.scripted import END, GONE, LOST, Scripted, event, scripted

from slipway.act.attend import attend
from slipway.errors import HostUnreachable, Interrupted


def test_who_only_looks_on_says_so() -> None:
    """A deploy that another process began is not held up by who can't do its part."""
    turn = [event(0, "turn", step="verify", index=1)]
    runner = Scripted([turn, [event(1, "end", **END)]])
    attend(scripted(runner), "r")
    assert runner.told == ["verify-1"]
    assert runner.values[0]["absent"] is True


def test_an_answer_is_told_over_a_new_connection() -> None:
    """What this machine did is not lost because the wire was cut while it was done."""
    turn = [event(0, "turn", step="verify", index=1)]
    runner = Scripted([turn, [event(1, "end", **END)]], tells=[GONE, GONE, None])
    done: list[int] = []
    attended = attend(scripted(runner), "r", lambda step, index: done.append(index))
    assert attended.end["outcome"] == "done"
    assert (done, runner.told, attended.resumed) == ([1], ["verify-1"], 2)


def test_a_wire_that_stays_cut_leaves_it_to_the_host() -> None:
    """After a minute and a half: the host ends it, and the next deploy shows how."""
    doors = scripted(Scripted([GONE]))
    before = doors.clock.monotonic()
    with pytest.raises(HostUnreachable, match="ends the deploy, or goes back, by itself") as caught:
        attend(doors, "r")
    assert caught.value.exit_code == 4
    assert 80 < doors.clock.monotonic() - before < 100


def test_a_second_wish_to_end_while_the_first_is_told() -> None:
    """Ctrl-C while the host can't be reached leaves it to the host; it is no traceback."""
    runner = Scripted([KeyboardInterrupt()], tells=[GONE, KeyboardInterrupt()])
    with pytest.raises(Interrupted, match="goes back by itself"):
        attend(scripted(runner), "r")


def test_a_host_that_ends_a_broken_off_run_itself_is_waited_for() -> None:
    """The end that it notes is the one that counts."""
    runner = Scripted([LOST, [], [event(0, "end", **END)]], settles=[{"busy": {"what": "settle"}}])
    assert attend(scripted(runner), "r").end["outcome"] == "done"


def test_a_run_that_nobody_knows_any_more_is_given_up() -> None:
    """It neither works, nor has an end, nor can be ended: nothing is waited for in vain."""
    assert attend(scripted(Scripted([LOST], settles=[{}])), "r").end == {}
