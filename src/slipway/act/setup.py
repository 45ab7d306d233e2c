"""Make what a host lacks before the first deploy, one thing after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from slipway.doors import Host
from slipway.errors import HostError
from slipway.hosts.command import SUDO
from slipway.hosts.middleware import Middleware
from slipway.plan.setup import Thing

_RUN_S = 60.0


def make(
    host: Host, things: Sequence[Thing], *, sudo: bool, tell: Callable[[str], object]
) -> tuple[Thing, ...]:
    """Make things, in their order.

    Args:
        host: the machine, without sudo.
        things: those that are made; all others are passed over.
        sudo: whether commands are run as root, by sudo.
        tell: is given what is made next, and how far a job is.

    Returns:
        Those that were made.

    Raises:
        HostError: one could not be made; those after it were not begun. It says which are made.
    """
    wanted = [one for one in things if one.state == "make"]
    nas = Middleware(host, _Once(tell).progress)
    for number, thing in enumerate(wanted):
        tell(thing.what)
        try:
            _make(host, nas, thing, sudo=sudo)
        except HostError as error:
            raise _stopped(host.name, wanted, number, error) from error
    return tuple(wanted)


class _Once:
    """Tells how far a job is when that is something else than before."""

    def __init__(self, tell: Callable[[str], object]) -> None:
        self._tell, self._last = tell, ""

    def progress(self, words: str, percent: float) -> None:
        """A job has come so far."""
        said = f"{percent:.0f} % {words}"
        if words and said != self._last:
            self._last = said
            self._tell(said)


def _make(host: Host, nas: Middleware, thing: Thing, *, sudo: bool) -> None:
    for call in thing.calls:
        (nas.run if call.job else nas.call)(call.method, *call.args)
    if thing.command:
        # A rule of sudo's may name no program but sh.
        root = (*SUDO, "sh", "-c", 'exec "$@"', "setup") if sudo else ()
        host.run((*root, *thing.command), timeout=_RUN_S)


def _stopped(name: str, things: Sequence[Thing], number: int, error: HostError) -> HostError:
    made = [f"made: {one.what}" for one in things[:number]]
    left = [f"not begun: {one.what}" for one in things[number + 1 :]]
    return HostError(
        f"{name} is prepared in part only; not made was {things[number].what}: {error.message}",
        hint=f"{error.hint or 'mend that'}; then ./inv host.setup --host {name} goes on with it",
        stage="setup",
        details=[*error.details, *made, *left],
    )
