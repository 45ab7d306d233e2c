"""Bring the services to what the release's file says."""

from __future__ import annotations

from slipway.plan.actions import Action
from slipway.plan.changes import UNHEALTHY
from slipway.plan.draft import Draft
from slipway.plan.step import Step
from slipway.plan.steps import common


def step(draft: Draft) -> Step | None:
    """None when no container changes."""
    plan = draft.plan
    if not plan.touched and not common.changed_networks(draft):
        return None
    about = f"{plan.touched} of {len(plan.containers)} services change"
    believed = common.first_touch(draft, plan.migrations, common.changed_networks(draft))
    return Step("up", about, believed, _actions(draft), common.undo(draft))


def _actions(draft: Draft) -> tuple[Action, ...]:
    stack, release = draft.wanted.stack, draft.release.id
    bodies = [stack.services[name] for name in stack.standing]
    everything = common.up(release, ("--remove-orphans",), bodies)
    # Compose leaves a container alone that is unhealthy but otherwise what the file says.
    sick = [change.service for change in draft.plan.containers if change.reason == UNHEALTHY]
    migration = stack.migration.service if draft.plan.migrations else ""
    woken = stack.dependencies(migration) if migration else ()
    awake = common.wake(draft, [name for name in stack.standing if name not in woken])
    if not sick:
        return (*awake, everything)
    return (
        *awake,
        common.up(release, ("--no-deps", "--force-recreate", *sick), bodies),
        everything,
    )
