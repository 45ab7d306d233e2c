"""Watching services: deadlines from their own health checks, hard errors at once, few looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.plan.expected import expected
from slipway.runner.containers import Container
from slipway.runner.expected import Expected
from slipway.runner.watch import Fault, Look, Verdict, watch
from slipway.stack.model import Stack

ENDED = "service_completed_successfully"
WEB = Container("web", "c1", "web", "i", "running", "starting")
CHECKED = Expected("web", 1, 20)
UNCHECKED = Expected("web", 1, 6)


def watched(
    look: Callable[[float], tuple[Container, ...]], *wanted: Expected, patient: bool = False
) -> tuple[Verdict, list[Look]]:
    """The verdict on what ``look`` shows at each second, and every look that was asked for.

    A host that is ``patient`` goes on looking by itself, three times a second, while the health of
    a container is starting, as those that are real do.
    """
    asking = watch(wanted or (CHECKED,))
    asked, now = [next(asking)], 0.0
    while True:
        now += asked[-1].pause_s
        until = now + asked[-1].patience_s
        seen = look(now)
        while patient and now < until and any(one.health == "starting" for one in seen):
            now += 0.3
            seen = look(now)
        try:
            asked.append(asking.send((now, seen)))
        except StopIteration as end:
            return end.value, asked


def test_healthy_ends_the_watch() -> None:
    """The watch ends as soon as all is healthy."""
    verdict, asked = watched(lambda at: (replace(WEB, health="healthy" if at > 3 else "starting"),))
    assert verdict.well
    assert 3 < verdict.seconds < 5
    assert asked[0] == Look()
    assert {one.waiting_for for one in asked[1:]} == {("web",)}


def test_slow_is_told_from_broken() -> None:
    """A service that stays starting is waited for until its own deadline, no longer."""
    verdict, _ = watched(lambda at: (WEB,))
    assert [fault.what for fault in verdict.faults] == ["did not become healthy in time"]
    assert 20 <= verdict.seconds < 22


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"state": "exited", "exit_code": 3}, "exited with code 3"),
        ({"state": "restarting", "exit_code": 1}, "exited with code 1 and is being restarted"),
        ({"state": "running", "restarts": 2}, "ends again and again (2 restarts)"),
        ({"health": "unhealthy"}, "is unhealthy"),
        ({"oom_killed": True}, "was killed because it used more memory than its limit"),
        ({"state": "dead", "exit_code": 137}, "exited with code 137"),
    ],
)
def test_what_waiting_does_not_mend_ends_it_at_once(change: dict[str, Any], what: str) -> None:
    """An exit, a restart, a memory kill or bad health ends the watch at the next look."""
    verdict, _ = watched(lambda at: (replace(WEB, **change) if at > 2 else WEB,))
    assert [fault.what for fault in verdict.faults] == [what]
    assert verdict.faults[0].container == "c1"
    assert verdict.seconds < 4


def test_earlier_restarts_do_not_count() -> None:
    """Restarts from before the watch are no fault."""
    old = replace(WEB, restarts=7, health="healthy")
    assert watched(lambda at: (old,))[0].well


def test_without_a_health_check_it_has_to_stay_up() -> None:
    """A service without a health check is well after a second of running."""
    up = replace(WEB, health="")
    verdict, _ = watched(lambda at: (up,), UNCHECKED)
    assert verdict.well
    assert verdict.seconds >= 1


@pytest.mark.parametrize(
    "seen",
    [(), (replace(WEB, state="created"),), (replace(WEB, health="healthy", one_off=True),)],
)
def test_what_never_starts_is_a_fault(seen: tuple[Container, ...]) -> None:
    """A container that isn't made or isn't started in time is a fault."""
    verdict, _ = watched(lambda at: seen)
    assert not verdict.well
    assert verdict.seconds >= 20


@given(st.lists(st.tuples(st.sampled_from(["running", "created", "exited", "restarting"]),
                          st.sampled_from(["", "starting", "healthy", "unhealthy"]),
                          st.integers(0, 2)), min_size=1, max_size=30))  # fmt: skip
def test_every_watch_ends_by_its_deadline(history: list[tuple[str, str, int]]) -> None:
    """Whatever containers do, the watch ends, and is well only when the last look was."""
    looks: list[Container] = []

    def look(at: float) -> tuple[Container, ...]:
        state, health, restarts = history[min(int(at), len(history) - 1)]
        looks.append(replace(WEB, state=state, health=health, restarts=restarts))
        return (looks[-1],)

    verdict, _ = watched(look)
    assert verdict.seconds <= 22
    assert not verdict.well or looks[-1].well


def test_deadline_is_the_health_checks_own() -> None:
    """Start period and retries of interval and timeout make the deadline, plus five seconds."""
    check = {"test": "x", "interval": "10s", "timeout": "2s", "retries": 3, "start_period": "1m"}
    services: dict[str, Any] = {
        "a": {"healthcheck": check, "depends_on": {"c": {"condition": ENDED}}},
        "b": {"depends_on": {"a": {"condition": "service_healthy"}}},
        "c": {},
    }
    stack = Stack("demo", "", {"services": services}, {})
    assert expected(stack, ["a", "b", "c"]) == (
        Expected("a", 1, 60 + 36 + 5), Expected("b", 1, 6), Expected("c", 1, 65, ends=True),
    )  # fmt: skip


def test_work_that_ends_is_well_when_it_ended_with_0() -> None:
    """While it runs it is waited for; ended otherwise it is a fault."""
    work = Expected("web", 1, 20, ends=True)
    running, done = replace(WEB, health=""), replace(WEB, health="", state="exited")
    assert watched(lambda at: (done if at > 3 else running,), work)[0].well
    failed, _ = watched(lambda at: (replace(done, exit_code=3),), work)
    assert [fault.what for fault in failed.faults] == ["exited with code 3"]
    late, _ = watched(lambda at: (running,), work)
    assert [fault.what for fault in late.faults] == ["has not ended"]


def test_what_ran_once_is_neither_waited_for_nor_blamed() -> None:
    """A one-off container of a service that ended badly says nothing about the service."""
    up = replace(WEB, health="healthy")
    once = replace(WEB, id="c2", one_off=True, state="exited", exit_code=1)
    assert watched(lambda at: (up, once))[0].well


def test_every_container_of_a_service_counts() -> None:
    """Two that are wanted have both to be well, and the one that isn't is named."""
    two = replace(CHECKED, containers=2)
    up, other = replace(WEB, health="healthy"), replace(WEB, id="c2")
    verdict, _ = watched(lambda at: (up,), two)
    assert verdict.faults == (Fault("web", "", "1 of 2 containers exist"),)
    verdict, _ = watched(lambda at: (up, other), two)
    assert [fault.container for fault in verdict.faults] == ["c2"]


