"""Take all data back together with a release, by a snapshot. Pure.

The data as they are come into a snapshot of their own first, and every way back ends with them: no
moment leaves the live release with half of the one and half of the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from slipway.hosts.dataset import Place
from slipway.ledger.entries import Link, Text
from slipway.ledger.layout import APP_FILE, left_link
from slipway.ledger.records import Memory
from slipway.ledger.release import Release
from slipway.ledger.snapshots import Taken, left
from slipway.plan.actions import Action, Compose, Hand, Write
from slipway.plan.changes import stopped
from slipway.plan.draft import Draft
from slipway.plan.registering import LIVE, placeholder
from slipway.plan.snapshotting import Rewind, Snapshot, to_leave
from slipway.plan.step import Step
from slipway.plan.steps import again
from slipway.plan.steps.common import belief, later, put_back
from slipway.stack.project import MODES

_DOWN_S = 600.0
_REASON = "its data go back too"


def kept_by(memory: Memory, to: Release) -> Taken | None:
    """The snapshot that has the data of a release as they were when it was live last.

    That is the oldest one taken since before a migration; of a release that the live one does not
    follow, the one that was taken when it was left. None where there is none, or a dump is older.

    Args:
        memory: what the host holds.
        to: the release to go back to.
    """
    history = memory.records.history
    if to not in history:
        some = next((one.snapshot for one in memory.records.releases if one.snapshot), None)
        if to.id not in memory.left or some is None:
            return None
        return replace(some, name=left(to.application, to.id))
    since = history[: history.index(to)]
    found = [one for one in since if one.id in memory.dumps or one.id in memory.snapshots]
    return found[-1].snapshot if found and found[-1].id in memory.snapshots else None


def with_all(draft: Draft) -> Draft:
    """The draft of a way back, with everything stopped."""
    stack, changes = draft.wanted.stack, draft.plan.containers
    every = {one.service for one in changes}
    return replace(
        draft, plan=replace(draft.plan, containers=stopped(stack, changes, every, _REASON))
    )


def steps(draft: Draft, live: Release, place: Place, taken: Taken) -> tuple[Step, ...]:
    """End everything, keep the data as they are, put the others in their place, bring all up.

    Containers are removed: Docker starts those that are stopped once more when the server boots.

    Args:
        draft: of :func:`with_all`.
        live: the release that is live now.
        place: where the data lie.
        taken: the snapshot to go back to.
    """
    half = draft.seen.memory.half
    keep = to_leave(place, live.application, live.id)
    paths, kept = (place.path, *place.inner), half or keep.name
    shut, opened = _app_file(live)
    down = (*shut, Compose(live.id, ("down", "--remove-orphans"), _DOWN_S))
    up = (*opened, *put_back(live, draft.plan, draft.seen.memory.scale))
    undo = (*down, Rewind(paths, kept, kept), *up)
    # What a run that was broken off left is of no use to the live release, not for a moment.
    made = [Step("stop", "everything", belief(draft), down, undo if half else up)]
    if not half:
        do = (Snapshot(keep, left_link(live.id), anew=True),)
        made.append(Step("keep", f"the data as they are now: {keep}", do=do, undo=up))
    put = (Rewind(paths, taken.name, kept), *opened)
    made.append(Step("restore", f"the data as they were: {taken}", do=put, undo=undo))
    rest = [replace(one, belief=later(draft)) if one.belief else one for one in again(draft)]
    return (*made, *(_undone_by(one, undo) for one in rest))


def _app_file(live: Release) -> tuple[Sequence[Action], Sequence[Action]]:
    """Have a start in TrueNAS' interface start nothing, and what it did again."""
    if live.mode == MODES[0] or not live.images:
        return (), ()
    stand_in = placeholder(live.images[min(live.images)].reference)
    return (Write((Text(APP_FILE, stand_in),)),), (Write((Link(APP_FILE, LIVE),)),)


def _undone_by(one: Step, undo: tuple[Action, ...]) -> Step:
    """A step with this way back, after what services were told of secrets is taken back."""
    if not one.undo:
        return one
    return replace(one, undo=(*(each for each in one.undo if isinstance(each, Hand)), *undo))
