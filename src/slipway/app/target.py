"""A host to work on: its entry, its connection, its address."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from slipway.act.doors import Doors
from slipway.doors import Clock, Host, Shell
from slipway.errors import HostUnreachable
from slipway.hosts.config import HostEntry
from slipway.hosts.open import address_of
from slipway.hosts.open import open_host as connection_to
from slipway.hosts.rehearsal import RehearsalInfo, Rehearsals
from slipway.report import Report


@dataclass(frozen=True, slots=True)
class Target:
    """A host to work on; leaving its ``with`` block ends the connection.

    Attributes:
        entry: what ``deploy/hosts.toml`` says.
        address: where the ports it publishes are reached.
        doors: everything a deploy to it acts through.
    """

    entry: HostEntry
    address: str
    doors: Doors

    @property
    def host(self) -> Host:
        """The machine."""
        return self.doors.host

    def close(self) -> None:
        """End the connections."""
        self.doors.http.close()
        self.host.close()

    def __enter__(self) -> Target:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def rehearsals(root: Path, shell: Shell, clock: Clock, report: Report) -> Rehearsals:
    """The rehearsal hosts of a checkout."""
    return Rehearsals(root / ".slipway/rehearsal", shell=shell, clock=clock, report=report)


def booted(entry: HostEntry, hosts: Rehearsals, tree: Path | None) -> RehearsalInfo | None:
    """The rehearsal host of an entry; None for an entry of another kind.

    Args:
        entry: which.
        hosts: the rehearsal hosts.
        tree: programs to boot it from when it isn't up; None doesn't boot.

    Raises:
        HostUnreachable: it isn't up, with no tree to boot it from.
        HostError: it did not come up.
    """
    if entry.kind != "rehearsal":
        return None
    if tree is not None:
        return hosts.up(entry.name, tree, release=entry.release or None)
    info = hosts.status(entry.name)
    if info is None or not info.healthy:
        why = "isn't up" if info is None else info.problem
        raise HostUnreachable(
            f"the rehearsal host {entry.name} can't be used: {why}",
            hint=f"./inv rehearsal.up --name {entry.name}, or ./inv deploy, which boots it",
            stage="rehearsal",
        )
    return info


def open_host(
    entry: HostEntry, found: RehearsalInfo | None, shell: Shell, warn: Callable[[str], None]
) -> tuple[Host, str]:
    """A host, ready for its first command, and the address of the ports it publishes.

    Args:
        entry: which.
        found: the rehearsal host, when it is one.
        shell: this machine, to ask ssh which machine a name of its configuration stands for.
        warn: told what of OpenSSH's configuration could not be taken into account.
    """
    login = found.login if found is not None else None
    return connection_to(entry, booted=login, warn=warn), address_of(entry, shell, booted=login)
