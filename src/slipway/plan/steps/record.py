"""Make the release the live one, and note how the deploy ended."""

from __future__ import annotations

from slipway.ledger.entries import Line, Link, Source
from slipway.ledger.layout import CURRENT, JOURNAL, release_folder
from slipway.plan.actions import Write
from slipway.plan.draft import Draft
from slipway.plan.step import Step
from slipway.plan.steps.common import later, undo


def step(draft: Draft) -> Step:
    """The link is switched first: the journal tells of what has happened."""
    release = draft.release.id
    switch = Link(CURRENT, release_folder(release))
    do = (Write((switch, Line(JOURNAL, Source("journal", "deployed")))),)
    return Step("record", f"{release} is live", later(draft), do, undo(draft))
