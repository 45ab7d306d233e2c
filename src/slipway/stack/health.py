"""A health check's own pace, and how many containers there are to be. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slipway.runner.durations import seconds


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """A service's health check with Docker's defaults filled in; times are seconds.

    Attributes:
        interval_s: from one check to the next.
        timeout_s: after which a check counts as failed.
        retries: failures in a row that make it unhealthy.
        start_period_s: in which failures don't count.
        start_interval_s: from one check to the next in that period.
    """

    interval_s: float
    timeout_s: float
    retries: int
    start_period_s: float
    start_interval_s: float

    @property
    def deadline_s(self) -> float:
        """Seconds after its start by which Docker has called it healthy or unhealthy."""
        return self.start_period_s + (self.interval_s + self.timeout_s) * self.retries

    @property
    def first_answer_s(self) -> float:
        """Seconds after its start until a quick service is known to be healthy."""
        return (
            min(self.start_interval_s, self.interval_s) if self.start_period_s else self.interval_s
        )


def health_check(body: Mapping[str, Any]) -> HealthCheck | None:
    """The health check of a service's Compose definition, or None without one.

    Defaults are Docker's: 30 s, 30 s, 3, 0 s, 5 s
    (https://docs.docker.com/reference/dockerfile/#healthcheck).
    """
    check = body.get("healthcheck")
    if not check or check.get("disable") or check.get("test") in (None, ["NONE"]):
        return None
    return HealthCheck(
        interval_s=seconds(check.get("interval"), 30),
        timeout_s=seconds(check.get("timeout"), 30),
        retries=check.get("retries") or 3,
        start_period_s=seconds(check.get("start_period"), 0),
        start_interval_s=seconds(check.get("start_interval"), 5),
    )


def replicas(body: Mapping[str, Any]) -> int:
    """How many containers a service's Compose definition asks for."""
    wanted = (body.get("deploy") or {}).get("replicas")
    return int(body.get("scale", 1) if wanted is None else wanted)
