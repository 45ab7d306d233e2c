"""Have TrueNAS start the release: what runs ends first, for it can't replace one by one."""

from __future__ import annotations

from slipway.plan.draft import Draft
from slipway.plan.step import Step
from slipway.plan.steps.asked import asked_back, started, stops_first
from slipway.plan.steps.common import first_touch

NAME = "redeploy"


def step(draft: Draft) -> Step | None:
    """None when no container changes."""
    if not draft.plan.touched:
        return None
    about = "TrueNAS ends all services and starts them anew"
    believed = first_touch(draft, stops_first(draft))
    return Step(NAME, about, believed, started(draft, draft.release), asked_back(draft))
