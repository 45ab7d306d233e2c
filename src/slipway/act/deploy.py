"""What surrounds the steps of a deploy.

    plan → preflight → what takes this machine → the host's steps (:mod:`slipway.runner`)

Nothing that runs is touched before the host begins with its steps, and from there on it needs
nobody: it ends the deploy or goes back, and the error here says which: exit code 5, for Ctrl-C 130,
and 6 when going back failed too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from slipway.act.doors import Doors
from slipway.act.outcome import Outcome, Result, StepTime
from slipway.act.progress import Progress
from slipway.act.project import same_project
from slipway.act.seeing import see
from slipway.ledger.entries import Link, Source
from slipway.ledger.layout import CURRENT, release_folder
from slipway.ledger.records import Memory
from slipway.plan.adopt import adopted
from slipway.plan.draft import Draft, draft, needs_place, with_snapshot
from slipway.plan.snapshotting import see_whole
from slipway.plan.wanted import Seen, Wanted

if TYPE_CHECKING:
    from slipway.act.change import Origin


def observe(doors: Doors, wanted: Wanted) -> Seen:
    """Ask a host what the plan depends on, in two round trips.

    Raises:
        HostError: it can't be asked.
        DeployError: what runs there runs as another project.
    """
    memory = doors.folder.read(tuple(wanted.supplied))
    warn_of(doors, memory)
    same_project(doors, memory)
    return see(doors, memory)


def warn_of(doors: Doors, memory: Memory) -> None:
    """Say what in a host's folder can't be read, though work goes on."""
    for warning in memory.warnings:
        doors.report.warn(warning)


def make_draft(wanted: Wanted, doors: Doors) -> Draft:
    """Plan: ask the host, then decide. Changes nothing."""
    planned = draft(wanted, observe(doors, wanted), doors.clock.now())
    if not needs_place(planned):
        return planned
    from slipway.act.place import place_of

    return with_snapshot(planned, place_of(doors, wanted.data_dir))


def deploy(
    wanted: Wanted, doors: Doors, token: str, *, wait: bool = False, origin: Origin | None = None
) -> Result:
    """Deploy.

    Args:
        wanted: what and where.
        doors: what to act through.
        token: letters and digits that no other deploy uses.
        wait: wait until whoever is at work there has ended.
        origin: of the registry that the host gets images from; None where they are sent to it.

    Raises:
        ConfigError: the stack lacks something; nothing was changed.
        HostError: the host can't be used, and nothing that runs was changed; or the connection is
            gone, and the host ends the deploy, or goes back, by itself.
        DeployError: it failed, and what ran before runs again.
        DeployBroken: it failed, and what ran before could not be put back.
    """
    progress = Progress(doors, doors.clock.monotonic())
    doors.report.step("plan", doors.host.name)
    planned = make_draft(wanted, doors)
    if _cleared(doors, planned.seen, wanted.who, wait=wait):
        planned = make_draft(wanted, doors)
    if relinked(doors, planned.seen):
        planned = make_draft(wanted, doors)
    see_whole(planned.seen.memory, doors.host.name)
    progress.times.append(StepTime("plan", progress.seconds))
    live = planned.seen.memory.records.live
    if planned.unchanged and live is not None:
        outcome = Outcome(
            live.id, "unchanged", wanted.url, 0, 0, progress.seconds, tuple(progress.times),
            doors.host.total,
        )  # fmt: skip
        return Result(outcome, live, planned.seen.engine.identified)
    from slipway.act.change import change

    return change(progress, planned, token, origin)


def _cleared(doors: Doors, seen: Seen, who: str, *, wait: bool) -> bool:
    """See to the latest run; whether anything may have changed since the host was asked."""
    if seen.memory.run is None or not seen.memory.run.open:
        return False
    from slipway.act.run import clear

    return clear(doors, seen.memory.run, who, wait=wait)


def relinked(doors: Doors, seen: Seen) -> bool:
    """Note again which release is live, where that was lost while it runs.

    Otherwise a deploy would take itself for the first one, with nothing to go back to.
    """
    release = adopted(seen)
    if release is None:
        return False
    doors.report.warn(f"no release was recorded as live, but {release.id} runs: it is live")
    doors.folder.write((Link(CURRENT, release_folder(release.id)),), _no_content)
    return True


def _no_content(source: Source) -> bytes:
    raise AssertionError(f"unreachable: a link has no content, and so no {source}")
