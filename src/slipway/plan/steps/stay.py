"""The way back to the containers that there are, where no release can be applied again. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from slipway.ledger.entries import Link
from slipway.ledger.layout import CURRENT, release_folder
from slipway.ledger.release import Release
from slipway.plan.actions import Action, Compose, Retire, Roll, Write
from slipway.plan.draft import Draft
from slipway.plan.rolling import phases
from slipway.plan.values import Plan
from slipway.runner.containers import Container, standing
from slipway.runner.roll import Rolling

_DOWN_S = 300.0


def take_down(release: str) -> tuple[Action, ...]:
    """End what a first deploy started; data stays."""
    down = ("down", "--remove-orphans", "--timeout", "30")
    return (Compose(release, down, _DOWN_S), Write((Link(CURRENT, ""),)))


def stay(draft: Draft, live: Release) -> tuple[Action, ...]:
    """End what a deploy started beside a live release of which the host has lost a part.

    Its containers are all there: :attr:`~slipway.plan.values.Plan.one_way` tells when they aren't.
    """
    release, plan = draft.release, draft.plan
    rolled = found_again(live, plan, draft.seen.engine.containers)
    edge = live.edge.get("service", "")
    actions: list[Action] = [Roll(release.id, one) for one in phases(rolled, edge)]
    if rolled:
        actions.append(Retire(rolled))
    return (*actions, *_without_created(draft, release_folder(live.id)))


def serving(draft: Draft) -> str | None:
    """What serves once :func:`undo` was carried out, for people; None when nothing does."""
    live = draft.seen.memory.records.live
    if live is not None:
        return live.id
    if not standing(draft.seen.engine.containers):
        return None
    ended = ", ".join(draft.plan.services("recreate", "remove"))
    return "what ran before" + (f" (of {ended} as far as it was not stopped yet)" if ended else "")


def leave(draft: Draft, there: Sequence[Container]) -> tuple[Action, ...]:
    """End what a deploy started beside containers of which no record is left.

    What was rolled is switched back to them; what was stopped for a new one can't be had again.

    Args:
        draft: whose deploy.
        there: the containers that stood before.
    """
    release = draft.release
    rolled = []
    for one in release.rolling:
        mine = [c for c in there if c.service == one.service]
        if mine and one.service in draft.plan.services("roll"):
            images = tuple(sorted({c.image_id for c in mine}))
            config = mine[0].config
            rolled.append(replace(one, containers=len(mine), config=config, images=images))
    actions: list[Action] = []
    if rolled:
        actions += [Roll(release.id, tuple(rolled)), Retire(tuple(rolled))]
    return (*actions, *_without_created(draft, ""))


def _without_created(draft: Draft, live: str) -> tuple[Action, ...]:
    """End what a deploy created, and have ``current`` lead to a release's folder, or to none."""
    link = Write((Link(CURRENT, live),))
    created = draft.plan.services("create")
    if not created:
        return (link,)
    return (Compose(draft.release.id, ("rm", "--stop", "--force", *created), _DOWN_S), link)


def found_again(release: Release, plan: Plan, there: Collection[Container]) -> tuple[Rolling, ...]:
    """What is rolled back. Where the new ones are of the same definition, their ids tell the old.

    Of those that had to go only the ones that were well can be had again. One with several
    containers is among them as on the way there: an edge that was made anew finds one by its name.
    """
    found = []
    anew = set(plan.services("create", "recreate", "remove", "roll"))
    edge = release.edge.get("service")
    for one in release.rolling:
        changes = [each for each in plan.containers if each.service == one.service]
        if not any(each.action == "roll" for each in changes):
            if one.behind and one.containers > 1 and anew & {one.service, edge}:
                found.append(one)
            continue
        if not any(each.old for each in changes):
            found.append(one)
            continue
        well = tuple(c.id for c in standing(there) if c.service == one.service and c.well)
        if well:
            found.append(replace(one, kept=well, containers=min(one.containers, len(well))))
    return tuple(found)
