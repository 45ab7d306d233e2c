"""Watching services: deadlines from their own health checks, hard errors at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipway.act.watch import ask_health, watch_containers

from slipway.doors import Answer
from slipway.errors import DeployError
from slipway.hosts.container import Container
from slipway.plan.watch import Expected, Verdict, expected
from slipway.stack.health import health_check, seconds
from slipway.testing import FakeClock, FakeHttp

WEB = Container("web", "c1", "web", "i", "running", "starting")
CHECKED = Expected("web", 1, True, 20.0)
UNCHECKED = Expected("web", 1, False, 6.0)


def watched(
    look: Callable[[float], tuple[Container, ...]], wanted: Expected = CHECKED
) -> tuple[Verdict, list[str]]:
    """The verdict on what ``look`` shows at each second."""
    clock, told = FakeClock(), list[str]()
    verdict = watch_containers([wanted], lambda: look(clock.monotonic()), clock, told.append)
    return verdict, told


def test_healthy_ends_the_watch() -> None:
    """The watch ends as soon as all is healthy."""
    verdict, told = watched(lambda at: (replace(WEB, health="healthy" if at > 3 else "starting"),))
    assert verdict.well
    assert 3 < verdict.seconds < 5
    assert told == ["  waiting for web"]


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
    "seen", [(), (replace(WEB, state="created"),), (replace(WEB, one_off=True),)]
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
    (one, other) = expected({"a": {"healthcheck": check}, "b": {}}, ["a", "b"])
    assert one == Expected("a", 1, True, 60 + 36 + 5)
    assert other == Expected("b", 1, False, 6)


def test_docker_defaults_and_switched_off_checks() -> None:
    """Docker's defaults fill what a check leaves out; a disabled check is none."""
    found = health_check({"healthcheck": {"test": "x"}})
    assert found is not None
    assert found.deadline_s == 180
    assert health_check({"healthcheck": {"disable": True, "test": "x"}}) is None
    assert health_check({"healthcheck": {"test": ["NONE"]}}) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [("1m30s", 90), ("500ms", 0.5), ("2h", 7200), (5, 5), ("1.5s", 1.5), (None, 9)],
)
def test_durations(text: object, value: float) -> None:
    """Compose's durations are seconds."""
    assert seconds(text, 9) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "soon", "5", "1m x", "-1s"])
def test_wrong_durations(text: str) -> None:
    """Anything else is refused."""
    with pytest.raises(ValueError, match="is no duration"):
        seconds(text, 0)


def test_health_page_is_asked_until_it_agrees() -> None:
    """Workers may need a moment: a 503 is asked again."""
    http = FakeHttp({"u": [Answer(0, b"refused"), Answer(503, b""), Answer(200, b"{}")]})
    ask_health(http, FakeClock(), "u")
    assert len(http.asked) == 3


def test_health_page_that_never_agrees() -> None:
    """After a minute the last answer is shown, set out when it is JSON."""
    http = FakeHttp({"u": [Answer(503, b'{"checks":{"redis":"down"}}')]})
    clock = FakeClock()
    with pytest.raises(DeployError, match="gave 503") as caught:
        ask_health(http, clock, "u")
    assert 60 <= clock.seconds < 62
    assert any('"redis": "down"' in line for line in caught.value.details)
