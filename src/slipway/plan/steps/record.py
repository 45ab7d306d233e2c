"""Make the release the live one."""

from __future__ import annotations

from slipway.ledger.entries import Link
from slipway.ledger.layout import CURRENT, release_folder
from slipway.plan.actions import Write
from slipway.plan.draft import Draft
from slipway.plan.step import Step
from slipway.plan.steps.common import later, undo

NAME = "record"


def step(draft: Draft) -> Step:
    """From its end on there is no way back."""
    release = draft.release.id
    do = (Write((Link(CURRENT, release_folder(release)),)),)
    return Step(NAME, f"{release} is live", later(draft), do, undo(draft))
