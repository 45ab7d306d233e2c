"""Being there while the host works: what is shown, noted and told."""

from __future__ import annotations

import io
import threading
from collections.abc import Mapping
from typing import Any

import pytest
from tests.unit.act.scripted import END, GONE, LOST, Scripted, event, scripted

from slipway.act import attend as attending
from slipway.act.attend import Attended, attend
from slipway.act.outcome import PartTime, StepTime
from slipway.errors import DeployError, HostUnreachable, Interrupted

HERE = {"absent": False, "failed": False}


def test_what_the_host_tells_is_shown_and_noted() -> None:
    """A line for each event; times of steps and their parts; the requests there were."""
    events = [
        event(0, "requests", count=2000),
        event(1, "step", 10.0, name="roll", about="switch the requests"),
        event(2, "say", text="  starting web beside the old"),
        event(3, "part", 12.5, service="web", part="start"),
        event(4, "edge", commands=["show servers state"]),
        event(5, "part", 14.0, service="web", part="healthy"),
        event(6, "done", 15.0, step="roll"),
        event(7, "step", 15.0, name="prune", about="remove what nobody needs"),
        event(8, "removed", images=2, paths=1, bytes=5_000_000),
        event(9, "done", 15.25, step="prune"),
        event(10, "warn", text="the journal lacks a line"),
    ]
    end = event(11, "end", **END)
    runner, talk = Scripted([events, [end]]), io.StringIO()
    assert attend(scripted(runner, talk), "r") == Attended(
        end,
        [
            StepTime("roll", 5.0, (PartTime("web", "start", 2.5), PartTime("web", "healthy", 4.0))),
            StepTime("prune", 0.25),
        ],
        0,
        2000,
    )
    assert runner.followed == [("r", 0), ("r", 11)]
    assert talk.getvalue().splitlines() == [
        "  2000 requests are under way",
        "roll  switch the requests",
        "  starting web beside the old",
        "prune  remove what nobody needs",
        "  2 image tags, 1 files and folders: 5.0 MB freed",
        "warning: the journal lacks a line",
    ]


def test_the_way_back_is_a_step_of_its_own() -> None:
    """Why it goes back is said before it does."""
    talk = io.StringIO()
    back = event(0, "back", stage="up", message="web is ill")
    attend(scripted(Scripted([[back, event(1, "end", **END)]]), talk), "r")
    assert talk.getvalue() == (
        "warning: up failed: web is ill; going back\nrevert  putting back what ran before\n"
    )


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (None, HERE),
        (
            DeployError("it is ill", hint="mend it", details=["a line"]),
            {"failed": True, "message": "it is ill", "details": ["a line"], "hint": "mend it"},
        ),
        (
            OSError("no space"),
            {"failed": True, "message": "this machine: no space", "details": [], "hint": None},
        ),
    ],
)
def test_the_host_is_told_how_a_turn_went(
    error: Exception | None, answer: Mapping[str, Any]
) -> None:
    """It waits for that, and goes back when it went badly."""
    runner = Scripted([[event(0, "turn", step="verify", index=1)], [event(1, "end", **END)]])

    def turn(step: str, index: int) -> None:
        assert (step, index) == ("verify", 1)
        if error is not None:
            raise error

    attend(scripted(runner), "r", turn)
    assert (runner.runs, runner.told, runner.values) == (["r"], ["verify-1"], [answer])


@pytest.mark.parametrize("error", [GONE, OSError("no route")])
def test_a_long_turn_shows_that_somebody_is_there(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Now and then, also after a sign that did not arrive, until it is over."""
    monkeypatch.setattr(attending, "_SIGN_S", 0.001)
    runner = Scripted(
        [[event(0, "turn", step="verify", index=1)], [event(1, "end", **END)]],
        tells=[error, None],
    )

    def turn(step: str, index: int) -> None:
        (sign,) = (one for one in threading.enumerate() if one.name == "slipway-presence")
        assert sign.daemon
        for _ in range(2000):
            if runner.told:
                return
            threading.Event().wait(0.001)

    attend(scripted(runner), "r", turn)
    signs = len(runner.told) - 1
    assert signs >= 1
    assert runner.told == ["here"] * signs + ["verify-1"]
    assert runner.runs == ["r"] * (signs + 1)
    assert runner.values == [{}] * signs + [HERE]
    assert "slipway-presence" not in {thread.name for thread in threading.enumerate()}


def test_a_run_that_was_broken_off_is_ended_by_whoever_attends() -> None:
    """How that went is the end of the run."""
    talk = io.StringIO()
    runner = Scripted([LOST], settles=[{"settled": END}])
    assert attend(scripted(runner, talk), "r").end == END
    assert talk.getvalue() == (
        "warning: the host's own process was ended; ending what it had begun\n"
    )


def test_a_run_that_can_not_be_ended_is_given_up_after_some_tries() -> None:
    """Its host may be about to end it by itself."""
    runner = Scripted([LOST], settles=[{}])
    attend(scripted(runner), "r")
    assert len(runner.followed) == 3
    waiting = Scripted([LOST] * 9 + [[event(0, "end", **END)]], settles=[{"busy": {"what": "x"}}])
    assert attend(scripted(waiting), "r").end["outcome"] == "done"


def test_ctrl_c_asks_the_host_to_go_back() -> None:
    """That is waited for, and the second one is said to end the waiting."""
    talk = io.StringIO()
    runner = Scripted([KeyboardInterrupt(), [event(0, "end", **END)]])
    attend(scripted(runner, talk), "r")
    assert (runner.runs, runner.told, runner.values) == (["r"], ["cancel"], [{}])
    assert talk.getvalue() == (
        "warning: interrupted: going back (Ctrl-C again leaves that to the host)\n"
    )


@pytest.mark.parametrize("tells", [[], [KeyboardInterrupt()]])
def test_the_second_ctrl_c_says_how_one_hears_of_the_end(tells: list[Any]) -> None:
    """The host goes back by itself; the next deploy tells."""
    with pytest.raises(Interrupted) as caught:
        attend(scripted(Scripted([KeyboardInterrupt()], tells=tells)), "r")
    assert caught.value.to_json() == {
        "error": "interrupted; nas goes back by itself",
        "stage": None,
        "hint": "./inv deploy shows how that ended",
        "exit_code": 130,
    }


def test_a_wire_that_stays_cut_is_an_error_with_a_way_on() -> None:
    """What was lost is said, and how one hears of the end."""
    talk = io.StringIO()
    with pytest.raises(HostUnreachable) as caught:
        attend(scripted(Scripted([GONE]), talk), "r")
    assert caught.value.to_json() == {
        "error": "the connection to nas is gone: the wire is cut. The host ends the deploy, or "
        "goes back, by itself",
        "stage": "follow",
        "hint": "./inv deploy, once it can be reached: it shows how that ended",
        "exit_code": 4,
    }
    assert set(talk.getvalue().splitlines()) == {"  the wire is cut; trying again"}
