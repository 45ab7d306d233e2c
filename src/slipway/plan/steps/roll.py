"""Start new containers beside the old ones, and bring all requests to them."""

from __future__ import annotations

from dataclasses import replace

from slipway.plan.actions import Roll
from slipway.plan.draft import Draft
from slipway.plan.rolling import phases
from slipway.plan.step import Step
from slipway.plan.steps.common import changed_networks, first_touch, undo
from slipway.runner.roll import Rolling


def rolled(draft: Draft) -> tuple[Rolling, ...]:
    """The services that this deploy rolls.

    One with several containers is among them when it or the edge is made anew: a service's name
    leads the edge to one of its containers only, and the others are given to it while it runs.
    """
    old = {one.service: one.old for one in draft.plan.containers if one.action == "roll"}
    anew = set(draft.plan.services("create", "recreate", "roll"))
    edge = draft.release.edge.get("service")
    return tuple(
        replace(one, old=old.get(one.service, ()))
        for one in draft.counted.rolling
        if one.service in old or (one.behind and one.containers > 1 and anew & {one.service, edge})
    )


def step(draft: Draft) -> Step | None:
    """None when nothing is rolled."""
    services = rolled(draft)
    if not services:
        return None
    edge = draft.release.edge.get("service", "")
    names = ", ".join(one.service for one in services)
    earlier = draft.plan.services("create", "recreate", "remove")
    believed = first_touch(draft, draft.plan.migrations, changed_networks(draft), earlier)
    return Step(
        "roll",
        f"{names} beside the old, then switch",
        believed,
        tuple(Roll(draft.release.id, one) for one in phases(services, edge)),
        undo(draft),
    )
