"""Bring services to what a release's file says, watch them, and tell what is wrong with one."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.act.watch import watch_containers
from slipway.errors import CommandFailed, DeployError
from slipway.hosts.engine import Doors
from slipway.plan.changes import UNHEALTHY
from slipway.plan.draft import Draft
from slipway.plan.watch import Expected, Fault, hard_fault
from slipway.stack.health import health_check

_LOG_LINES = 10
_UP_SPARE_S = 120.0
_UP_TRIES = 4
_SETTLE_S = 2.0
# What Docker says while it still carries out what an interrupted command began.
_SETTLING = ("is already in use by container", "is already in progress", "is marked for removal")


def compose_up(doors: Doors, draft: Draft, file: str, services: Sequence[str] = ()) -> None:
    """Bring services (all, when none are named) to what a release's file says.

    Raises:
        DeployError: Compose failed; the failing container's last lines are in the details.
    """
    bodies = draft.job.stack.services
    checks = [health_check(bodies[name]) for name in services or draft.job.stack.standing]
    limit = _UP_SPARE_S + sum(check.deadline_s for check in checks if check)
    if services:
        up(doors, file, ("--no-deps", *services), limit)
        return
    # Compose leaves a container alone that is unhealthy but otherwise what the file says.
    sick = [change.service for change in draft.plan.containers if change.reason == UNHEALTHY]
    if sick:
        up(doors, file, ("--no-deps", "--force-recreate", *sick), limit)
    up(doors, file, ("--remove-orphans",), limit)


def up(doors: Doors, file: str, further: Sequence[str], timeout: float) -> None:
    """``compose up`` with what is on the host already: nothing is pulled or built.

    Docker goes on with what an interrupted Compose asked of it. The next one may then meet a
    container that is just being removed or renamed, and fails on its name; it is asked again.

    Raises:
        DeployError: Compose failed; the failing container's last lines are in the details.
    """
    arguments = ("up", "--detach", "--no-build", "--pull", "never", *further)
    for left in reversed(range(_UP_TRIES)):
        try:
            doors.engine.compose(file, arguments, timeout=timeout)
            return
        except CommandFailed as error:
            if not left or not _is_settling(error):
                raise _failed_up(doors, error) from error
        doors.clock.sleep(_SETTLE_S)


def _is_settling(error: CommandFailed) -> bool:
    return any(said in line for said in _SETTLING for line in error.details)


def _failed_up(doors: Doors, error: CommandFailed) -> DeployError:
    faults = _broken(doors)
    if faults:
        return explain(doors, faults, "up")
    return DeployError(
        f"Compose could not start the services on {doors.host.name}",
        details=error.details,
        stage="up",
    )


def _broken(doors: Doors) -> tuple[Fault, ...]:
    """Containers that are plainly broken, whatever they were waited for."""
    faults = []
    for one in doors.engine.containers():
        what = hard_fault(one)
        if what and not one.one_off:
            faults.append(Fault(one.service, one.id, what))
    return tuple(faults)


def check_services(doors: Doors, wanted: Sequence[Expected], *, stage: str) -> None:
    """Watch services until they are well.

    Raises:
        DeployError: they aren't; the first one's last lines are in the details.
    """
    verdict = watch_containers(wanted, doors.engine.containers, doors.clock, doors.report.say)
    if not verdict.well:
        raise explain(doors, verdict.faults, stage, verdict.seconds)


def explain(
    doors: Doors, faults: Sequence[Fault], stage: str, seconds: float | None = None
) -> DeployError:
    """An error that names every fault and shows the first one's last lines."""
    first = faults[0]
    after = "" if seconds is None else f" after {seconds:.0f} s"
    details = [f"{fault.service} {fault.what}" for fault in faults[1:]]
    for fault in faults:
        lines = doors.engine.last_lines(fault.container, _LOG_LINES) if fault.container else ()
        if lines:
            details += [f"last lines of {fault.service}:", *(f"  {line}" for line in lines)]
            break
    return DeployError(f"{first.service} {first.what}{after}", details=details, stage=stage)
