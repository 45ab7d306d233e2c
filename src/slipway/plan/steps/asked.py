"""What TrueNAS is asked to start, and what it is asked for on the way back. Pure."""

from __future__ import annotations

from dataclasses import replace

from slipway.ledger.entries import Link
from slipway.ledger.layout import APP_FILE, CURRENT, compose_file, release_folder
from slipway.ledger.release import Release
from slipway.plan.actions import Action, Watch, Write
from slipway.plan.draft import Draft
from slipway.plan.marked import marked
from slipway.plan.registering import LIVE, Redeploy, Stop, Unregister
from slipway.plan.snapshotting import Revert
from slipway.stack.project import ONLY


def started(draft: Draft, release: Release) -> tuple[Action, ...]:
    """Have what a release's file says started, and see whether it is well."""
    there = Write((Link(APP_FILE, compose_file(release.id)),))
    watched = Watch(marked(replace(release, mode=ONLY)))
    return (there, Redeploy(draft.wanted.stack.application), watched)


def asked_back(draft: Draft) -> tuple[Action, ...]:
    """The way back to what ran before this deploy."""
    live, app = draft.seen.memory.records.live, draft.wanted.stack.application
    if live is None:
        links = (Link(APP_FILE, ""), Link(CURRENT, ""))
        return (Unregister(app), Write(links))
    again, taken = started_again(draft, live), draft.plan.snapshot
    if taken is None or draft.plan.gone or not stops_first(draft):
        return again
    # Whoever starts the app by hand, should the data stay as they are, starts the release before.
    return (Stop(app), _linked(live), Revert(taken), *again)


def started_again(draft: Draft, live: Release) -> tuple[Action, ...]:
    """Have the release before started, on the data as they are."""
    if draft.plan.gone:  # it can't be started without what is lost: see Plan.one_way
        return (Stop(draft.wanted.stack.application), _linked(live))
    # How many its file says is not known here, when it is of another mode.
    counted = tuple(replace(one, containers=min(one.containers, 1)) for one in live.expected)
    return (*started(draft, replace(live, expected=counted)), _linked(live))


def _linked(live: Release) -> Write:
    """What is live again, also to TrueNAS."""
    return Write((Link(CURRENT, release_folder(live.id)), Link(APP_FILE, LIVE)))


def stops_first(draft: Draft) -> bool:
    """Whether all is stopped before the snapshot by which the data would come back.

    What was written between a snapshot and the stop would be lost.
    """
    live, plan = draft.seen.memory.records.live, draft.plan
    return (
        draft.wanted.stack.mode == ONLY
        and live is not None
        and plan.snapshot is not None
        and any(one.downtime for one in plan.migrations)
    )
