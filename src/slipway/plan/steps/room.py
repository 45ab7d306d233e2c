"""See whether the edge can bring requests to what is rolled, before anything changes.

HAProxy itself is asked: it alone knows what its configuration means. Where another edge comes with
this deploy it is that one which counts, and it is asked once it runs
(:mod:`slipway.plan.steps.verify`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from slipway.plan.actions import Room
from slipway.plan.draft import Draft
from slipway.plan.step import Step
from slipway.plan.steps.roll import rolled
from slipway.runner.containers import standing
from slipway.runner.roll import Rolling


def step(draft: Draft) -> Step | None:
    """None when nothing comes to the edge that is there, or there is none."""
    if fresh_edge(draft):
        return None
    made = room(draft, reached(draft))
    return made[0] if made and _edge_runs(draft) else None


def room(draft: Draft, services: Sequence[Rolling]) -> tuple[Step, ...]:
    """The step for some services; none when the edge gives none of them requests.

    One container of each can be had without an edge that answers, several can't.

    Args:
        draft: tells whether an edge runs.
        services: those that are to be reached.
    """
    behind = tuple(one for one in services if one.behind)
    if not behind or not (_edge_runs(draft) or any(one.containers > 1 for one in behind)):
        return ()
    about = "has the edge places for them?"
    return (Step("room", about, do=(Room(behind),), reason="nothing was changed"),)


def reached(draft: Draft) -> tuple[Rolling, ...]:
    """The services that a deploy has the edge bring requests to."""
    found = {one.service: one for one in rolled(draft)}
    anew = draft.plan.services("create", "recreate", "roll")
    return tuple(
        found.get(one.service, one)
        for one in draft.counted.rolling
        if one.behind and (one.service in found or one.service in anew)
    )


def fresh_edge(draft: Draft) -> bool:
    """Whether the edge is another one after this deploy."""
    edge = draft.release.edge.get("service")
    return edge in draft.plan.services("create", "recreate", "roll")


def asked_of_fresh(draft: Draft) -> tuple[Room, ...]:
    """The question to an edge that came with a deploy, of which the one before is no part."""
    services = reached(draft)
    if not services or not fresh_edge(draft):
        return ()
    edge = draft.release.edge.get("service")
    old = {one.service: one.old for one in draft.plan.containers}
    own = [one for one in draft.counted.rolling if one.service == edge]
    return (Room((*services, *(replace(one, old=old.get(one.service, ())) for one in own))),)


def _edge_runs(draft: Draft) -> bool:
    edge = draft.release.edge.get("service")
    there = standing(draft.seen.engine.containers)
    return any(one.service == edge and one.state == "running" for one in there)
