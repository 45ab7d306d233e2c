"""The error that a failed deploy ends with: the cause, and what runs now. Pure."""

from __future__ import annotations

from slipway.errors import DeployBroken, DeployError, Interrupted, SlipwayError


def cause(error: SlipwayError | OSError | KeyboardInterrupt) -> SlipwayError:
    """What ended a deploy, as an error of ours: this machine may fail as well as the host."""
    if isinstance(error, SlipwayError):
        return error
    if isinstance(error, OSError):
        return SlipwayError(f"this machine: {error}")
    return Interrupted("interrupted")


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
        live: id of the release that serves now, or None when the stack was taken down.
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
        details=[*cause.details, "going back:", *second.details],
    )
