"""Make the release the live one."""

from __future__ import annotations

from slipway.ledger.entries import Link
from slipway.ledger.layout import APP_FILE, CURRENT, release_folder
from slipway.plan.actions import Write
from slipway.plan.draft import Draft
from slipway.plan.registering import LIVE
from slipway.plan.step import Step
from slipway.plan.steps.common import later, undo
from slipway.stack.project import ONLY

NAME = "record"


def step(draft: Draft) -> Step:
    """From its end on there is no way back."""
    release = draft.release.id
    links = [Link(CURRENT, release_folder(release))]
    if draft.wanted.stack.mode == ONLY:
        links.append(Link(APP_FILE, LIVE))
    do = (Write(tuple(links)),)
    return Step(NAME, f"{release} is live", later(draft), do, undo(draft))
