"""That a host can't be used, as a sentence for each cause. Pure.

What paramiko raised is told apart in :mod:`slipway.hosts.refused`.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from slipway.errors import HostAway, HostUnreachable
from slipway.hosts.login import Login

_WORDS = 10


def lost(name: str, what: str = "the SSH connection broke") -> HostAway:
    """A connection that was there is gone; what the command did is not known."""
    return HostAway(
        f"{name} is gone: {what}; what was running there may have ended or not",
        hint="check the network and the host, then run the same command again",
        stage="connect",
    )


def broken_off(name: str, breaks: Sequence[HostAway]) -> HostUnreachable:
    """A transfer that was taken up again and again, and did not get through."""
    last = breaks[-1]
    return HostUnreachable(
        f"the transfer to {name} broke off {len(breaks)} times; what runs there still runs",
        hint="check the network, then run the same command again: it goes on from what arrived",
        stage="transfer",
        details=(last.message, *last.details),
    )


def no_way(login: Login, why: str, words: str = "") -> HostUnreachable:
    """OpenSSH's programs or files here don't lead to the host; the words are theirs."""
    config = f" -F {shlex.quote(login.config)}" if login.config else ""
    return unreachable(login, why, f"look at: ssh -G{config} {shlex.quote(login.address)}", words)


def no_sudo(login: Login, words: str) -> HostUnreachable:
    """The login works and ``sudo -n`` doesn't; the words are sudo's own."""
    return unreachable(
        login,
        f"sudo runs no command for {login.account} on {login.address}",
        f"./inv host.setup --host {login.name} makes the rule on a TrueNAS, elsewhere it says "
        "which to paste; or log in as root with a key and set sudo = false",
        words,
    ).by("sudo")


def no_shell(login: Login, words: str) -> HostUnreachable:
    """The login works and its shell doesn't run commands; the words are the shell's own."""
    return unreachable(
        login,
        f"{login.account} may log in at {login.place} but its login shell ran no command",
        f"give that user a shell such as /bin/sh there; {try_ssh(login)} true",
        words,
    ).by("login-shell")


def no_channel(error: Exception, login: Login) -> HostUnreachable:
    """The server refuses one more command on the connection."""
    return unreachable(
        login,
        f"its SSH server refused to start a command ({error})",
        "set MaxSessions in the host's sshd_config to 1 or more, or end other sessions",
    )


def unreachable(
    login: Login,
    why: str,
    hint: str,
    words: str = "",
    kind: type[HostUnreachable] = HostUnreachable,
) -> HostUnreachable:
    """The error that a host can't be reached, with another program's last words about it."""
    return kind(
        f"{login.name} can't be reached: {why}; nothing was changed there",
        hint=hint,
        stage="connect",
        details=[line.rstrip() for line in words.splitlines() if line.strip()][-_WORDS:],
    )


def try_ssh(login: Login) -> str:
    """The command by which a person sees the same with OpenSSH."""
    who = shlex.quote(f"{login.user}@{login.address}" if login.user else login.address)
    port = f" -p {login.port}" if login.port else ""
    key = f" -i {shlex.quote(login.key_file)}" if login.key_file else ""
    return f"try: ssh -v{port}{key} {who}"
