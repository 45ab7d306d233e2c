"""Is it well? Every service, then the stack through its front door."""

from __future__ import annotations

from slipway.plan.actions import Action, Ask, Watch
from slipway.plan.draft import Draft
from slipway.plan.marked import marked
from slipway.plan.step import Step
from slipway.plan.steps.common import undo
from slipway.plan.steps.room import asked_of_fresh
from slipway.stack.project import ONLY


def step(draft: Draft) -> Step:
    """What makes a release good enough to be called live."""
    stack, url = draft.wanted.stack, draft.wanted.url
    watched = Watch(marked(draft.counted))
    asked = Ask(url + stack.verify_path, draft.release.trust)
    # Nobody may ask the edge there, nor tell it anything.
    room = () if stack.mode == ONLY else asked_of_fresh(draft)
    do: tuple[Action, ...] = (watched, *room, asked)
    return Step("verify", "is every service well?", do=do, undo=undo(draft))
