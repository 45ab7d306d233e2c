"""Keep the data as they are before a migration changes them."""

from __future__ import annotations

from slipway.ledger.layout import snapshot_link
from slipway.plan.draft import Draft
from slipway.plan.snapshotting import Snapshot
from slipway.plan.step import Step

NAME = "snapshot"


def step(draft: Draft) -> Step | None:
    """None where no migration is pending, or the data path is no dataset."""
    taken = draft.plan.snapshot
    if taken is None:
        return None
    do = (Snapshot(taken, snapshot_link(draft.release.id)),)
    reason = "a snapshot does no harm; it goes with its release"
    return Step(NAME, f"{taken}: the data before the migration", do=do, reason=reason)
