"""Have TrueNAS start the release: what runs ends first, for it can't replace one by one."""

from __future__ import annotations

from slipway.plan.draft import Draft
from slipway.plan.step import Step
from slipway.plan.steps.asked import asked_back, started
from slipway.plan.steps.common import belief

NAME = "redeploy"


def step(draft: Draft) -> Step | None:
    """None when no container changes."""
    if not draft.plan.touched:
        return None
    about = "TrueNAS ends all services and starts them anew"
    return Step(NAME, about, belief(draft), started(draft, draft.release), asked_back(draft))
