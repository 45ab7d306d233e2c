"""What surrounds the steps of a deploy, and the way back.

    plan → lease → preflight → steps, in the order of :data:`slipway.plan.steps.ORDER`

Nothing that runs is touched before the first step with an undo. From there on any failure, Ctrl-C
included, carries out the undo of the steps that were begun: the release before is put back (or, on
a first deploy, the stack is taken down; data stays) and checked. The error says so: exit code 5,
for Ctrl-C 130. When even that fails the code is 6.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from slipway.act.contents import Contents
from slipway.act.doors import Doors
from slipway.act.failure import broken, cause, untouched, went_back
from slipway.act.guard import check_belief, check_host
from slipway.act.interpret import Interpreter
from slipway.act.outcome import Outcome, Result, StepTime
from slipway.errors import SlipwayError
from slipway.ledger.entries import Line, Source
from slipway.ledger.layout import JOURNAL
from slipway.ledger.lease import LEASE_S, Holder, Lease
from slipway.plan.draft import Draft, draft
from slipway.plan.step import Step, way_back
from slipway.plan.steps import prune, steps
from slipway.plan.wanted import Seen, Wanted


@dataclass(slots=True)
class _Progress:
    """What a running deploy has done so far."""

    doors: Doors
    started: float
    times: list[StepTime] = field(default_factory=list)
    begun: list[Step] = field(default_factory=list)

    def timed(self, name: str, work: Callable[[], object]) -> None:
        started = self.doors.clock.monotonic()
        work()
        self.times.append(StepTime(name, self.doors.clock.monotonic() - started))

    def outcome(self, release: str, word: str, url: str, touched: int, sent: int) -> Outcome:
        seconds = self.doors.clock.monotonic() - self.started
        times, asked = tuple(self.times), self.doors.host.total
        return Outcome(release, word, url, sent, touched, seconds, times, asked)


def observe(doors: Doors, wanted: Wanted) -> Seen:
    """Ask a host what the plan depends on, in two round trips.

    Raises:
        HostError: it can't be asked.
        DeployError: its records can't be read.
    """
    return Seen(doors.folder.read(tuple(wanted.supplied)), doors.engine.state())


def make_draft(wanted: Wanted, doors: Doors) -> Draft:
    """Plan: ask the host, then decide. Changes nothing."""
    return draft(wanted, observe(doors, wanted), doors.clock.now())


def deploy(wanted: Wanted, doors: Doors, token: str) -> Result:
    """Deploy.

    Args:
        wanted: what and where.
        doors: what to act through.
        token: letters and digits that no other deploy uses; it marks the lease as ours.

    Raises:
        ConfigError: the stack lacks something; nothing was changed.
        HostError: the host can't be used; nothing that runs was changed.
        DeployError: it failed, and what ran before runs again.
        DeployBroken: it failed, and what ran before could not be put back.
    """
    progress = _Progress(doors, doors.clock.monotonic())
    doors.report.step("plan", doors.host.name)
    planned = make_draft(wanted, doors)
    progress.times.append(StepTime("plan", doors.clock.monotonic() - progress.started))
    live = planned.seen.memory.records.live
    if planned.unchanged and live is not None:
        outcome = progress.outcome(live.id, "unchanged", wanted.url, 0, 0)
        return Result(outcome, live, planned.seen.engine.containers)
    contents = Contents(planned, doors.folder, doors.clock)
    interpreter = Interpreter(doors, contents, planned.transfer)
    lease = doors.folder.lease(token)
    try:
        progress.timed("lease", lambda: _take(doors, lease, planned))
        _carry_out(progress, planned, lease, interpreter)
    finally:
        _give_up(doors, lease)
    touched, sent = planned.plan.touched, interpreter.bytes_sent
    containers = doors.engine.containers()
    outcome = progress.outcome(planned.release.id, "deployed", wanted.url, touched, sent)
    return Result(outcome, planned.release, containers)


def _take(doors: Doors, lease: Lease, planned: Draft) -> None:
    since = doors.clock.now().isoformat()[:19] + "Z"
    taken = lease.take(Holder(planned.wanted.who, f"deploy {planned.release.id}", since))
    if taken.stale is not None:
        doors.report.warn(
            f"took over the lease of {taken.stale.who} (`{taken.stale.what}`, since "
            f"{taken.stale.since}), which had run out: that deploy may have stopped half-way"
        )


def _give_up(doors: Doors, lease: Lease) -> None:
    """Give the lease up; that this fails must not hide how the deploy ended."""
    try:
        lease.give_up()
    except SlipwayError as error:
        doors.report.warn(
            f"the lease could not be given up and ends by itself within {LEASE_S // 60} minutes: "
            f"{error.message}"
        )


def _carry_out(progress: _Progress, planned: Draft, lease: Lease, interpreter: Interpreter) -> None:
    """Do every step; on failure go back as far as anything was touched."""
    doors, stage = progress.doors, "preflight"
    try:
        doors.report.step("preflight", "can the host take it?")
        progress.timed("preflight", lambda: check_host(doors, planned))
        for step in steps(planned):
            stage = step.name
            doors.report.step(step.name, step.about)
            if step.belief is not None:
                check_belief(doors, lease, step.belief)
            progress.begun.append(step)
            progress.timed(step.name, partial(interpreter.carry_out, step.do))
    except (SlipwayError, OSError, KeyboardInterrupt) as caught:
        error = cause(caught)
        if stage == prune.NAME:
            doors.report.warn(
                f"the release is live, but old ones could not be pruned: {error.message}"
            )
            return
        raise _undone(progress, planned, interpreter, stage, error) from caught


def _undone(
    progress: _Progress,
    planned: Draft,
    interpreter: Interpreter,
    stage: str,
    error: SlipwayError,
) -> SlipwayError:
    """Go back, and give the error to raise: the cause, and what runs now."""
    doors, live = progress.doors, planned.seen.memory.records.live
    error.stage = error.stage or stage
    actions = way_back(progress.begun)
    if not actions:
        return untouched(error)
    doors.report.warn(f"{error.stage} failed: {error.message}; going back")
    doors.report.step("revert", f"putting {live.id} back" if live else "taking the stack down")
    interpreter.contents.cause = error.message
    try:
        interpreter.carry_out(actions)
        note = Line(JOURNAL, Source("journal", "undone"))
        doors.folder.write((note,), interpreter.contents)
    except (SlipwayError, OSError, KeyboardInterrupt) as second:
        return broken(error, cause(second))
    return went_back(error, live.id if live else None)
