"""Have the host get the images that it lacks from a registry."""

from __future__ import annotations

from slipway.plan.draft import Draft
from slipway.plan.pulling import Pull, PulledImage
from slipway.plan.step import Step
from slipway.plan.steps.common import UNUSED


def step(draft: Draft) -> Step | None:
    """None when no registry is named, and when the host has every image."""
    registry, transfer = draft.wanted.registry, draft.transfer
    if registry is None or not transfer.images:
        return None
    images = tuple(PulledImage(one.reference, registry.pinned(one)) for one in transfer.images)
    do = (Pull(images, draft.plan.pull.bytes if draft.plan.pull else 0),)
    return Step("pull", f"get {len(images)} images from {registry}", do=do, reason=UNUSED)
