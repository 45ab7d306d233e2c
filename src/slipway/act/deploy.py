"""What surrounds the steps of a deploy.

    plan → preflight → what takes this machine → the host's steps (:mod:`slipway.runner`)

Nothing that runs is touched before the host begins with its steps, and from there on it needs
nobody: it ends the deploy or goes back, and the error here says which: exit code 5, for Ctrl-C 130,
and 6 when going back failed too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from slipway.act.attend import Attended
from slipway.act.contents import Contents
from slipway.act.doors import Doors
from slipway.act.failure import cause, untouched
from slipway.act.guard import check_host
from slipway.act.interpret import Interpreter
from slipway.act.outcome import Outcome, Result, StepTime
from slipway.act.run import Errand, carry_out, clear
from slipway.errors import SlipwayError
from slipway.ledger.entries import Link, Source
from slipway.ledger.layout import CURRENT, release_folder
from slipway.ledger.records import Memory
from slipway.plan.adopt import adopted
from slipway.plan.draft import Draft, draft
from slipway.plan.step import Step, asked
from slipway.plan.steps import steps
from slipway.plan.steps.stay import serving
from slipway.plan.wanted import Seen, Wanted


@dataclass(slots=True)
class Progress:
    """What a running deploy has done so far.

    Attributes:
        doors: what it acts through.
        started: when it began, by the clock that only grows.
        times: how long its steps on this machine took.
    """

    doors: Doors
    started: float
    times: list[StepTime] = field(default_factory=list)

    def timed(self, name: str, work: Callable[[], object]) -> None:
        """Do something, and note how long it took."""
        started = self.doors.clock.monotonic()
        work()
        self.times.append(StepTime(name, self.doors.clock.monotonic() - started))

    @property
    def seconds(self) -> float:
        """Since it began."""
        return self.doors.clock.monotonic() - self.started


def observe(doors: Doors, wanted: Wanted) -> Seen:
    """Ask a host what the plan depends on, in two round trips.

    Raises:
        HostError: it can't be asked.
    """
    memory = doors.folder.read(tuple(wanted.supplied))
    warn_of(doors, memory)
    return Seen(memory, doors.engine.state())


def warn_of(doors: Doors, memory: Memory) -> None:
    """Say what in a host's folder can't be read, though work goes on."""
    for warning in memory.warnings:
        doors.report.warn(warning)


def make_draft(wanted: Wanted, doors: Doors) -> Draft:
    """Plan: ask the host, then decide. Changes nothing."""
    return draft(wanted, observe(doors, wanted), doors.clock.now())


def deploy(wanted: Wanted, doors: Doors, token: str, *, wait: bool = False) -> Result:
    """Deploy.

    Args:
        wanted: what and where.
        doors: what to act through.
        token: letters and digits that no other deploy uses.
        wait: wait until whoever is at work there has ended.

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
    if clear(doors, planned.seen.memory.run, wanted.who, wait=wait):
        planned = make_draft(wanted, doors)
    if relinked(doors, planned.seen):
        planned = make_draft(wanted, doors)
    progress.times.append(StepTime("plan", progress.seconds))
    live = planned.seen.memory.records.live
    if planned.unchanged and live is not None:
        outcome = Outcome(
            live.id, "unchanged", wanted.url, 0, 0, progress.seconds, tuple(progress.times),
            doors.host.total,
        )  # fmt: skip
        return Result(outcome, live, planned.seen.engine.containers)
    return _carry_out(progress, planned, token)


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


def _carry_out(progress: Progress, planned: Draft, token: str) -> Result:
    doors, release = progress.doors, planned.release
    interpreter = Interpreter(doors, Contents(planned, doors.folder), planned.transfer)
    mine, theirs = asked(steps(planned))
    _prepare(progress, planned, mine, interpreter)
    errand = Errand(
        id=f"{release.id}-{token[:6]}",
        what=f"deploy {release.id}",
        who=planned.wanted.who,
        release=release,
        live=serving(planned),
        steps=theirs,
        word="deployed",
        intent={"who": planned.wanted.who, "plan": planned.plan.to_json()},
    )
    actions = {step.name: step.do for step in theirs}
    attended = carry_out(
        doors, errand, lambda step, index: interpreter.carry_out(actions[step][index : index + 1])
    )
    containers = doors.engine.containers()
    outcome = outcome_of(progress, planned, attended, "deployed", interpreter.bytes_sent)
    return Result(outcome, planned.counted, containers)


def outcome_of(
    progress: Progress, planned: Draft, attended: Attended, word: str, sent: int
) -> Outcome:
    """What a run did that ended well.

    Args:
        progress: of this machine.
        planned: what was planned.
        attended: what was heard of the host.
        word: what it is called.
        sent: image bytes that went over the wire.
    """
    return Outcome(
        planned.release.id,
        word,
        planned.wanted.url,
        sent,
        planned.plan.touched,
        progress.seconds,
        (*progress.times, *attended.times),
        progress.doors.host.total,
        predicted_s=planned.plan.downtimes,
        downtime_s=attended.end["downtime_s"],
        failed_over=tuple(attended.end["failed_over"]),
        resumed=attended.resumed,
    )


def warn_of_losses(doors: Doors, planned: Draft) -> None:
    """Say what of the live release the host has no more, and what that means."""
    for one in planned.plan.lost:
        after = "it is written anew" if one.anew else "what runs of it can be kept, not made anew"
        doors.report.warn(f"of the live release {doors.host.name} has lost {one}: {after}")


def _prepare(
    progress: Progress, planned: Draft, mine: Sequence[Step], interpreter: Interpreter
) -> None:
    """What is done before the host is asked to begin: nothing that runs is touched by it."""
    doors, stage = progress.doors, "preflight"
    warn_of_losses(doors, planned)
    try:
        doors.report.step("preflight", "can the host take it?")
        progress.timed("preflight", lambda: check_host(doors, planned))
        for step in mine:
            stage = step.name
            doors.report.step(step.name, step.about)
            progress.timed(step.name, partial(interpreter.carry_out, step.do))
    except (SlipwayError, OSError, KeyboardInterrupt) as caught:
        error = cause(caught)
        error.stage = error.stage or stage
        raise untouched(error) from caught
