"""Compose's durations and health checks, with Docker's defaults."""

from __future__ import annotations

from typing import Any

import pytest

from slipway.runner.durations import seconds
from slipway.stack.health import HealthCheck, health_check, replicas


def test_docker_defaults_and_switched_off_checks() -> None:
    """Docker's defaults fill what a check leaves out; a disabled check is none."""
    found = health_check({"healthcheck": {"test": "x"}})
    assert found == HealthCheck(30, 30, 3, 0, 5)
    assert found.deadline_s == 180
    for off in ({}, {"disable": True, "test": "x"}, {"test": ["NONE"]}, {"interval": "1s"}):
        assert health_check({"healthcheck": off}) is None
    assert health_check({}) is None


def test_a_checks_own_pace() -> None:
    """What a check says of itself holds, and tells how long to wait for it."""
    body = {
        "test": "x",
        "interval": "4s",
        "timeout": "1s",
        "retries": 2,
        "start_period": "10s",
        "start_interval": "500ms",
    }
    found = health_check({"healthcheck": body})
    assert found == HealthCheck(4, 1, 2, 10, 0.5)
    assert found.deadline_s == 20
    assert found.first_answer_s == 0.5
    assert HealthCheck(4, 1, 2, 10, 5).first_answer_s == 4
    assert HealthCheck(4, 1, 2, 0, 0.5).first_answer_s == 4


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ({}, 1),
        ({"scale": 3}, 3),
        ({"scale": 3, "deploy": {"replicas": 2}}, 2),
        ({"scale": 3, "deploy": {"replicas": 0}}, 0),
        ({"scale": 3, "deploy": {"resources": {}}}, 3),
        ({"deploy": None}, 1),
    ],
)
def test_replicas(body: dict[str, Any], count: int) -> None:
    """``deploy.replicas`` goes before ``scale``, also when it says none; one is usual."""
    assert replicas(body) == count


@pytest.mark.parametrize(
    ("text", "value"),
    [("1m30s", 90), ("500ms", 0.5), ("2h0m0s", 7200), ("1.5s", 1.5), ("250µs", 0.00025), (None, 9)],
)
def test_durations(text: str | None, value: float) -> None:
    """Durations as Compose writes them are seconds."""
    assert seconds(text, 9) == pytest.approx(value)
