"""A Compose file for a Docker that doesn't know all of it."""

from __future__ import annotations

from typing import Any

import pytest

from slipway.runner.older import fitted, knows


def steady(**check: Any) -> Any:
    """What becomes of a health check."""
    document = {"name": "demo", "services": {"web": {"image": "i", "healthcheck": check}}}
    changed = fitted(document)
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
    assert fitted(document) == document
    assert fitted({"name": "demo"}) == {"name": "demo", "services": {}}


def test_processors_are_texts() -> None:
    """As a Compose before 2.24 wants them; what else is limited stays, and who has no limits."""
    limits = {"cpus": 2, "memory": "512", "pids": 64}
    body = {"deploy": {"resources": {"limits": limits, "reservations": {"cpus": 0.25}},
                       "replicas": 2}}  # fmt: skip
    changed = fitted({"services": {"web": body, "db": {"deploy": {"replicas": 1}}}})["services"]
    assert changed["db"] == {"deploy": {"replicas": 1}}
    assert changed["web"]["deploy"] == {
        "resources": {"limits": {**limits, "cpus": "2"}, "reservations": {"cpus": "0.25"}},
        "replicas": 2,
    }
    assert fitted({"services": {"web": {"deploy": {"resources": {"limits": {"cpus": "1"}}}}}}) == {
        "services": {"web": {"deploy": {"resources": {"limits": {"cpus": "1"}}}}}
    }


@pytest.mark.parametrize(
    ("docker", "compose", "known"),
    [("1.44", "2.24.0", True), ("1.43", "2.26.1", False), ("1.52\n", "v2.23.3-desktop", False),
     ("1.52", "", None), ("?", "2.26.1", None)],
)  # fmt: skip
def test_both_have_to_know(docker: str, compose: str, known: bool | None) -> None:
    """Docker's API and Compose; nobody is taken for older who does not say."""
    assert knows(docker, compose) is known
