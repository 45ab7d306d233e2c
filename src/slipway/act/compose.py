"""Run Compose on the host, and say why it failed."""

from __future__ import annotations

import json

from slipway.act.doors import Doors
from slipway.act.watching import explain
from slipway.doors import Completed
from slipway.errors import CommandFailed, DeployError
from slipway.plan.actions import Compose
from slipway.runner.watch import Fault, hard_fault

_SHOWN_LINES = 10
_TRIES = 4
_SETTLE_S = 2.0
# What Docker says while it still carries out what an interrupted command began.
_SETTLING = ("is already in use by container", "is already in progress", "is marked for removal")


def compose(doors: Doors, action: Compose) -> bool:
    """Carry out a Compose action.

    Returns:
        False when it is a gate and there is nothing to do behind it.

    Raises:
        DeployError: Compose failed; the failing container's last lines are in the details.
    """
    done = _settled(doors, action)
    if not action.gate:
        return True
    pending = _listed(done.text)
    for one in pending:
        doors.report.say("  " + "  ".join(str(value) for value in one.values()))
    if not pending:
        doors.report.say("  nothing to do")
    return bool(pending)


def _settled(doors: Doors, action: Compose) -> Completed:
    """Run it, and again when it met what an interrupted Compose had left half done.

    Docker goes on with what an interrupted Compose asked of it. The next one may then meet a
    container that is just being removed or renamed, and fails on its name; it is asked again.
    """
    file = doors.compose_file(action.release)
    for left in reversed(range(_TRIES)):
        try:
            return doors.engine.compose(file, action.arguments, timeout=action.timeout_s)
        except CommandFailed as error:
            if not left or not _is_settling(error):
                raise _failure(doors, action, error) from error
        doors.clock.sleep(_SETTLE_S)
    raise AssertionError("unreachable: the last try returns or raises")


def _is_settling(error: CommandFailed) -> bool:
    return any(said in line for said in _SETTLING for line in error.details)


def _failure(doors: Doors, action: Compose, error: CommandFailed) -> DeployError:
    if action.failed:
        return DeployError(action.failed, details=error.details[-_SHOWN_LINES:])
    faults = _broken(doors)
    if faults:
        return explain(doors, faults)
    return DeployError(
        f"`compose {action.arguments[0]}` failed on {doors.host.name}", details=error.details
    )


def _broken(doors: Doors) -> tuple[Fault, ...]:
    """Containers that are plainly broken, whatever they were waited for."""
    faults = []
    for one in doors.engine.containers():
        what = hard_fault(one)
        if what and not one.one_off:
            faults.append(Fault(one.service, one.id, what))
    return tuple(faults)


def _listed(text: str) -> list[dict[str, object]]:
    """The JSON list of objects that a gate printed.

    Raises:
        DeployError: it is something else.
    """
    try:
        found = json.loads(text)
        return [dict(one) for one in found]
    except (ValueError, TypeError) as error:
        raise DeployError(
            "the migration plan is not the JSON it should be: [{revision, message}]",
            details=text.splitlines()[:_SHOWN_LINES],
        ) from error
