"""Is it well? Every service, then the stack through its front door."""

from __future__ import annotations

from slipway.plan.actions import Ask, Watch
from slipway.plan.draft import Draft
from slipway.plan.step import Step
from slipway.plan.steps.common import marked, undo


def step(draft: Draft) -> Step:
    """What makes a release good enough to be called live."""
    stack, url = draft.wanted.stack, draft.wanted.url
    do = (Watch(marked(draft.counted)), Ask(url + stack.verify_path))
    return Step("verify", "is every service well?", do=do, undo=undo(draft))
