"""Start what the migration needs, ask what is pending, keep the database as it is, and migrate.

The code from before goes on running meanwhile, so its health checks must pass afterwards. For a
migration that is marked so, what uses the database is stopped first, and the way back puts the
database back as well.
"""

from __future__ import annotations

from slipway.ledger.layout import dump_file
from slipway.plan.actions import Action, Check, Compose, Watch
from slipway.plan.draft import Draft
from slipway.plan.expected import expected
from slipway.plan.step import Step
from slipway.plan.steps.checks import checks
from slipway.plan.steps.common import (
    changed_networks,
    dump,
    first_touch,
    needs_downtime,
    stop,
    undo,
    up,
    wake,
)

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
        ""
        if needs_downtime(draft)
        else "the database keeps its new shape, which the release before was seen to run on",
    )


def _actions(draft: Draft) -> tuple[Action, ...]:
    stack, release = draft.wanted.stack, draft.release.id
    migration = stack.migration
    needed = stack.dependencies(migration.service)
    actions: list[Action] = list(wake(draft, needed))
    if needed:
        actions.append(up(draft, (), needed))
        actions.append(Watch(expected(stack, needed)))
    run = ("run", "--rm", "--no-deps", "-T", migration.service)
    if migration.plan:
        failed = "the migration could not be planned"
        actions.append(Compose(release, (*run, *migration.plan), _ASK_S, failed, gate=True))
    live = draft.seen.memory.records.live
    if live is not None and needs_downtime(draft):
        users = stack.database_users
        actions += stop(live.id, [one for one in users if one in live.hashes])
    if migration.dump.service and live is not None:
        actions.append(dump(release, draft.release.database, dump_file(release)))
    failed = "the migration failed"
    actions.append(Compose(release, (*run, *migration.command), _MIGRATE_S, failed))
    # What goes on running with the code from before the migration.
    if found := checks(stack, draft.plan.services("roll")):
        actions.append(Check(found))
    return tuple(actions)
