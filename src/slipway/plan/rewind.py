"""Take the database back together with a release: what was written since is lost. Pure."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from slipway.errors import DeployError
from slipway.ledger.layout import dump_file, undone_file
from slipway.ledger.records import Memory
from slipway.ledger.release import Release
from slipway.plan.actions import Action, Hand
from slipway.plan.changes import stopped
from slipway.plan.draft import Draft
from slipway.plan.step import Step
from slipway.plan.steps import again
from slipway.plan.steps.common import belief, dump, needs_rolled, put_back, restore, stop

_REASON = "the database goes back too"


def source(memory: Memory, to: Release) -> Release:
    """The release before whose migration the database was as it was with another one.

    That is the oldest one since that has a dump: each dump was made before its release migrated.

    Args:
        memory: what the host holds.
        to: the release to go back to.

    Raises:
        DeployError: there is no such dump; nothing was changed.
    """
    history = memory.records.history
    since = history[: history.index(to)] if to in history else ()
    found = [one for one in since if one.id in memory.dumps]
    live = memory.records.live
    if not found or live is None or not live.database.restore.service:
        why = (
            "the live release does not say how a database is put back (`x-slipway.migrate.restore`)"
            if found
            else "none of the releases since has migrated it, or their dumps are gone"
        )
        raise DeployError(
            f"there is no database to go back to with {to.id}: {why}; nothing was changed",
            details=_others(memory),
            hint="./inv rollback without --data leaves the database as it is",
            stage="plan",
        )
    return found[-1]


def _others(memory: Memory) -> tuple[str, ...]:
    """Which releases of before have their data kept."""
    history = memory.records.history
    kept = {*memory.dumps, *memory.snapshots}
    found = [old.id for new, old in pairwise(history) if new.id in kept]
    return (f"kept are the data of {', '.join(found)}",) if found else ()


def with_data(draft: Draft, live: Release) -> Draft:
    """The draft of a way back, with what uses the database stopped."""
    users = {*live.database.users, *draft.release.database.users}
    changes = stopped(draft.wanted.stack, draft.plan.containers, users, _REASON)
    return replace(draft, plan=replace(draft.plan, containers=changes))


def steps(draft: Draft, live: Release, origin: Release) -> tuple[Step, ...]:
    """Stop what uses the database, keep it as it is, put the dump in its place, bring all up.

    Args:
        draft: of :func:`with_data`.
        live: the release that is live now.
        origin: the one whose dump it is.
    """
    alone = needs_rolled(draft, draft.plan.services("create", "recreate"))
    back = put_back(live, draft.plan, draft.seen.memory.scale, alone=alone)
    ended = stop(live.id, [one for one in live.hashes if one in live.database.users])
    kept = undone_file(live.id)
    undo: tuple[Action, ...] = (
        *stop(live.id, live.database.users, needs=kept),
        restore(live.id, live.database, kept, needs=kept),
        *back,
    )
    names = ", ".join(live.database.users)
    made = [Step("stop", f"{names}: they use the database", belief(draft), ended, back)]
    if live.database.dump.service:
        do = (dump(live.id, live.database, kept),)
        made.append(Step("keep", f"the database as it is now: {kept}", do=do, undo=back))
    put = (restore(live.id, live.database, dump_file(origin.id)),)
    made.append(Step("restore", f"the database as it was before {origin.id}", do=put, undo=undo))
    made += [_undone_by(one, undo) for one in again(draft)]
    return tuple(made)


def _undone_by(step: Step, undo: tuple[Action, ...]) -> Step:
    """A step with this way back; what a service was told of secrets is taken back besides."""
    if not step.undo:
        return step
    return replace(step, undo=(*undo, *(one for one in step.undo if isinstance(one, Hand))))
