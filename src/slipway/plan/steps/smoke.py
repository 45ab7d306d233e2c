"""A real piece of work, done by what is live now; if it fails, what was live before comes back."""

from __future__ import annotations

from slipway.plan.actions import Run
from slipway.plan.draft import Draft
from slipway.plan.step import Step
from slipway.plan.steps.common import undo


def step(draft: Draft) -> Step | None:
    """None when the stack has no smoke test."""
    smoke, versions = draft.wanted.stack.smoke, draft.release.secrets
    if not smoke.command:
        return None
    argv = tuple(part.replace("{url}", draft.wanted.url) for part in smoke.command)
    given = tuple((name, one, versions[one]) for name, one in sorted(smoke.secrets.items()))
    about = "does it do a real piece of work?"
    return Step("smoke", about, do=(Run(argv, given, draft.release.trust),), undo=undo(draft))
