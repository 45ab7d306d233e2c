"""What takes a right that the login user of a host has not."""

from __future__ import annotations

from slipway.act.doors import Doors
from slipway.errors import DeployError


def need_docker(doors: Doors, what: str, hint: str) -> None:
    """Refuse what only Docker can do, where nobody may ask it.

    Args:
        doors: to the host.
        what: it is, such as ``a command in a container``.
        hint: what can be done instead.

    Raises:
        DeployError: the host is one of TrueNAS' middleware only; nothing was changed.
    """
    if doors.only:
        raise DeployError(
            f"{what} takes the right to Docker, which nobody has on {doors.host.name}: there only "
            "TrueNAS is asked; nothing was changed",
            hint=hint,
            stage="plan",
        )
