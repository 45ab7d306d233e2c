"""Bring services to what the release's file says that can't be rolled: the old stops first."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.plan.actions import Action, Start
from slipway.plan.draft import Draft
from slipway.plan.step import Step
from slipway.plan.steps import common
from slipway.plan.steps.roll import rolled as rolling


def step(draft: Draft) -> Step | None:
    """None when nothing has to be made, made anew with a stop before, or removed."""
    plan = draft.plan
    networks = common.changed_networks(draft)
    names = plan.services("create", "recreate")
    if not names and not plan.services("remove") and not networks:
        return None
    believed = common.first_touch(draft, plan.migrations, networks)
    return Step("up", _about(draft), believed, _actions(draft, names), common.undo(draft))


def _about(draft: Draft) -> str:
    """What comes to be, what is stopped for it, what goes."""
    told = (
        ("recreate", "{}: the old stops first"),
        ("create", "start {}"),
        ("remove", "end {}"),
    )
    parts = [
        words.format(", ".join(names))
        for action, words in told
        if (names := draft.plan.services(action))
    ]
    return "; ".join(parts) or "networks made anew"


def _actions(draft: Draft, names: Sequence[str]) -> tuple[Action, ...]:
    """Compose brings up what is named, and what that needs, in the order it needs it in.

    Nothing else is named: what is made anew has to be stopped, and Compose (2.26) then stops all
    that depends on it as well, as far as it was told of it. What is rolled in the same deploy must
    not be among it either.
    """
    stack, plan = draft.wanted.stack, draft.plan
    alone = common.needs_rolled(draft, names)
    further = ("--remove-orphans", *(("--no-deps",) if alone else ()))
    everything = common.up(draft, further, names)
    # Compose leaves a container alone that says of itself that it is what the file says.
    sick = [change.service for change in plan.containers if change.old]
    sick = [name for name in sick if name in names]
    migration = stack.migration.service if plan.migrations else ""
    woken = stack.dependencies(migration) if migration else ()
    awake = common.wake(draft, [name for name in names if name not in woken])
    early = _early(draft, names)
    if not sick:
        return (*early, *awake, everything)
    return (
        *early,
        *awake,
        *common.anew(draft, sick),
        everything,
    )


def _early(draft: Draft, names: Sequence[str]) -> tuple[Action, ...]:
    """What is rolled begins to start before that, unless it needs what is stopped here.

    The edge does not: it takes requests as soon as it has started.
    """
    edge = draft.release.edge.get("service", "")
    mine = set(draft.plan.services("roll")) - {edge}
    rolled = tuple(one for one in rolling(draft) if one.service in mine)
    needed = {one for each in rolled for one in draft.wanted.stack.dependencies(each.service)}
    if not rolled or needed & set(names):
        return ()
    return (Start(draft.release.id, rolled),)
