"""Let the services that take secrets while they run have those of the release, and the old ones.

Whoever still shows an old one, until it is rolled, is let in as well.
"""

from __future__ import annotations

from collections.abc import Collection

from slipway.ledger.layout import secret_file
from slipway.ledger.release import Release
from slipway.plan.actions import Action, Hand
from slipway.plan.draft import Draft
from slipway.plan.handed import changed
from slipway.plan.step import Step
from slipway.plan.steps.common import UNUSED, belief
from slipway.runner.handed import BEFORE
from slipway.stack.model import Reload


def step(draft: Draft) -> Step | None:
    """None for a stack without such services; the way back takes the new ones away again."""
    release, live = draft.release, draft.seen.memory.records.live
    if not release.reloads:
        return None
    taking = {one.service for one in draft.plan.reloads}
    do = tuple(hand(one, release, live, take=one.service in taking) for one in release.reloads)
    names = sorted({name for one in draft.plan.reloads for name in one.secrets})
    about = f"{', '.join(names)}: old and new are valid" if names else "secrets of running services"
    undo = _back(draft, taking)
    return Step("hand", about, belief(draft), do, undo, "" if undo else UNUSED)


def _back(draft: Draft, taking: Collection[str]) -> tuple[Action, ...]:
    live = draft.seen.memory.records.live
    if live is None:
        return ()
    return tuple(
        hand(one, live, take=True)
        for one in live.reloads
        if one.service in taking or changed(one, draft.release, live)
    )


def hand(
    reload: Reload, release: Release, before: Release | None = None, *, take: bool = False
) -> Hand:
    """Let a service have the versions of a release.

    Args:
        reload: the service.
        release: whose versions.
        before: the release whose versions go on being valid, beside these.
        take: whether it is told to take them.
    """
    files = {name: secret_file(one, release.secrets[one]) for name, one in reload.files.items()}
    if before is not None:
        old = changed(reload, release, before)
        files |= {
            f"{name}{BEFORE}": secret_file(one, before.secrets[one])
            for name, one in reload.files.items()
            if one in old
        }
    return Hand(reload.service, tuple(sorted(files.items())), reload.command if take else ())
