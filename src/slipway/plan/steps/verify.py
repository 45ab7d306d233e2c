"""Is it well? Every service, then the stack through its front door, then a real piece of work."""

from __future__ import annotations

from slipway.plan.actions import Action, Ask, Run, Watch
from slipway.plan.draft import Draft
from slipway.plan.step import Step
from slipway.plan.steps.common import marked, undo


def step(draft: Draft) -> Step:
    """What makes a release good enough to be called live."""
    stack, url = draft.wanted.stack, draft.wanted.url
    do: list[Action] = [Watch(marked(draft.counted)), Ask(url + stack.verify_path)]
    if stack.smoke.command:
        argv = tuple(part.replace("{url}", url) for part in stack.smoke.command)
        versions = draft.release.secrets
        given = ((name, one, versions[one]) for name, one in sorted(stack.smoke.secrets.items()))
        do.append(Run(argv, tuple(given)))
    return Step("verify", "is every service well?", do=tuple(do), undo=undo(draft))
