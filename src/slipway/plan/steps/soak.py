"""Watch for a while what was switched to, while the old containers are still there."""

from __future__ import annotations

from slipway.plan.actions import Check, Soak
from slipway.plan.draft import Draft
from slipway.plan.marked import marked
from slipway.plan.step import Step
from slipway.plan.steps.checks import checks
from slipway.plan.steps.common import undo
from slipway.stack.project import ONLY


def step(draft: Draft) -> Step | None:
    """None when the stack wants none, no container changes, or there is nothing to go back to."""
    seconds, errors = draft.release.soak
    if not seconds or not draft.plan.touched or draft.seen.memory.records.live is None:
        return None
    # Docker calls one unhealthy after some failures in a row, which may take longer than this.
    wanted = marked(draft.counted)
    new = draft.plan.services("create", "recreate", "roll")
    watched = Soak(wanted, seconds, errors)
    checked = Check(checks(draft.wanted.stack, new), wanted)
    # Nobody may run a program in a container there.
    do = (watched,) if draft.wanted.stack.mode == ONLY else (watched, checked)
    return Step("soak", f"does it stay well for {seconds:g} s?", do=do, undo=undo(draft))
