"""The order of a deploy, and the way back. This is the one place that knows it.

    plan → lease → preflight → transfer → secrets → files → migrate → up → verify → record → prune

Nothing that runs is touched before ``migrate``. From there on any failure, Ctrl-C included, puts
the release before back (or, on a first deploy, takes the stack down; data stays), checks that it
is well, and says so: exit code 5, for Ctrl-C 130. When even that fails the code is 6.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from slipway.act import hands, services
from slipway.act.hands import check_belief
from slipway.act.outcome import Outcome, StepTime
from slipway.act.revert import put_back, take_down
from slipway.errors import DeployBroken, DeployError, Interrupted, SlipwayError
from slipway.hosts.engine import Doors
from slipway.ledger.lease import LEASE_S, Holder, Lease
from slipway.ledger.records import compose_path, journal
from slipway.plan.draft import Draft, Job, draft, observe
from slipway.plan.steps import Step, steps


@dataclass(slots=True)
class _Run:
    """What a running deploy has done so far."""

    doors: Doors
    began: float
    times: list[StepTime] = field(default_factory=list)
    bytes_sent: int = 0
    touched: bool = False

    def timed(self, name: str, work: Callable[[], None]) -> None:
        started = self.doors.clock.monotonic()
        work()
        self.times.append(StepTime(name, self.doors.clock.monotonic() - started))

    def outcome(self, release: str, word: str, url: str, touched: int) -> Outcome:
        seconds = self.doors.clock.monotonic() - self.began
        return Outcome(release, word, url, self.bytes_sent, touched, seconds, tuple(self.times))


def make_draft(job: Job, doors: Doors) -> Draft:
    """Plan: ask the host, then decide. Changes nothing."""
    return draft(job, observe(doors.host, doors.engine, job), doors.clock.now())


def deploy(job: Job, doors: Doors, token: str) -> Outcome:
    """Deploy.

    Args:
        job: what and where.
        doors: what to act through.
        token: letters and digits that no other deploy uses; it marks the lease as ours.

    Raises:
        ConfigError: the stack lacks something; nothing was changed.
        HostError: the host can't be used; nothing that runs was changed.
        DeployError: it failed, and what ran before runs again.
        DeployBroken: it failed, and what ran before could not be put back.
    """
    run = _Run(doors, doors.clock.monotonic())
    doors.report.step("plan", doors.host.name)
    planned = make_draft(job, doors)
    run.times.append(StepTime("plan", doors.clock.monotonic() - run.began))
    if planned.unchanged:
        return run.outcome(planned.plan.release, "unchanged", job.url, 0)
    lease = Lease(doors.host, f"{job.app_dir}/lease", token)
    started = doors.clock.monotonic()
    since = doors.clock.now().isoformat()[:19] + "Z"
    try:
        stale = lease.take(Holder(job.who, f"deploy {planned.release.id}", since))
    except KeyboardInterrupt:
        _let_go(run, lease)  # it may be ours already
        raise
    if stale is not None:
        doors.report.warn(
            f"took over the lease of {stale.who} (`{stale.what}`, since {stale.since}), "
            "which had run out: that deploy may have stopped half-way"
        )
    run.times.append(StepTime("lease", doors.clock.monotonic() - started))
    try:
        _carry_out(run, planned, lease)
    finally:
        _let_go(run, lease)
    return run.outcome(planned.release.id, "deployed", job.url, planned.plan.touched)


def _let_go(run: _Run, lease: Lease) -> None:
    """Give the lease up; that this fails must not hide how the deploy ended."""
    try:
        lease.give_up()
    except SlipwayError as error:
        run.doors.report.warn(
            f"the lease could not be given up and ends by itself within {LEASE_S // 60} minutes: "
            f"{error.message}"
        )


def _carry_out(run: _Run, planned: Draft, lease: Lease) -> None:
    """Do every step; on failure go back as far as anything was touched."""
    doors, job = run.doors, planned.job
    step = None
    try:
        for step in steps(planned):
            doors.report.step(step.name, step.about)
            if step.belief is not None:
                lease.renew()
                check_belief(doors, job.app_dir, step.belief)
            if step.name == "files":
                journal(
                    doors.host, job.app_dir, doors.clock.now(), "intent",
                    release=planned.release.id, who=job.who, plan=planned.plan.to_json(),
                )  # fmt: skip
            run.touched = run.touched or bool(step.undo)
            run.timed(step.name, _work(run, planned, step))
    except (SlipwayError, KeyboardInterrupt) as error:
        if step is not None and step.name == "prune":
            _warn_prune(doors, error)
            return
        raise _undone(run, planned, step, error) from error


def _work(run: _Run, planned: Draft, step: Step) -> Callable[[], None]:
    """The work of a step."""
    doors = run.doors

    def transfer() -> None:
        run.bytes_sent += hands.do_transfer(doors, planned)

    def migrate() -> None:
        hands.do_migrate(doors, planned)

    def up() -> None:
        file = compose_path(planned.job.app_dir, planned.release.id)
        services.compose_up(doors, planned, file)

    def record() -> None:
        hands.do_record(doors, planned)
        _journal_outcome(run, planned, "deployed")

    work: dict[str, Callable[[], None]] = {
        "preflight": lambda: hands.do_preflight(doors, planned),
        "transfer": transfer,
        "secrets": lambda: hands.do_secrets(doors, planned),
        "files": lambda: hands.do_files(doors, planned),
        "migrate": migrate,
        "up": up,
        "verify": lambda: hands.do_verify(doors, planned),
        "record": record,
        "prune": lambda: hands.do_prune(doors, planned),
    }
    return work[step.name]


def _undone(
    run: _Run, planned: Draft, step: Step | None, error: SlipwayError | KeyboardInterrupt
) -> SlipwayError:
    """Go back, and give the error to raise: the cause, and what runs now."""
    cause = error if isinstance(error, SlipwayError) else Interrupted("interrupted")
    stage = cause.stage or (step.name if step else "plan")
    live = planned.observed.records.live
    if not run.touched:
        if isinstance(cause, DeployError):
            said = cause.message
            kept = "" if "nothing was changed" in said else "; nothing that runs was changed"
            return type(cause)(said + kept, hint=cause.hint, stage=stage, details=cause.details)
        cause.stage = stage
        return cause
    run.doors.report.warn(f"{stage} failed: {cause.message}; going back")
    try:
        if live is not None:
            put_back(run.doors, planned.job.app_dir, live)
            now = f"{live.id} is serving again"
        else:
            take_down(run.doors, planned)
            now = "there was no release before it: the stack was taken down, data was kept"
        _journal_outcome(run, planned, "undone", cause.message)
    except (SlipwayError, KeyboardInterrupt) as second:
        return _broken(planned, stage, cause, second)
    kind = Interrupted if isinstance(cause, Interrupted) else DeployError
    return kind(
        f"{cause.message}; {now}",
        hint=cause.hint or "mend the cause and deploy again",
        stage=stage,
        details=cause.details,
    )


def _broken(
    planned: Draft, stage: str, cause: SlipwayError, second: SlipwayError | KeyboardInterrupt
) -> DeployBroken:
    why = second.message if isinstance(second, SlipwayError) else "interrupted"
    details = second.details if isinstance(second, SlipwayError) else ()
    return DeployBroken(
        f"{cause.message}; going back failed too: {why}. Data was not touched",
        hint="look with `./inv status` and `./inv logs`, then deploy a good state",
        stage=stage,
        details=[*cause.details, "going back:", *details],
    )


def _journal_outcome(run: _Run, planned: Draft, word: str, cause: str = "") -> None:
    doors = run.doors
    seconds = doors.clock.monotonic() - run.began
    fields: dict[str, object] = {"release": planned.release.id, "outcome": word, "cause": cause}
    journal(
        doors.host, planned.job.app_dir, doors.clock.now(), "outcome",
        seconds=round(seconds, 3), **fields,
    )  # fmt: skip


def _warn_prune(doors: Doors, error: SlipwayError | KeyboardInterrupt) -> None:
    why = error.message if isinstance(error, SlipwayError) else "interrupted"
    doors.report.warn(f"the release is live, but old ones could not be pruned: {why}")
