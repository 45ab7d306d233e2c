"""End the containers that were switched away from."""

from __future__ import annotations

from slipway.plan.actions import Retire
from slipway.plan.draft import Draft
from slipway.plan.step import Step
from slipway.plan.steps.roll import rolled

_REASON = "the release is live; what stays of the old one is ended by the next deploy"


def step(draft: Draft) -> Step | None:
    """None when nothing was rolled."""
    services = rolled(draft)
    if not services:
        return None
    about = "end the old containers when their requests have ended"
    return Step("retire", about, do=(Retire(services),), reason=_REASON)
