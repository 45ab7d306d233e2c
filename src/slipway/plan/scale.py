"""Have other numbers of containers on a host, whatever the Compose files say. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from slipway.errors import ConfigError, DeployError
from slipway.hosts.facts import Facts
from slipway.ledger.entries import Text
from slipway.ledger.layout import SCALE
from slipway.ledger.release import Release
from slipway.ledger.scale import Scale, scale_text
from slipway.plan.actions import Action, Retire, Roll, Watch, Write
from slipway.plan.counts import FEWER, shared, shares, too_much
from slipway.plan.draft import Draft
from slipway.plan.marked import marked
from slipway.plan.restart import kept
from slipway.plan.step import Step
from slipway.plan.steps.common import belief, up
from slipway.plan.steps.room import room
from slipway.runner.roll import Rolling
from slipway.stack.counts import beside_problem, rolled_names
from slipway.stack.health import replicas
from slipway.stack.model import Stack

NAME = "scale"
"""The step from whose end on there is no way back."""


def new_scale(stack: Stack, held: Scale, wanted: Mapping[str, int]) -> dict[str, int]:
    """The host's numbers with others among them.

    A number that is the Compose files' own needs no keeping.

    Args:
        stack: as its Compose file says, without the host's numbers.
        held: the host's numbers.
        wanted: service to number.

    Raises:
        ConfigError: a service isn't there, or can't be there as often; all are named.
    """
    problems = [why for name, count in wanted.items() if (why := _refused(stack, name, count))]
    if problems:
        raise ConfigError(
            f"{problems[0]}; nothing was changed",
            details=problems[1:],
            hint="./inv scale shows the services and how many containers they have",
            stage=NAME,
        )
    found = {**held, **wanted}
    own = {name: replicas(stack.services[name]) for name in stack.standing}
    return {name: count for name, count in sorted(found.items()) if own.get(name) != count}


def _refused(stack: Stack, name: str, count: int) -> str:
    if name not in stack.standing:
        return f"there is no service {name}: those that can be scaled are {rolled_names(stack)}"
    if count < 1:
        return (
            f"{name}={count}: a service of the stack has at least one container; `replicas: 0` in "
            "a Compose file leaves it out"
        )
    return beside_problem(stack, name, count)


def check_capacity(host: str, facts: Facts, before: Stack, after: Stack) -> str:
    """See whether a host has what the containers may take.

    Args:
        host: its name.
        facts: what it has.
        before: the stack with the numbers of containers it has now.
        after: with those that are wanted.

    Returns:
        A warning that processors will have to be shared; empty when they won't.

    Raises:
        DeployError: all limits together are more than its memory, and more than before.
    """
    if why := too_much(host, facts, before, after):
        raise DeployError(
            f"{why}; nothing was changed",
            details=shares(after),
            hint=FEWER,
            stage=NAME,
        )
    return shared(host, facts, before, after)


def only(draft: Draft, services: Mapping[str, int]) -> Draft:
    """The draft of a live release, with nothing but these services in its plan."""
    changes = tuple(
        one if one.service in services else replace(one, action="keep", downtime_s=0)
        for one in draft.plan.containers
    )
    return replace(draft, plan=replace(draft.plan, containers=changes, definitions=()))


def steps(draft: Draft, live: Release, held: Scale) -> tuple[Step, ...]:
    """The steps of such a draft.

    Args:
        draft: with the new numbers.
        live: the live release, with the numbers before.
        held: the host's own of these.
    """
    plan, release = draft.plan, draft.release.id
    rolled = tuple(one for one in draft.counted.rolling if one.service in plan.services("roll"))
    others = plan.services("create", "recreate")
    fresh = draft.seen.memory.scale
    do: list[Action] = [Write((Text(SCALE, scale_text(fresh) if fresh else ""),))]
    if rolled:
        do.append(Roll(release, rolled))
    if others:
        do.append(up(draft, ("--no-recreate",), others))
        wanted = [one for one in marked(draft.counted) if one.service in others]
        do.append(Watch(tuple(wanted)))
    back = Write((Text(SCALE, scale_text(held) if held else ""),))
    about = ", ".join(f"{name}={count}" for name, count in sorted(fresh.items()))
    made = [
        *room(draft, _reached(draft, rolled) if rolled or others else ()),
        Step(
            NAME,
            about or "as the Compose files say",
            belief(draft),
            tuple(do),
            (back, *_back(draft, live, held)),
        ),
    ]
    if rolled:
        about = "end the containers that are too many when their work has ended"
        reason = "the numbers are kept; what stays is ended by the next deploy"
        made.append(Step("retire", about, do=(Retire(rolled),), reason=reason))
    return tuple(made)


def _reached(draft: Draft, rolled: Sequence[Rolling]) -> tuple[Rolling, ...]:
    """What the edge needs places for: what is rolled, and whatever there are several of."""
    return tuple(one for one in draft.counted.rolling if one in rolled or one.containers > 1)


def _back(draft: Draft, live: Release, held: Scale) -> tuple[Action, ...]:
    """The way back to the numbers before: what was well stays, what was started goes."""
    names, release = draft.plan.services("roll"), draft.release.id
    memory = draft.seen.memory
    rolled = tuple(kept(draft, one) for one in live.rolling if one.service in names)
    others = draft.plan.services("create", "recreate")
    actions: list[Action] = [Roll(release, rolled), Retire(rolled)] if rolled else []
    if others:
        before = replace(draft, seen=replace(draft.seen, memory=replace(memory, scale=held)))
        actions.append(up(before, ("--no-recreate",), others))
    return tuple(actions)
