"""Why no SSH connection came about, as a sentence for each cause. Pure.

Causes are told apart by the type of the exception and by what is known of the connection, never
by an exception's English text.
"""

from __future__ import annotations

import errno
import shlex
import socket

import paramiko
from paramiko.hostkeys import InvalidHostKey
from paramiko.ssh_exception import (
    BadAuthenticationType,
    BadHostKeyException,
    ChannelException,
    IncompatiblePeer,
    NoValidConnectionsError,
    PasswordRequiredException,
    ProxyCommandFailure,
)

from slipway.errors import HostAway, HostUnreachable
from slipway.hosts.login import Login
from slipway.hosts.unreachable import try_ssh, unreachable


class UnknownHostKey(paramiko.SSHException):
    """The server's key is in no known_hosts file.

    Args:
        entry: the server as known_hosts files name it, ``name`` or ``[name]:port``; a jump host's
            when that is the one not known.
        key_type: such as ``ssh-ed25519``.
        fingerprint: ``SHA256:…``, as ``ssh-keygen -l`` prints it.
        authority: whether the server is known by a certificate authority.
    """

    def __init__(
        self, entry: str, key_type: str, fingerprint: str, *, authority: bool = False
    ) -> None:
        super().__init__(f"unknown host key of {entry}: {key_type} {fingerprint}")
        self.entry = entry
        self.key_type = key_type
        self.fingerprint = fingerprint
        self.authority = authority


class RevokedHostKey(UnknownHostKey):
    """The server's key is marked ``@revoked`` in a known_hosts file."""


def explain(
    error: BaseException, login: Login, *, greeted: bool = True, words: str = ""
) -> HostUnreachable:
    """Why no connection came about.

    Args:
        error: what paramiko, Fabric or the socket raised.
        login: where it should have gone.
        greeted: whether the server had sent its SSH banner.
        words: what another program said about it.
    """
    for cause, say in (("host-key", _host_key), ("login", _login)):
        if (found := say(error, login)) is not None:
            return unreachable(login, *found, words).by(cause)
    return unreachable(login, *_away(error, login, greeted=greeted), words, HostAway)


def _away(error: BaseException, login: Login, *, greeted: bool) -> tuple[str, str]:
    """What may be otherwise a moment later."""
    if (found := _network(error, login)) is not None:
        return found
    if isinstance(error, EOFError | paramiko.SSHException) and not greeted:
        return (
            f"what answers on {login.place} is no SSH server, or it hung up at once",
            "check the port; a server that limits logins (MaxStartups, fail2ban) also hangs up",
        )
    if isinstance(error, EOFError):
        return f"{login.place} hung up during the login", "look at the host's sshd log"
    return (
        f"the SSH connection to {login.place} failed: {error or type(error).__name__}",
        try_ssh(login),
    )


def _host_key(error: BaseException, login: Login) -> tuple[str, str] | None:
    if isinstance(error, BadHostKeyException):
        return (
            f"the host key of {login.place} is not the known one; another machine answers, "
            "or the host was installed anew",
            f"if you know why it changed: ssh-keygen -R {shlex.quote(login.entry)} "
            f"-f {login.key_list}, then add the new key",
        )
    if isinstance(error, RevokedHostKey):
        return (
            f"the host key of {error.entry} is revoked ({error.key_type} {error.fingerprint})",
            "give the host a new key; whoever has the old one can pretend to be it",
        )
    if isinstance(error, UnknownHostKey):
        by = ", and its certificate authority is not asked here" if error.authority else ""
        return (
            f"the host key of {error.entry} is not known here "
            f"({error.key_type} {error.fingerprint}){by}",
            "compare it with `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on the host, "
            f"then: {_keyscan(error.entry)} >> {login.key_list}",
        )
    if isinstance(error, InvalidHostKey):
        return (
            f"the list of known host keys {login.key_list} holds a line that is none",
            "mend or remove that line",
        )
    if isinstance(error, IncompatiblePeer):
        return (
            f"{login.place} and this machine share no SSH algorithm",
            "bring the host's SSH server up to date",
        )
    return None


def _keyscan(entry: str) -> str:
    address, _, port = (
        entry.removeprefix("[").rpartition("]:") if "]:" in entry else (entry, "", "")
    )
    return f"ssh-keyscan{f' -p {port}' if port else ''} {shlex.quote(address)}"


def _login(error: BaseException, login: Login) -> tuple[str, str] | None:
    if isinstance(error, PasswordRequiredException):
        return (
            f"the private key for {login.place} is protected by a passphrase",
            "load it into the agent: ssh-add"
            + (f" {shlex.quote(login.key_file)}" if login.key_file else ""),
        )
    if isinstance(error, BadAuthenticationType):
        return (
            f"{login.place} takes no login by key for {login.account} "
            f"(only: {', '.join(error.allowed_types)})",
            "allow public keys for that user in the host's SSH service",
        )
    if isinstance(error, paramiko.AuthenticationException):
        with_key = f" with the key {login.key_file}" if login.key_file else ""
        return (
            f"{login.place} refused the login of {login.account}{with_key}",
            f"add the public key to that user's authorized keys there; {try_ssh(login)}",
        )
    return None


def _network(error: BaseException, login: Login) -> tuple[str, str] | None:
    if isinstance(error, socket.gaierror):
        return (
            f"the name {login.address!r} can't be resolved",
            f"check address in [host.{login.name}], or use its IP address",
        )
    if isinstance(error, ProxyCommandFailure):
        return (
            f"the ProxyCommand for {login.address} failed",
            f"try it by hand: {error.command}",
        )
    if isinstance(error, ChannelException):
        return (
            f"its jump host made no connection to {login.place} ({error.text})",
            "check that address from the jump host, and AllowTcpForwarding there",
        )
    if isinstance(error, TimeoutError):
        return (
            f"{login.place} did not answer in time",
            "check that the host is on, in this network, and that no firewall drops port "
            f"{login.port or 22}",
        )
    if isinstance(error, FileNotFoundError | PermissionError):
        return (
            f"the file {error.filename} can't be read ({error.strerror})",
            f"check key_file and known_hosts in [host.{login.name}]",
        )
    numbers = _numbers(error)
    if errno.ECONNREFUSED in numbers:
        return (
            f"{login.place} refused the connection: no SSH server listens there",
            f"switch the host's SSH service on, or check port in [host.{login.name}]",
        )
    if numbers & {errno.EHOSTUNREACH, errno.ENETUNREACH}:
        return (
            f"there is no way to {login.address} from here",
            "check this machine's network, VPN and routes",
        )
    if isinstance(error, ConnectionError):
        return f"{login.place} broke the connection", "look at the host's sshd log"
    return None


def _numbers(error: BaseException) -> set[int]:
    if isinstance(error, NoValidConnectionsError):
        return {n for each in error.errors.values() for n in _numbers(each)}
    if isinstance(error, OSError) and error.errno is not None:
        return {error.errno}
    return set()
