"""The steps of a deploy in their order, a module each. Pure.

A new step is a module with a function from a draft to a step, or to None where it has nothing to
do, and a line in :data:`ORDER`.
"""

from __future__ import annotations

from collections.abc import Callable

from slipway.plan.draft import Draft
from slipway.plan.step import Step
from slipway.plan.steps import (
    files,
    migrate,
    networks,
    prune,
    record,
    retire,
    roll,
    secrets,
    soak,
    transfer,
    up,
    verify,
)

ORDER: tuple[Callable[[Draft], Step | None], ...] = (
    transfer.step,
    secrets.step,
    files.step,
    networks.step,
    migrate.step,
    up.step,
    roll.step,
    verify.step,
    soak.step,
    record.step,
    retire.step,
    prune.step,
)


def steps(draft: Draft) -> tuple[Step, ...]:
    """The steps that carry out a draft, in order."""
    made = (make(draft) for make in ORDER)
    return tuple(step for step in made if step is not None)
