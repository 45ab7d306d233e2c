"""Remove networks whose definition changed, and the containers on them; ``up`` makes both anew."""

from __future__ import annotations

from slipway.plan.actions import Remove
from slipway.plan.draft import Draft
from slipway.plan.step import Step
from slipway.plan.steps.common import belief, changed_networks, detach, undo


def step(draft: Draft) -> Step | None:
    """None when no network's definition changed."""
    names, live = changed_networks(draft), draft.seen.memory.records.live
    if not names or live is None:
        return None
    do = (*detach(live, draft), Remove(networks=names))
    about = f"{', '.join(names)} made anew"
    return Step("networks", about, belief(draft), do, undo(draft))
