"""From a host's entry in ``deploy/hosts.toml`` to the host itself."""

from __future__ import annotations

from collections.abc import Callable

from slipway.doors import Host, Shell
from slipway.errors import CommandFailed, ConfigError
from slipway.hosts import openssh
from slipway.hosts.config import HostEntry
from slipway.hosts.login import Login

# `Match exec` may ask the network.
_ASK_S = 60.0


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
        from slipway.hosts.local import LocalHost

        return LocalHost(entry.name, sudo=entry.sudo)
    from slipway.hosts.ssh import SshHost

    if entry.kind == "ssh":
        return SshHost(_login(entry), sudo=entry.sudo, warn=warn)
    if booted is None:
        raise ConfigError(
            f"the rehearsal host {entry.name} isn't up",
            hint=f"./inv rehearsal.up --name {entry.name}",
        )
    return SshHost(booted, sudo=entry.sudo)


def address_of(entry: HostEntry, shell: Shell, *, booted: Login | None = None) -> str:
    """The name or address at which this machine finds the ports that the host publishes.

    Where ``address`` is a Host of ``~/.ssh/config`` that is the HostName it stands for; nothing but
    ssh knows the alias.
    """
    if entry.kind == "local":
        return "127.0.0.1"
    if booted is not None:
        return booted.address
    try:
        done = shell.run(openssh.question(_login(entry)), timeout=_ASK_S, check=False)
    except CommandFailed:
        return entry.address
    (name, *_) = openssh.parse(done.text).get("hostname", (entry.address,))
    return name if done.ok else entry.address


def _login(entry: HostEntry) -> Login:
    return Login(
        entry.name, entry.address, entry.port, entry.user, entry.key_file, entry.known_hosts
    )
