"""Make a release live again that the host still has all of: no checkout and no build is needed."""

from __future__ import annotations

from collections.abc import Callable

from slipway.act.ask import ask
from slipway.act.change import warn_of_losses
from slipway.act.doors import Doors
from slipway.act.outcome import Result
from slipway.act.place import place_of
from slipway.act.progress import Progress
from slipway.act.rights import need_docker
from slipway.act.trust import trusting
from slipway.errors import DeployError
from slipway.ledger.layout import compose_file
from slipway.ledger.release import Release
from slipway.ledger.snapshots import Taken
from slipway.operate.standing import Task, carried_out, observe
from slipway.plan.actions import Ask
from slipway.plan.draft import Draft
from slipway.plan.preflight import check_way_back
from slipway.plan.recorded import chosen, older_secrets, recorded, whole
from slipway.plan.rewind import source, with_data
from slipway.plan.rewind import steps as steps_with_data
from slipway.plan.rewound import kept_by, with_all
from slipway.plan.rewound import steps as steps_with_snapshot
from slipway.plan.snapshotting import see_whole, to_leave
from slipway.plan.step import Step
from slipway.plan.steps import again, record
from slipway.plan.wanted import Seen


def make_draft(doors: Doors, who: str, to: str, seen: Seen) -> Draft:
    """Plan to go back; changes nothing.

    Args:
        doors: what to act through.
        who: user and machine.
        to: the id of a release or its beginning; empty for the one that was live before.
        seen: what the host holds.

    Raises:
        ConfigError: no release is called so, or several are.
        DeployError: there is none before the live one, or the host has lost a part of it.
    """
    release = chosen(seen.memory.records, to)
    whole(release, seen)
    compose = doors.host.read(f"{doors.folder.path}/{compose_file(release.id)}")
    if compose is None:
        raise DeployError(
            f"the Compose file of {release.id} is lost; nothing was changed",
            hint="./inv releases lists those the host has all of",
            stage="plan",
        )
    return recorded(release, compose, seen, app_dir=doors.folder.path, who=who, only=doors.only)


def _with_data(doors: Doors, planned: Draft, live: Release) -> tuple[Draft, tuple[Step, ...]]:
    """The way back with the data; says what it costs."""
    taken = kept_by(planned.seen.memory, planned.release)
    if taken is not None:
        return _with_snapshot(doors, planned, live, taken)
    see_whole(planned.seen.memory, doors.host.name)
    return _with_dump(doors, planned, live)


def _with_snapshot(
    doors: Doors, planned: Draft, live: Release, taken: Taken
) -> tuple[Draft, tuple[Step, ...]]:
    """All data go back.

    Raises:
        DeployError: the data path is no dataset any more, or who logs in may not write there.
    """
    place = place_of(doors, taken.path)
    if isinstance(place, str) or not place.root:
        why = place if isinstance(place, str) else f"only root can put files back to {taken.path}"
        raise DeployError(
            f"the data can't go back to {taken}: {why}; nothing was changed",
            hint="./inv rollback without --data leaves them as they are",
            stage="plan",
        )
    planned = with_all(planned)
    kept = planned.seen.memory.half or to_leave(place, live.application, live.id).name
    when = _when(planned, taken)
    doors.report.warn(
        f"everything below {taken.path} goes back to what it was {when}: what was written since is "
        "lost, files as well as rows and what waits in queues; what was taken back since, such as "
        "a token, is valid again"
    )
    doors.report.say(f"  the data as they are now stay in {place.dataset}@{kept}")
    longest = planned.plan.downtime_s
    doors.report.say(f"  everything is stopped: {longest:g} s and the time that copying takes")
    return planned, steps_with_snapshot(planned, live, place, taken)


def _when(planned: Draft, taken: Taken) -> str:
    """When a snapshot was taken, and what it is called."""
    known = planned.seen.memory.records.releases
    origin = next((one for one in known if one.snapshot == taken), None)
    if origin is None:
        return f"when {planned.release.id} was left ({taken})"
    return f"before {origin.id} migrated it, {_time(origin)} ({taken})"


def _time(release: Release) -> str:
    return f"{release.created[:19].replace('T', ' ')} UTC"


def _with_dump(doors: Doors, planned: Draft, live: Release) -> tuple[Draft, tuple[Step, ...]]:
    """The database goes back, and files stay as they are."""
    origin = source(planned.seen.memory, planned.release)
    planned = with_data(planned, live)
    doors.report.warn(
        f"the database goes back to {_time(origin)}, before "
        f"{origin.id}: what was written since is lost"
    )
    for name, lost_s in planned.plan.downtimes.items():
        doors.report.say(f"  {name} is stopped: {lost_s:g} s and the time the database takes")
    return planned, steps_with_data(planned, live, origin)


def roll_back(
    doors: Doors,
    who: str,
    token: str,
    *,
    to: str = "",
    data: bool = False,
    wait: bool = False,
    sure: Callable[[], None] = lambda: None,
) -> Result:
    """Go back.

    Args:
        doors: what to act through.
        who: user and machine.
        token: letters and digits that no other run uses.
        to: as for :func:`make_draft`.
        data: whether the data go back too; what was written since is lost.
        wait: wait until whoever is at work there has ended.
        sure: called before data are lost, once it was said which; what it raises ends it.

    Raises:
        ConfigError: no release is called so, or several are.
        DeployError: there is nothing to go back to, or no way on from there; or it failed, and what
            ran before runs again.
        DeployBroken: it failed, and what ran before could not be put back.
    """
    progress = Progress(doors, doors.clock.monotonic())
    doors.report.step("plan", doors.host.name)
    planned = make_draft(doors, who, to, observe(doors, who, wait=wait, half=data))
    release, live = planned.release, planned.seen.memory.records.live
    if data:
        need_docker(
            doors,
            "putting data back",
            "./inv down, then roll the snapshot back in TrueNAS (Datasets > Data Protection > "
            "Manage Snapshots), then ./inv rollback; ./inv releases names the snapshots",
        )
    if data and live is not None:
        planned, steps = _with_data(doors, planned, live)
        sure()
    else:
        steps = again(planned)
    check_way_back(doors.host.name, planned)
    warn_of_losses(doors, planned)
    if older := older_secrets(planned.release, live):
        doors.report.warn(
            f"these are what they were before again: {', '.join(older)}; where somebody else knows "
            "one, ./inv secrets.rotate changes it once more"
        )
    actions = {step.name: step.do for step in steps}

    def turn(step: str, index: int) -> None:
        action = actions[step][index]
        if isinstance(action, Ask):
            ask(trusting(doors, action.trust), doors.clock, action.url)

    intent = {"from": live.id if live else None}
    task = Task("back", f"rollback to {release.id}", "rolled back", record.NAME, intent)
    return carried_out(progress, planned, steps, task, token, turn)
