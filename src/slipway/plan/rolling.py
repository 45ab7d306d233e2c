"""Which services are rolled, and what their right containers are like. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from slipway.ledger.release import Release
from slipway.plan.expected import expected
from slipway.runner.durations import seconds
from slipway.runner.roll import Rolling
from slipway.stack.model import Stack

_STOP_GRACE_S = 10.0


def phases(services: Sequence[Rolling], edge: str) -> tuple[tuple[Rolling, ...], ...]:
    """What is rolled at once, in order: the edge comes last.

    A new edge asks Docker for the names of services, which lead to every container that there is.
    Once the others were switched all of these are well, and before the old edge ends the new one
    is told which are the right ones: hence all are in the last one.

    Args:
        services: those to roll.
        edge: the edge's service; empty without one.
    """
    others = tuple(one for one in services if one.service != edge)
    if others and len(others) < len(services):
        return others, tuple(services)
    return (tuple(services),) if services else ()


def rolling(stack: Stack, release: Release) -> tuple[Rolling, ...]:
    """Every standing service of a release that can be rolled.

    Unless its ``drain`` says otherwise, the requests of an old container are given as long as its
    stop would be: the grace period that the Compose file gives it.
    """
    found = []
    for one in expected(stack, [name for name in stack.standing if name in stack.rolled]):
        image = release.images.get(stack.roles.get(one.service, ""))
        grace_s = seconds(stack.services[one.service].get("stop_grace_period"), _STOP_GRACE_S)
        found.append(
            Rolling(
                one.service,
                one.containers,
                release.hashes[one.service],
                (image.config_digest, image.manifest_digest) if image else (),
                one.deadline_s,
                math.ceil(stack.drains.get(one.service, grace_s)),
                stack.rolled[one.service] == "edge",
            )
        )
    return tuple(found)
