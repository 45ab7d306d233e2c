"""From a host's entry in ``deploy/hosts.toml`` to the host itself."""

from __future__ import annotations

from collections.abc import Callable

from slipway.doors import Host
from slipway.errors import ConfigError
from slipway.hosts.config import HostEntry
from slipway.hosts.local import LocalHost
from slipway.hosts.login import Login
from slipway.hosts.ssh import SshHost


def open_host(
    entry: HostEntry,
    *,
    booted: Login | None = None,
    warn: Callable[[str], None] = lambda _: None,
) -> Host:
    """The host of an entry. Nothing is connected yet; the first command does that.

    Args:
        entry: which host.
        booted: how to reach it, when it is a rehearsal host.
        warn: told what of OpenSSH's configuration could not be taken into account.

    Raises:
        ConfigError: a rehearsal host that isn't up.
    """
    if entry.kind == "local":
        return LocalHost(entry.name, sudo=entry.sudo)
    if entry.kind == "ssh":
        login = Login(
            entry.name, entry.address, entry.port, entry.user, entry.key_file, entry.known_hosts
        )
        return SshHost(login, sudo=entry.sudo, warn=warn)
    if booted is None:
        raise ConfigError(
            f"the rehearsal host {entry.name} isn't up",
            hint=f"./inv rehearsal.up --name {entry.name}",
        )
    return SshHost(booted, sudo=entry.sudo)


def address_of(entry: HostEntry, *, booted: Login | None = None) -> str:
    """The name or address at which this machine finds the ports that the host publishes."""
    if entry.kind == "local":
        return "127.0.0.1"
    return booted.address if booted is not None else entry.address
