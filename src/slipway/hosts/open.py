"""From a host's entry in ``deploy/hosts.toml`` to the host itself."""

from __future__ import annotations

from dataclasses import dataclass

from slipway.doors import Host
from slipway.errors import ConfigError
from slipway.hosts.config import HostEntry
from slipway.hosts.connect import Login
from slipway.hosts.local import LocalHost
from slipway.hosts.ssh import SshHost


@dataclass(frozen=True, slots=True)
class Booted:
    """How to reach a rehearsal host that is up.

    Attributes:
        address: its IP address.
        port: TCP port of its SSH server.
        user: login name.
        key_file: private key.
        known_hosts: file with its host key.
    """

    address: str
    port: int
    user: str
    key_file: str
    known_hosts: str


def open_host(entry: HostEntry, *, booted: Booted | None = None) -> Host:
    """The host of an entry. Nothing is connected yet; the first command does that.

    Args:
        entry: which host.
        booted: how to reach it, when it is a rehearsal host.

    Raises:
        ConfigError: a rehearsal host that isn't up.
    """
    if entry.kind == "local":
        return LocalHost(entry.name, sudo=entry.sudo)
    if entry.kind == "ssh":
        login = Login(
            entry.name, entry.address, entry.port, entry.user, entry.key_file, entry.known_hosts
        )
        return SshHost(login, sudo=entry.sudo)
    if booted is None:
        raise ConfigError(
            f"the rehearsal host {entry.name} isn't up",
            hint=f"./inv rehearsal.up --name {entry.name}",
        )
    login = Login(
        entry.name,
        booted.address,
        booted.port,
        booted.user,
        booted.key_file,
        booted.known_hosts,
        personal=False,
    )
    return SshHost(login, sudo=entry.sudo)


def address_of(entry: HostEntry, *, booted: Booted | None = None) -> str:
    """The name or address at which this machine finds the ports that the host publishes."""
    if entry.kind == "local":
        return "127.0.0.1"
    return booted.address if booted is not None else entry.address
