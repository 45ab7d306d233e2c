"""What a deploy is where TrueNAS starts the services: all end, then all start. Pure.

It calls Compose's ``down`` and then ``up`` (middlewared, ``plugins/apps/compose_utils.py``), and
can't replace one service alone. So with one change all have one, and what a service waits for is a
part of the time in which it does not answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from slipway.plan.values import ContainerChange, DefinitionChange, Plan
from slipway.runner.durations import seconds
from slipway.stack.health import health_check
from slipway.stack.model import Stack
from slipway.stack.project import ONLY

_STOP_GRACE_S = 10.0
_START_S = 1.0

REASON = "TrueNAS starts all anew"
#: Why a service has no container, and is to have none for now.
UNWANTED, ENDED = "none is wanted", "has ended"
#: What people are told of it.
OUTAGE = (
    "all services stop while TrueNAS starts them anew, for it can't replace one by one "
    f'(mode = "{ONLY}")'
)


def all_anew(stack: Stack, plan: Plan) -> Plan:
    """A plan as TrueNAS carries it out.

    Args:
        stack: the services.
        plan: what has to change.
    """
    if stack.mode != ONLY or not (plan.touched or plan.migrations or plan.definitions):
        return plan
    grace = [seconds(body.get("stop_grace_period"), _STOP_GRACE_S) / 10
             for body in stack.services.values()]  # fmt: skip
    ending, starting = max(grace, default=0.0), _starting(stack)
    containers = tuple(_anew(one, ending + starting.get(one.service, 0.0))
                       for one in plan.containers)  # fmt: skip
    outage = tuple(one.service for one in containers if one.action == "recreate")
    return replace(plan, containers=containers, definitions=_volumes(plan), outage=outage)


def _anew(change: ContainerChange, downtime_s: float) -> ContainerChange:
    """What is not there yet, is not wanted any more, or is to have no container, stays so."""
    if change.action in ("create", "remove") or change.reason in (UNWANTED, ENDED):
        return change
    reason = REASON if change.action == "keep" else change.reason
    return ContainerChange(change.service, "recreate", reason, round(downtime_s, 1))


def _volumes(plan: Plan) -> tuple[DefinitionChange, ...]:
    """Networks go with the app and come with it; volumes stay what they are."""
    return tuple(one for one in plan.definitions if one.kind == "volume")


def _starting(stack: Stack) -> Mapping[str, float]:
    """Service to the seconds until it answers, with all that it waits for."""
    found: dict[str, float] = {}

    def until(name: str, above: Sequence[str]) -> float:
        if name not in found:
            needed = stack.services[name].get("depends_on") or {}
            there = [one for one in needed if one in stack.services and one not in above]
            check = health_check(stack.services[name])
            own = check.first_answer_s if check else _START_S
            found[name] = own + max((until(one, (*above, name)) for one in there), default=0.0)
        return found[name]

    for name in stack.services:
        until(name, ())
    return found
