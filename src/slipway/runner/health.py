"""Services' own health checks, run at once and not when their time comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from slipway.runner.containers import Container
from slipway.runner.doors import Doors
from slipway.runner.expected import Expected
from slipway.runner.failure import Failed

_SHOWN_LINES = 10
_CHECK_S = 30.0
# As Docker does not call one unhealthy for a single failure.
_TRIES = 3
_AGAIN_S = 1.0


def check_health(
    doors: Doors, checks: Mapping[str, Sequence[str]], expected: Sequence[Expected]
) -> None:
    """Run services' own health checks now, in every container of theirs that counts.

    Args:
        doors: what to act through.
        checks: service to the program and arguments of its health check.
        expected: the services, with what marks the containers that count; empty for all.

    Raises:
        Failed: one does not pass, three times; its last lines are in the details.
    """
    for container in doors.docker.containers():
        argv = checks.get(container.service)
        counts = not expected or any(one.counts(container) for one in expected)
        if argv and counts and container.state == "running" and not container.one_off:
            _check_one(doors, container, argv)


def _check_one(doors: Doors, container: Container, argv: Sequence[str]) -> None:
    for left in reversed(range(_TRIES)):
        doors.listener.heed()
        done = doors.docker.execute(container.id, argv, _CHECK_S)
        if done.ok:
            return
        if left:
            doors.clock.sleep(_AGAIN_S)
    raise Failed(
        f"{container.service} does not pass its health check any more",
        details=(done.err or done.out).strip().splitlines()[-_SHOWN_LINES:],
    )
