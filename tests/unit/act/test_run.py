"""The errand that a host is sent, and whoever was there before."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.act.scripted import END, LOST, Scripted, event, scripted
from tests.unit.demo import wanted, world

from slipway.act.run import Errand, busy, carry_out, clear
from slipway.errors import DeployError, Interrupted
from slipway.ledger.runs import ALIVE, ENDED, TOLD, LastRun
from slipway.ledger.runs import LOST as BROKEN_OFF
from slipway.plan.actions import Compose
from slipway.plan.draft import draft
from slipway.plan.step import Belief, Step
from slipway.plan.wanted import Seen
from slipway.runner.failure import Cause

DOORS = world().doors
RELEASE = draft(wanted(), Seen(), DOORS.clock.now()).release
UP = Step("up", "start", Belief("before"), (Compose(RELEASE.id, ("up",), 5.0),))
ERRAND = Errand(
    id="20260101-000000-down-token", what="down", who="me@here", release=RELEASE, live="before",
    steps=(UP,), word="down", intent={"down": True}, point="down",
)  # fmt: skip
EARLIER = LastRun("r1", "me@here", "deploy r", "noon", ALIVE)
FAILED = {**END, "outcome": "undone", "cause": Cause("web is ill").to_json()}
END_OF_IT = [event(0, "end", **END)]


def test_a_request_says_all_that_the_host_needs() -> None:
    """It is on its own from then on: what to do, by which edge, who asked, what to note."""
    edge = {"service": "edge", "socket": "/run/admin.sock"}
    release = replace(RELEASE, edge=edge, hashes={"web": "1", "db": "2"}, checked=("web",))
    doors = replace(DOORS, docker="/opt/docker")
    assert replace(ERRAND, release=release).request(doors) == {
        "format": 1,
        "run": "20260101-000000-down-token",
        "application": "demo",
        "project": "demo",
        "docker": "/opt/docker",
        "release": RELEASE.id,
        "edge": edge,
        "holder": {"who": "me@here", "what": "down", "since": "2026-01-01T00:00:00Z"},
        "steps": [UP.to_json()],
        "point": "down",
        "checked": {"web": True, "db": False},
        "word": "down",
        "intent": {"down": True},
    }
    assert ERRAND.request(doors)["edge"] is None


def test_the_errand_is_the_run_that_is_attended() -> None:
    """No other one's events are taken for its own."""
    made = world()
    runner = Scripted([END_OF_IT])
    runner.start = lambda request: {"started": request["run"]}  # type: ignore[method-assign]
    assert carry_out(replace(made.doors, runner=runner), ERRAND).end["outcome"] == "done"
    assert runner.followed == [(ERRAND.id, 0)]


@pytest.mark.parametrize("last", [None, replace(EARLIER, state=TOLD)])
def test_a_run_that_somebody_heard_the_end_of_is_over(last: LastRun | None) -> None:
    """There is nothing to see to: the host is not asked again."""
    assert clear(scripted(Scripted([])), last, "me@here", wait=False) is False


def test_whoever_is_at_work_is_not_disturbed() -> None:
    """The run of somebody else goes on, and this one does not begin."""
    runner = Scripted([])
    with pytest.raises(DeployError) as caught:
        clear(scripted(runner), replace(EARLIER, who="anna@desk"), "me@here", wait=False)
    assert caught.value.to_json() == {
        "error": "anna@desk is busy on nas with `deploy r` since noon; nothing was changed",
        "stage": "lease",
        "hint": "./inv deploy --wait begins when that has ended",
        "exit_code": 5,
    }
    assert runner.followed == []


def test_a_holder_who_left_no_name_is_somebody() -> None:
    """A lease that says nothing is one all the same."""
    assert busy("nas", {}).message == (
        "somebody is busy on nas with `something` since just now; nothing was changed"
    )


def test_a_holder_who_was_frozen_and_ended() -> None:
    """Nobody is at work any more, and the next deploy begins."""
    error = busy("nas", {"who": "anna@desk", "what": "deploy r", "since": "noon", "ended": True})
    assert (error.message, error.hint) == (
        "`deploy r` of anna@desk, begun noon, gave no sign of life on nas and was ended; nothing "
        "else was changed",
        "./inv deploy puts back first what that had begun",
    )


