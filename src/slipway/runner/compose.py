"""Run Compose, and say why it failed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from slipway.runner.doors import Docker, Done, Doors
from slipway.runner.failure import Failed
from slipway.runner.watch import Fault, hard_fault
from slipway.runner.watching import explained

_SHOWN_LINES = 10
_TRIES = 4
_SETTLE_S = 2.0
# What Docker says while it still carries out what an interrupted command began.
_SETTLING = ("is already in use by container", "is already in progress", "is marked for removal")


def carry_out(doors: Doors, action: Mapping[str, Any]) -> bool:
    """Carry out a Compose action.

    Returns:
        False when it is a gate and there is nothing to do behind it.

    Raises:
        Failed: Compose failed; the failing container's last lines are in the details.
    """
    if action["needs"] and not doors.folder.exists(action["needs"]):
        return True
    done = _settled(doors, action)
    if not done.ok:
        raise _failure(doors, action, done)
    if not action["gate"]:
        return True
    pending = _listed(done.out)
    for one in pending:
        doors.listener.tell("say", text=f"  {one.get('revision', '')}  {one.get('message', '')}")
    if not pending:
        doors.listener.tell("say", text="  nothing to do")
    return bool(pending)


def file_of(doors: Doors, release: str) -> str:
    """Where a release's Compose file lies."""
    return f"{doors.folder.path}/releases/{release}/compose.json"


def _settled(doors: Doors, action: Mapping[str, Any]) -> Done:
    """Run it, and again when it met what an interrupted Compose had left half done.

    Docker goes on with what an interrupted Compose asked of it. The next one may then meet a
    container that is just being removed or renamed, and fails on its name; it is asked again.
    """
    file, arguments = file_of(doors, action["release"]), action["arguments"]
    for left in reversed(range(_TRIES)):
        done = doors.docker.compose(
            file,
            arguments,
            action["timeout_s"],
            output=_below(doors, action["output"]),
            input=_below(doors, action["input"]),
        )
        if done.ok or not left or not any(said in done.err for said in _SETTLING):
            return done
        doors.clock.sleep(_SETTLE_S)
    raise AssertionError("unreachable: the last try returns")


def _below(doors: Doors, path: str) -> str:
    return f"{doors.folder.path}/{path}" if path else ""


def _failure(doors: Doors, action: Mapping[str, Any], done: Done) -> Failed:
    lines = done.err.strip().splitlines()[-_SHOWN_LINES:]
    if action["failed"]:
        return Failed(action["failed"], details=lines)
    faults = _broken(doors.docker)
    if faults:
        return explained(doors.docker, faults)
    why = "ran out of time" if done.code == 124 else "failed"
    return Failed(f"`compose {action['arguments'][0]}` {why}", details=lines)


def _broken(docker: Docker) -> tuple[Fault, ...]:
    """Containers that are plainly broken, whatever they were waited for."""
    faults = []
    for one in docker.containers():
        what = hard_fault(one)
        if what and not one.one_off:
            faults.append(Fault(one.service, one.id, what))
    return tuple(faults)


def _listed(text: str) -> list[dict[str, object]]:
    """The JSON list of objects that a gate printed.

    Raises:
        Failed: it is something else.
    """
    try:
        return [dict(one) for one in json.loads(text)]
    except (ValueError, TypeError) as error:
        raise Failed(
            "the migration plan is not the JSON it should be: [{revision, message}]",
            details=text.splitlines()[:_SHOWN_LINES],
        ) from error
