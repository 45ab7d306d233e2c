"""Put fresh containers of one service in the place of those that run. Pure."""

from __future__ import annotations

from dataclasses import replace

from slipway.ledger.entries import Link
from slipway.ledger.layout import APP_FILE
from slipway.plan.actions import Retire, Roll, Watch, Write
from slipway.plan.changes import downtime
from slipway.plan.draft import Draft
from slipway.plan.marked import marked
from slipway.plan.outage import all_anew
from slipway.plan.registering import LIVE
from slipway.plan.step import Step
from slipway.plan.steps.asked import started
from slipway.plan.steps.common import anew, belief
from slipway.plan.steps.room import room
from slipway.plan.values import ContainerChange, Plan
from slipway.runner.containers import Container, standing
from slipway.runner.roll import Rolling
from slipway.stack.project import ONLY

NAME = "restart"
"""The step from whose end on there is no way back."""

_REASON = "the new containers are well; what stays of the old ones is ended by the next deploy"


def restart(draft: Draft, service: str) -> Draft:
    """The draft of a live release, with nothing but the restart of a service in its plan.

    What can be rolled is, as long as one of its containers is well; else it is stopped first.
    """
    stack = draft.wanted.stack
    body = stack.services[service]
    if stack.mode == ONLY:
        kept = tuple(replace(one, action="keep") for one in draft.plan.containers)
        change = ContainerChange(service, "recreate", "asked for")
        changes = tuple(change if one.service == service else one for one in kept)
        return replace(draft, plan=all_anew(stack, Plan(draft.release.id, 0, changes)))
    rolls = service in draft.wanted.stack.rolled and any(one.well for one in _there(draft, service))
    if rolls:
        change = ContainerChange(service, "roll", "asked for")
    else:
        change = ContainerChange(service, "recreate", "asked for", downtime(body))
    return replace(draft, plan=Plan(draft.release.id, 0, (change,)))


def steps(draft: Draft) -> tuple[Step, ...]:
    """The steps of such a draft."""
    if draft.wanted.stack.mode == ONLY:
        return (_anew(draft),)
    (change,) = draft.plan.containers
    if change.action == "roll":
        (one,) = (one for one in draft.counted.rolling if one.service == change.service)
        return _rolled(draft, one)
    return (_stopped(draft, change.service),)


def _anew(draft: Draft) -> Step:
    """TrueNAS starts the same once more, also on the way back."""
    do = started(draft, draft.release)
    back = (*do, Write((Link(APP_FILE, LIVE),)))
    return Step(NAME, "TrueNAS ends all services and starts them anew", belief(draft), back, back)


def _rolled(draft: Draft, one: Rolling) -> tuple[Step, ...]:
    """All that are there are old; the way back is to those of them that are well."""
    fresh = replace(one, old=tuple(each.id for each in _there(draft, one.service)))
    others = _further(draft, one)
    back = kept(draft, one)
    release = draft.release.id
    switch = Step(
        NAME,
        f"{one.service} beside the old, then switch",
        belief(draft),
        (Roll(release, (fresh, *others)),),
        (Roll(release, (back, *others)), Retire((back,))),
    )
    about = "end the old containers when their requests have ended"
    retire = Step("retire", about, do=(Retire((fresh,)),), reason=_REASON)
    return (*room(draft, (fresh,)), switch, retire)


def _further(draft: Draft, one: Rolling) -> tuple[Rolling, ...]:
    """Those with several containers, of which a new edge finds only one by its name."""
    if one.service != draft.release.edge.get("service"):
        return ()
    return tuple(each for each in draft.counted.rolling if each.behind and each.containers > 1)


def kept(draft: Draft, one: Rolling) -> Rolling:
    """A service as it was found: those of its containers that are well, and no other."""
    well = tuple(each.id for each in _there(draft, one.service) if each.well)
    return replace(one, kept=well, containers=min(one.containers, len(well)))


def _stopped(draft: Draft, service: str) -> Step:
    wanted = tuple(one for one in marked(draft.counted) if one.service == service)
    do = (*anew(draft, (service,)), Watch(wanted))
    return Step(NAME, f"{service}: the old stops first", belief(draft), do, do)


def _there(draft: Draft, service: str) -> list[Container]:
    return [one for one in standing(draft.seen.engine.containers) if one.service == service]
