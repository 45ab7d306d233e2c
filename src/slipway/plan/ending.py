"""End the live release: what is reached first, then what it needs. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from slipway.ledger.entries import Link
from slipway.ledger.layout import APP_FILE
from slipway.plan.actions import Action, Compose, Count, Write
from slipway.plan.draft import Draft
from slipway.plan.registering import LIVE, Stop
from slipway.plan.step import Belief, Step
from slipway.plan.steps.asked import started
from slipway.plan.steps.common import belief, put_back
from slipway.runner.containers import standing
from slipway.runner.durations import seconds
from slipway.stack.model import Stack
from slipway.stack.project import ONLY

NAME = "down"
"""The step from whose end on there is no way back."""

_DOWN_S = 300.0
_SPARE_S = 60.0
_GRACE_S = 10.0


@dataclass(frozen=True, slots=True)
class Ending:
    """A service that is ended.

    Attributes:
        service: its name.
        within_s: seconds it has for what it is at, before it is killed.
    """

    service: str
    within_s: float

    def to_json(self) -> dict[str, object]:
        """All fields."""
        return {"service": self.service, "within_s": self.within_s}

    def __str__(self) -> str:
        return f"{self.service} (up to {self.within_s:g} s)"


def waves(stack: Stack) -> tuple[tuple[Ending, ...], ...]:
    """The services in the order in which they are ended, those of a wave together.

    The edge is first, so that the requests it has find their services; then always those that no
    other one left needs.
    """
    left = [name for name in stack.standing if name != stack.edge.service]
    found: list[tuple[str, ...]] = (
        [(stack.edge.service,)] if stack.edge.service in stack.standing else []
    )
    while left:
        needed = {one for name in left for one in stack.services[name].get("depends_on") or {}}
        free = [name for name in left if name not in needed] or left
        found.append(tuple(free))
        left = [name for name in left if name not in free]
    return tuple(tuple(_ending(stack, name) for name in wave) for wave in found)


def _ending(stack: Stack, name: str) -> Ending:
    return Ending(name, seconds(stack.services[name].get("stop_grace_period"), _GRACE_S))


def steps(draft: Draft) -> tuple[Step, ...]:
    """The steps that end a live release; until the last one all can be brought up again."""
    stack, release = draft.wanted.stack, draft.release.id
    if stack.mode == ONLY:
        return (_asked(draft),)
    live = draft.counted
    back = put_back(live, draft.plan, draft.seen.memory.scale)
    running = {one.service for one in standing(draft.seen.engine.containers)}
    made: list[Step] = []
    for wave in waves(stack):
        there = [one for one in wave if one.service in running]
        if there:
            first: tuple[Action, ...] = () if made else (Count(),)
            believed = None if made else belief(draft)
            made.append(_stop(release, there, first, back, believed))
    rest = Compose(release, ("down", "--remove-orphans"), _DOWN_S)
    reason = "./inv deploy brings it up again"
    made.append(Step(NAME, "remove containers and networks", do=(rest,), undo=back, reason=reason))
    return tuple(made)


def _asked(draft: Draft) -> Step:
    """TrueNAS ends all, what is reached first, and goes on knowing the app."""
    app = draft.wanted.stack.application
    back = (*started(draft, draft.release), Write((Link(APP_FILE, LIVE),)))
    reason = "./inv deploy brings it up again"
    about = "TrueNAS ends all services"
    return Step(NAME, about, belief(draft), (Stop(app),), back, reason)


def _stop(
    release: str,
    wave: Sequence[Ending],
    first: tuple[Action, ...],
    back: tuple[Action, ...],
    believed: Belief | None,
) -> Step:
    names = tuple(one.service for one in wave)
    limit = max(one.within_s for one in wave) + _SPARE_S
    do = (*first, Compose(release, ("stop", *names), limit))
    about = f"end {', '.join(str(one) for one in wave)}"
    return Step(f"stop {', '.join(names)}", about, believed, do, back)