@pytest.mark.parametrize(("who", "wait"), [("me@here", False), ("anna@desk", True)])
def test_a_run_that_goes_on_is_attended(who: str, wait: bool) -> None:
    """One's own at once, somebody else's when one wants to wait; how it ended is told."""
    runner, talk = Scripted([END_OF_IT]), io.StringIO()
    assert clear(scripted(runner, talk), replace(EARLIER, who=who), "me@here", wait=wait) is True
    assert runner.followed == [("r1", 0)]
    assert talk.getvalue() == (
        f"attach  `deploy r` of {who}, begun noon, goes on\n"
        f"`deploy r` of {who}, begun noon, is done\n"
    )


@pytest.mark.parametrize(("who", "wait"), [("me@here", False), ("anna@desk", True)])
def test_ctrl_c_while_watching_leaves_the_run_alone(who: str, wait: bool) -> None:
    """It was begun by another command: only that one may take it back."""
    runner = Scripted([KeyboardInterrupt()])
    with pytest.raises(Interrupted) as caught:
        clear(scripted(runner), replace(EARLIER, who=who), "me@here", wait=wait)
    assert caught.value.to_json() == {
        "error": f"interrupted; `deploy r` of {who}, begun noon, goes on on nas",
        "stage": None,
        "hint": "./inv status tells of it",
        "exit_code": 130,
    }
    assert runner.told == []


def test_a_run_that_was_broken_off_is_ended_first() -> None:
    """Whoever it was of: otherwise it would stay half done."""
    runner, talk = Scripted([LOST], settles=[{"settled": FAILED}]), io.StringIO()
    lost = replace(EARLIER, who="anna@desk", state=BROKEN_OFF)
    assert clear(scripted(runner, talk), lost, "me@here", wait=False) is True
    assert runner.followed == [("r1", 0)]
    assert talk.getvalue() == (
        "settle  `deploy r` of anna@desk, begun noon, was broken off\n"
        "warning: the host's own process was ended; ending what it had begun\n"
        "warning: `deploy r` of anna@desk, begun noon, failed: "
        "web is ill; what ran before is serving again\n"
    )


def test_a_run_that_is_frozen_is_told_of() -> None:
    """For how long it is silent, as long as it is, and that it was ended; no event is missed."""
    silent = {"event": "silent", "seconds": 31}
    heard = [
        [event(0, "say", text="x")],
        [silent],
        [{**silent, "seconds": 63, "ended": True}, *LOST],
    ]
    runner, talk = Scripted(heard, settles=[{"settled": FAILED}]), io.StringIO()
    clear(scripted(runner, talk), EARLIER, "me@here", wait=False)
    assert runner.followed == [("r1", 0), ("r1", 1), ("r1", 1)]
    assert talk.getvalue().splitlines()[2:5] == [
        "warning: the host's process has noted nothing for 31 s",
        "warning: the host's process has noted nothing for 63 s, and was ended",
        "warning: the host's own process was ended; ending what it had begun",
    ]


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (END, "`deploy r` of me@here, begun noon, is done\n"),
        (
            FAILED,
            "warning: `deploy r` of me@here, begun noon, failed: "
            "web is ill; what ran before is serving again\n",
        ),
        (None, ""),
    ],
)
def test_an_end_that_nobody_heard_of_is_told_once(end: dict[str, Any] | None, told: str) -> None:
    """Its events are asked for, by which the host knows that it was told."""
    runner, talk = Scripted([END_OF_IT]), io.StringIO()
    ended = replace(EARLIER, state=ENDED, end=end)
    assert clear(scripted(runner, talk), ended, "me@here", wait=False) is True
    assert runner.followed == [("r1", 0)]
    assert talk.getvalue() == told


def test_a_late_failure_is_a_warning() -> None:
    """What fails once the release is live takes nothing back."""
    late = {"stage": "prune", "message": "the disk is gone"}
    runner, talk = Scripted([[event(0, "end", **{**END, "late": late})]]), io.StringIO()
    runner.start = lambda request: {}  # type: ignore[method-assign]
    carry_out(scripted(runner, talk), ERRAND)
    assert talk.getvalue() == ("warning: the release is live, but prune failed: the disk is gone\n")
