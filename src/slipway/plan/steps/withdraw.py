"""Let old secrets in no more: nobody runs any longer who shows them."""

from __future__ import annotations

from slipway.plan.draft import Draft
from slipway.plan.handed import changed
from slipway.plan.step import Step
from slipway.plan.steps.hand import hand

_REASON = "the release is live; an old one that can't be withdrawn lets in until it is"


def step(draft: Draft) -> Step | None:
    """None when no service that takes secrets while it runs has another version of one."""
    release, live = draft.release, draft.seen.memory.records.live
    mine = [one for one in release.reloads if changed(one, release, live)]
    if not mine:
        return None
    names = sorted({name for one in mine for name in changed(one, release, live)})
    do = tuple(hand(one, release, take=True) for one in mine)
    return Step("withdraw", f"{', '.join(names)}: the old let in no more", do=do, reason=_REASON)
