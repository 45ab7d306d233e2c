"""What operations on a live release share: its draft, and having the host carry out their steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from slipway.act.attend import Turn
from slipway.act.change import outcome_of
from slipway.act.deploy import warn_of
from slipway.act.doors import Doors
from slipway.act.outcome import Result
from slipway.act.progress import Progress
from slipway.act.project import same_project
from slipway.act.run import Errand, carry_out, clear
from slipway.act.seeing import see, see_after
from slipway.errors import DeployError
from slipway.ledger.layout import compose_file
from slipway.ledger.records import Records
from slipway.ledger.release import Release
from slipway.ledger.scale import Scale, scaled
from slipway.plan.draft import Draft
from slipway.plan.recorded import recorded
from slipway.plan.snapshotting import see_whole
from slipway.plan.step import Step
from slipway.plan.steps.stay import serving
from slipway.plan.wanted import Seen
from slipway.runner.containers import standing


def live_of(doors: Doors, records: Records) -> Release:
    """The live release.

    Raises:
        DeployError: there is none.
    """
    if records.live is None:
        raise DeployError(
            f"nothing is deployed on {doors.host.name}", hint="./inv deploy", stage="read"
        )
    return records.live


def compose_of(doors: Doors, release: Release) -> bytes:
    """A release's Compose file.

    Raises:
        DeployError: the host has lost it.
    """
    compose = doors.host.read(f"{doors.folder.path}/{compose_file(release.id)}")
    if compose is None:
        raise DeployError(
            f"the Compose file of {release.id} is lost; nothing was changed",
            hint=f"check out its commit ({release.commit or 'not known'}) and deploy that: it is "
            "written anew",
            stage="plan",
        )
    return compose


def observe(doors: Doors, who: str, *, wait: bool, half: bool = False) -> Seen:
    """What a host holds once nobody else is at work there.

    Args:
        who: user and machine.
        wait: wait until whoever is at work there has ended.
        half: whether the data may be put back by half.

    Raises:
        DeployError: somebody else is; or it is of another project than is wanted by now; or its
            data are put back by half.
    """
    seen = see(doors)
    if clear(doors, seen.memory.run, who, wait=wait):
        seen = see(doors)
    warn_of(doors, seen.memory)
    if not half:
        see_whole(seen.memory, doors.host.name)
    same_project(doors, seen.memory)
    return seen


def standing_of(doors: Doors, seen: Seen) -> Release:
    """The live release, of which something stands.

    Raises:
        DeployError: nothing is deployed; or none of it stands, and a part of it alone would be
            brought up.
    """
    live = live_of(doors, seen.memory.records)
    if not standing(seen.engine.containers):
        raise DeployError(
            f"the stack is down on {doors.host.name}; nothing was changed",
            hint="./inv deploy brings it up",
            stage="plan",
        )
    return live


def live_draft(doors: Doors, who: str, seen: Seen, compose: bytes, *, ends: bool = False) -> Draft:
    """A draft that makes the live release what it already is, or that is to end it."""
    live = live_of(doors, seen.memory.records)
    return recorded(
        live, compose, seen, app_dir=doors.folder.path, who=who, ends=ends, only=doors.only
    )


def with_scale(seen: Seen, scale: Scale, wanted: Scale) -> Seen:
    """What was seen, as if the host had other numbers of containers.

    Args:
        seen: what was.
        scale: the numbers that the host keeps.
        wanted: those that are new, also where they are the Compose files' own.
    """
    records = seen.memory.records
    counted = Records(
        tuple(scaled(one, {**scale, **wanted}) for one in records.releases), records.current
    )
    return replace(seen, memory=replace(seen.memory, records=counted, scale=scale))


@dataclass(frozen=True, slots=True)
class Task:
    """What is asked of the host.

    Attributes:
        verb: such as ``restart``; a part of the run's id.
        what: for people, such as ``restart api``.
        word: what a good end is called.
        point: the step from whose end on there is no way back.
        intent: what else the journal says of it.
        subject: what of the release it is done to; empty for all of it.
    """

    verb: str
    what: str
    word: str
    point: str
    intent: Mapping[str, object]
    subject: str = ""


def carried_out(
    progress: Progress,
    draft: Draft,
    steps: tuple[Step, ...],
    task: Task,
    token: str,
    turn: Turn | None = None,
) -> Result:
    """Have the host carry out the steps of a draft.

    Raises:
        DeployError: it failed, and what ran before runs again.
        DeployBroken: it failed, and what ran before could not be put back.
    """
    doors = progress.doors
    errand = Errand(
        id=f"{doors.clock.now():%Y%m%d-%H%M%S}-{task.verb}-{token[:6]}",
        what=task.what,
        who=draft.wanted.who,
        release=draft.counted,
        live=serving(draft),
        steps=steps,
        word=task.word,
        intent={"who": draft.wanted.who, **task.intent, "plan": draft.plan.to_json()},
        point=task.point,
    )
    attended = carry_out(doors, errand, turn)
    containers = see_after(doors, draft.release)
    outcome = outcome_of(progress, draft, attended, task.word, 0)
    return Result(replace(outcome, subject=task.subject), draft.counted, containers)
