"""Start what the migration needs, ask what is pending, and run it."""

from __future__ import annotations

from slipway.plan.actions import Action, Compose, Watch
from slipway.plan.draft import Draft
from slipway.plan.step import Step
from slipway.plan.steps.common import changed_networks, first_touch, undo, up, wake
from slipway.plan.expected import expected

_ASK_S = 120.0
_MIGRATE_S = 900.0


def step(draft: Draft) -> Step | None:
    """None when no migration is pending."""
    if not draft.plan.migrations:
        return None
    return Step(
        "migrate",
        "bring the database to the release's shape",
        first_touch(draft, changed_networks(draft)),
        _actions(draft),
        undo(draft),
        "the database keeps its new shape, which the release before can read",
    )


def _actions(draft: Draft) -> tuple[Action, ...]:
    stack, release = draft.wanted.stack, draft.release.id
    migration = stack.migration
    needed = stack.dependencies(migration.service)
    actions: list[Action] = list(wake(draft, needed))
    if needed:
        bodies = [stack.services[name] for name in needed]
        actions.append(up(release, ("--no-deps", *needed), bodies))
        actions.append(Watch(expected(stack, needed)))
    run = ("run", "--rm", "--no-deps", "-T", migration.service)
    if migration.plan:
        failed = "the migration could not be planned"
        actions.append(Compose(release, (*run, *migration.plan), _ASK_S, failed, gate=True))
    failed = "the migration failed"
    return (*actions, Compose(release, (*run, *migration.command), _MIGRATE_S, failed))
