"""A release that was well is watched for a while: restarts, health, errors of the edge."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.runner import bench as benches
from tests.unit.runner.bench import Bench

from slipway.runner.containers import Container
from slipway.runner.doors import Done
from slipway.runner.edge import Answers
from slipway.runner.expected import Expected
from slipway.runner.failure import Failed
from slipway.runner.rolling import Roller
from slipway.runner.soak import errors_since, going_bad, soak, total

WEB = Container("web", "c1", "web-1", "i", "running", "healthy", restarts=1, config="new")
OLD = replace(WEB, id="c0", config="old")
DONE = Container("job", "c2", "job-1", "i", "exited", config="new")
EDGE = Container("edge", "c9", "edge-1", "e", "running", config="new")
WATCHED = [Expected("web", 1, 9, config="new"), Expected("job", 1, 9, ends=True, config="new")]


def said(all_: int, errors: int) -> str:
    """What the edge says of its answers."""
    head = "# pxname,svname,scur,status,hrsp_1xx,hrsp_2xx,hrsp_3xx,hrsp_4xx,hrsp_5xx,"
    return f"{head}\nweb,BACKEND,0,UP,0,{all_ - errors},0,0,{errors},\n\n"


@pytest.fixture
def bench() -> Bench:
    """A host on which it runs, beside the old one, behind an edge that has answered a lot."""
    made = benches.bench()
    made.made.engine.running = [WEB, OLD, DONE, EDGE]
    made.made.engine.execute = lambda *_: Done(0, said(1000, 900))  # type: ignore[method-assign]
    return made


def watch(bench: Bench, seconds: float = 10.0, share: float = 0.05) -> None:
    """Watch it."""
    place = {"service": "edge", "socket": "/s"}
    soak(bench.doors, Roller(bench.doors, place), WATCHED, seconds, share)


def later(bench: Bench, what: object) -> None:
    """Let something happen after three seconds."""
    sleep = bench.clock.sleep

    def slept(seconds: float) -> None:
        sleep(seconds)
        if bench.clock.seconds >= 3:
            what()  # type: ignore[operator]

    bench.clock.sleep = slept  # type: ignore[method-assign]


def test_it_stays_well(bench: Bench) -> None:
    """The whole time passes; what was answered before doesn't count."""
    watch(bench)
    assert bench.clock.seconds == pytest.approx(10)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"restarts": 2}, "ends again and again"), ({"health": "unhealthy"}, "is unhealthy"),
        ({"state": "exited", "exit_code": 3}, "exited with code 3"),
        ({"oom_killed": True}, "memory"),
    ],
)  # fmt: skip
def test_it_goes_bad(bench: Bench, change: dict[str, object], words: str) -> None:
    """A container that was well and isn't any more ends the watch at once, with its last words."""
    bad = replace(WEB, **change)  # type: ignore[arg-type]
    later(bench, lambda: setattr(bench.made.engine, "running", [bad, OLD, DONE, EDGE]))
    with pytest.raises(Failed, match=words) as caught:
        watch(bench)
    assert bench.clock.seconds < 5
    assert "  the last words of c1" in caught.value.cause.details


def test_it_is_gone(bench: Bench) -> None:
    """A container that somebody removed is missed."""
    later(bench, lambda: setattr(bench.made.engine, "running", [OLD, DONE, EDGE]))
    with pytest.raises(Failed, match="web is gone"):
        watch(bench)


def test_the_old_one_may_end(bench: Bench) -> None:
    """It is on its way out anyway."""
    later(bench, lambda: setattr(bench.made.engine, "running", [WEB, DONE, EDGE]))
    watch(bench)


@pytest.mark.parametrize(
    ("answered", "errors", "bad"),
    [(100, 5, False), (100, 6, True), (19, 19, False), (20, 20, True), (0, 0, False)],
)
def test_errors_of_the_edge(bench: Bench, answered: int, errors: int, bad: bool) -> None:
    """More of them than may be are a reason to go back; a handful of answers proves nothing."""
    text = said(1000 + answered, 900 + errors)
    later(bench, lambda: setattr(bench.made.engine, "execute", lambda *_: Done(0, text)))
    if bad:
        with pytest.raises(Failed, match=f"{errors} of {answered} answers since the switch"):
            watch(bench)
    else:
        watch(bench)


def test_an_edge_that_says_nothing_is_no_reason(bench: Bench) -> None:
    """Restarting, or of another kind: its words are not counted."""
    bench.made.engine.execute = lambda *_: Done(1, "", "refused")  # type: ignore[method-assign]
    watch(bench)
    assert total(["hello", said(10, 1)], ["web"]) == Answers(10, 1)


def test_an_edge_that_was_restarted_counts_anew() -> None:
    """From nought."""
    assert errors_since(Answers(1000, 5), Answers(30, 2)) == Answers(30, 2)
    assert errors_since(Answers(1000, 5), Answers(1030, 7)) == Answers(30, 2)


def test_whoever_wants_the_end_is_heeded(bench: Bench) -> None:
    """Between two looks."""
    bench.listener.cancel_at = -1
    with pytest.raises(Failed, match="interrupted"):
        watch(bench)


def test_work_that_ended_well_is_no_fault() -> None:
    """It had before, and still has."""
    assert going_bad([DONE], [DONE]) == ()
    (fault,) = going_bad([DONE], [replace(DONE, exit_code=1)])
    assert fault.what == "exited with code 1"
