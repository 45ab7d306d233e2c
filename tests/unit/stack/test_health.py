"""Compose's durations and health checks, with Docker's defaults."""

from __future__ import annotations

import pytest

from slipway.stack.health import health_check, seconds


def test_docker_defaults_and_switched_off_checks() -> None:
    """Docker's defaults fill what a check leaves out; a disabled check is none."""
    found = health_check({"healthcheck": {"test": "x"}})
    assert found is not None
    assert found.deadline_s == 180
    assert health_check({"healthcheck": {"disable": True, "test": "x"}}) is None
    assert health_check({"healthcheck": {"test": ["NONE"]}}) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [("1m30s", 90), ("500ms", 0.5), ("2h0m0s", 7200), ("1.5s", 1.5), ("250µs", 0.00025), (None, 9)],
)
def test_durations(text: str | None, value: float) -> None:
    """Durations as Compose writes them are seconds."""
    assert seconds(text, 9) == pytest.approx(value)