def test_services_that_are_well_are_waited_for_no_longer() -> None:
    """A look names those that are still awaited."""
    db = Container("db", "d1", "db", "i", "running", "healthy")
    slow = lambda at: (db, replace(WEB, health="healthy" if at > 4 else "starting"))  # noqa: E731
    verdict, asked = watched(slow, CHECKED, Expected("db", 1, 20))
    assert verdict.well
    assert asked[-1].waiting_for == ("web",)


@pytest.mark.parametrize(("deadline", "most"), [(20, 6), (100, 22)])
def test_a_host_is_asked_seldom(deadline: int, most: int) -> None:
    """A host that looks by itself is asked again every five seconds or so, and in the end."""
    verdict, asked = watched(lambda at: (WEB,), replace(CHECKED, deadline_s=deadline), patient=True)
    assert not verdict.well
    assert len(asked) <= most
    assert deadline <= verdict.seconds < deadline + 2
    quick, asked = watched(
        lambda at: (replace(WEB, health="healthy" if at > 3 else "starting"),), patient=True
    )
    assert quick.well
    assert len(asked) == 2
    assert quick.seconds < 4


def test_without_a_health_check_two_looks_are_enough() -> None:
    """The second look comes when the second in which it has to stay up is over."""
    verdict, asked = watched(lambda at: (replace(WEB, health=""),), UNCHECKED, patient=True)
    assert verdict.well
    assert [one.pause_s for one in asked] == [0, 1]
