"""The steps of a deploy in their order, a module each. Pure.

A new step is a module with a function from a draft to a step, or to None where it has nothing to
do, and a line in :data:`ORDER`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from slipway.plan.draft import Draft
from slipway.plan.step import Step
from slipway.plan.steps import (
    files,
    hand,
    migrate,
    networks,
    prune,
    pull,
    record,
    redeploy,
    register,
    retire,
    roll,
    room,
    secrets,
    smoke,
    snapshot,
    soak,
    transfer,
    up,
    verify,
    withdraw,
)
from slipway.stack.project import ONLY

ORDER: tuple[Callable[[Draft], Step | None], ...] = (
    transfer.step,
    secrets.step,
    files.step,
    pull.step,
    room.step,
    hand.step,
    register.step,
    networks.step,
    snapshot.step,
    migrate.step,
    up.step,
    roll.step,
    verify.step,
    smoke.step,
    soak.step,
    record.step,
    retire.step,
    withdraw.step,
    prune.step,
)


ASKED: tuple[Callable[[Draft], Step | None], ...] = (
    secrets.step,
    files.step,
    pull.step,
    register.step,
    snapshot.step,
    redeploy.step,
    verify.step,
    smoke.step,
    soak.step,
    record.step,
    prune.step,
)
"""Those where TrueNAS alone starts what runs (mode ``app-only``)."""


AGAIN = (
    room.step,
    hand.step,
    register.step,
    networks.step,
    up.step,
    roll.step,
    verify.step,
    soak.step,
    record.step,
    retire.step,
    withdraw.step,
)
"""Those that bring back a release which the host has all of.

There is no smoke test among them: it takes a checkout, and a record holds none.
"""


ASKED_AGAIN = (register.step, redeploy.step, verify.step, soak.step, record.step)
"""Those of :data:`ASKED` that bring back a release which the host has all of."""


def steps(draft: Draft) -> tuple[Step, ...]:
    """The steps that carry out a draft, in order."""
    return _made(ASKED if _asked(draft) else ORDER, draft)


def again(draft: Draft) -> tuple[Step, ...]:
    """The steps that make a release live which is on the host already."""
    return _made(ASKED_AGAIN if _asked(draft) else AGAIN, draft)


def _asked(draft: Draft) -> bool:
    return draft.wanted.stack.mode == ONLY


def _made(order: Sequence[Callable[[Draft], Step | None]], draft: Draft) -> tuple[Step, ...]:
    made = (make(draft) for make in order)
    return tuple(step for step in made if step is not None)
