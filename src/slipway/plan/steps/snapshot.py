"""Keep the data as they are before a migration changes them."""

from __future__ import annotations

from slipway.ledger.layout import snapshot_link
from slipway.plan.draft import Draft
from slipway.plan.registering import Stop
from slipway.plan.snapshotting import Snapshot
from slipway.plan.step import Step
from slipway.plan.steps.asked import started_again, stops_first
from slipway.plan.steps.common import belief

NAME = "snapshot"


def step(draft: Draft) -> Step | None:
    """None where no migration is pending, or the data path is no dataset."""
    taken = draft.plan.snapshot
    if taken is None:
        return None
    do = (Snapshot(taken, snapshot_link(draft.release.id)),)
    reason = "a snapshot does no harm; it goes with its release"
    about = f"{taken}: the data before the migration"
    live = draft.seen.memory.records.live
    if live is None or not stops_first(draft):
        return Step(NAME, about, do=do, reason=reason)
    ended = (Stop(draft.wanted.stack.application), *do)
    return Step(NAME, about, belief(draft), ended, started_again(draft, live))
