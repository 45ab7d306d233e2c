"""Send the images' layers that the host lacks."""

from __future__ import annotations

from slipway.plan.actions import Load
from slipway.plan.draft import Draft
from slipway.plan.step import Step
from slipway.plan.steps.common import UNUSED


def step(draft: Draft) -> Step | None:
    """None when the host has every layer, or gets them from a registry."""
    transfer = draft.transfer
    if not transfer.bytes_to_send or draft.wanted.registry is not None:
        return None
    references = tuple(image.reference for image in transfer.images)
    do = (Load(references, transfer.bytes_to_send),)
    return Step("transfer", "send image layers", do=do, reason=UNUSED)
