"""A Compose file for a Docker that doesn't know all of it."""

from __future__ import annotations

from typing import Any

import pytest

from slipway.runner.older import without_start_interval


def steady(**check: Any) -> Any:
    """What becomes of a health check."""
    document = {"name": "demo", "services": {"web": {"image": "i", "healthcheck": check}}}
    changed = without_start_interval(document)
    assert document["services"]["web"]["healthcheck"] == check, "what was given is as it was"  # type: ignore[index]
    return changed["services"]["web"]["healthcheck"]


@pytest.mark.parametrize(
    ("check", "becomes"),
    [
        ({"interval": "30s", "retries": 3, "start_interval": "1s", "timeout": "5s"},
         {"interval": "5s", "retries": 18, "timeout": "5s"}),
        ({"start_interval": "500ms"}, {"interval": "5s", "retries": 18}),
        ({"interval": "1m2s", "retries": 1, "start_interval": "1s"},
         {"interval": "5s", "retries": 13}),
        ({"interval": "2s", "retries": 3, "start_interval": "1s"},
         {"interval": "2s", "retries": 3}),
        ({"interval": "30s"}, {"interval": "30s"}),
        ({"disable": True}, {"disable": True}),
    ],
)  # fmt: skip
def test_a_check_keeps_its_patience(check: dict[str, Any], becomes: dict[str, Any]) -> None:
    """It is unhealthy after as long as before, and healthy sooner than at the slow pace."""
    assert steady(**check) == becomes


def test_all_else_stays() -> None:
    """Services without a check, and what is no service."""
    document = {"name": "demo", "services": {"a": {"image": "i"}}, "volumes": {"v": None}}
    assert without_start_interval(document) == document
    assert without_start_interval({"name": "demo"}) == {"name": "demo", "services": {}}
