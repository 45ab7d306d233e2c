"""A host that is connected to and asked while the checkout is read and images are built.

What is wrong with a host is told before anything is fetched for it, and before anything is built
when it is known by then; else after the build.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from slipway.ahead import Ahead
from slipway.app.target import Target, booted
from slipway.errors import HostError, SlipwayError
from slipway.hosts.config import HostEntry
from slipway.hosts.rehearsal import RehearsalInfo, Rehearsals

#: Gives the host of an entry, not connected; of a rehearsal host this boot.
Opener = Callable[[HostEntry, RehearsalInfo | None], Target]


@dataclass(frozen=True, slots=True)
class Near:
    """What an approach came to.

    Attributes:
        target: the host, which has answered; None when it is a rehearsal host to be looked at.
        booted: which boot of a rehearsal host that is.
    """

    target: Target | None = None
    booted: RehearsalInfo | None = None

    def close(self) -> None:
        """End the connection, if there is one."""
        if self.target is not None:
            self.target.close()


class Approach:
    """The way to a host, begun at once.

    Args:
        entry: which host.
        hosts: the rehearsal hosts.
        opened: opens it.
        boots: a rehearsal host that isn't up is to be booted.

    Attributes:
        boots: whether this one is a rehearsal host, and so may have to be.
    """

    def __init__(self, entry: HostEntry, hosts: Rehearsals, opened: Opener, *, boots: bool) -> None:
        self._entry, self._hosts, self._opened = entry, hosts, opened
        self.boots = boots and entry.kind == "rehearsal"
        self._ahead = Ahead(self._go)
        self._round: Ahead[None] | None = None

    def arrive(self) -> Near:
        """Where the host was reached, as soon as it is.

        Raises:
            HostError: it can't be reached or used, and isn't one to boot.
        """
        return self._ahead.answer()

    def look_round(self) -> None:
        """Something is built now: have the host be asked meanwhile what a change takes.

        Raises:
            HostError: it is known already that it can't be used.
        """
        if self._ahead.ended:
            self.arrive()
        self._round = self._round or Ahead(self._look_round)

    def settle(self, tree: Callable[[], Path]) -> Target:
        """The host, booted when it has to be.

        Args:
            tree: gives the programs to boot a rehearsal host from.

        Raises:
            HostError: it can't be reached or used, or did not boot.
        """
        near = self.arrive()
        found = near.booted
        if self.boots:
            found = self._hosts.up(
                self._entry.name,
                tree(),
                release=self._entry.release or None,
                answering=near.booted,
            )
        if near.target is not None and found == near.booted:
            return near.target
        near.close()
        return self._opened(self._entry, found)

    def turn_back(self) -> None:
        """Want the host no longer; a connection that comes up later is ended."""
        self._ahead.drop(Near.close)

    def _go(self) -> Near:
        if not self.boots:
            return self._greeted(booted(self._entry, self._hosts, None))
        info = self._hosts.noted(self._entry.name)
        if info is None:
            return Near()
        try:
            return self._greeted(info)
        except HostError:  # it is looked at, and booted anew, when that is its turn
            return Near()

    def _look_round(self) -> None:
        with contextlib.suppress(SlipwayError):  # whoever needs the host, or the answer, is told
            near = self._ahead.answer()
            if near.target is not None:
                near.target.doors.engine.look_round(self._entry.app_dir)

    def _greeted(self, info: RehearsalInfo | None) -> Near:
        target = self._opened(self._entry, info)
        try:
            target.doors.engine.look_ahead()
        except BaseException:
            target.close()
            raise
        return Near(target, info)
