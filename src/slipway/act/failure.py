"""The error that a failed run ends with: the cause, and what runs now. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slipway.errors import DeployBroken, DeployError, Interrupted, SlipwayError
from slipway.runner.failure import Cause


class PlanIsStale(DeployError):
    """The host changed between planning and acting."""


def cause(error: SlipwayError | OSError | KeyboardInterrupt) -> SlipwayError:
    """What ended a deploy on this machine, as an error of ours."""
    if isinstance(error, SlipwayError):
        return error
    if isinstance(error, OSError):
        return SlipwayError(f"this machine: {error}")
    return Interrupted("interrupted")


def ended(end: Mapping[str, Any], live: str | None) -> SlipwayError | None:
    """The error of a run's end; None when it is a good one.

    Args:
        end: what :meth:`slipway.runner.run.Run.carry_out` returned.
        live: what serves when it went back, such as a release's id; None when nothing does.
    """
    if not end:
        return DeployError("the host lost track of it", hint="./inv status", stage="follow")
    if end["outcome"] == "done":
        return None
    error = _error(Cause.from_json(end["cause"]))
    if end["outcome"] == "untouched":
        return untouched(error)
    if end["outcome"] == "undone":
        return went_back(error, live)
    return broken(error, _error(Cause.from_json(end["second"])))


def _error(cause: Cause) -> DeployError:
    kinds = {"stale": PlanIsStale, "interrupted": Interrupted}
    return kinds.get(cause.kind, DeployError)(
        cause.message, hint=cause.hint or None, stage=cause.stage or None, details=cause.details
    )


def untouched(cause: SlipwayError) -> SlipwayError:
    """Nothing that runs had been touched yet."""
    if not isinstance(cause, DeployError):
        return cause
    kept = "" if "nothing was changed" in cause.message else "; nothing that runs was changed"
    return type(cause)(
        cause.message + kept, hint=cause.hint, stage=cause.stage, details=cause.details
    )


def went_back(cause: SlipwayError, live: str | None) -> SlipwayError:
    """What ran before runs again.

    Args:
        cause: why it went back.
        live: what serves now, such as a release's id; None when the stack was taken down.
    """
    now = (
        f"{live} is serving again"
        if live
        else "there was no release before it: the stack was taken down, data was kept"
    )
    kind = Interrupted if isinstance(cause, Interrupted) else DeployError
    return kind(
        f"{cause.message}; {now}",
        hint=cause.hint or "mend the cause and deploy again",
        stage=cause.stage,
        details=cause.details,
    )


def broken(cause: SlipwayError, second: SlipwayError) -> DeployBroken:
    """Going back failed too."""
    return DeployBroken(
        f"{cause.message}; going back failed too: {second.message}. Data was not touched",
        hint="look with `./inv status` and `./inv logs`, then deploy a good state",
        stage=cause.stage,
        details=[*cause.details, *(("going back:", *second.details) if second.details else ())],
    )
