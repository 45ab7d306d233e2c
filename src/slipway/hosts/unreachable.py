"""Why a host can't be reached, as a sentence for each cause. Pure.

Causes are told apart by the type of the exception and by what is known of the connection, never
by an exception's English text.
"""

from __future__ import annotations

import errno
import shlex
import socket
from dataclasses import dataclass

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

from slipway.errors import HostUnreachable


@dataclass(frozen=True, slots=True)
class Target:
    """Where a connection goes.

    Attributes:
        name: the host's name in ``deploy/hosts.toml``.
        address: name or IP address.
        port: TCP port.
        user: login name.
        key_file: private key, or empty.
        known_hosts: the file with its host key, or empty for the user's and the system's.
    """

    name: str
    address: str
    port: int
    user: str
    key_file: str = ""
    known_hosts: str = ""

    @property
    def place(self) -> str:
        """``address:port``."""
        return f"{self.address}:{self.port}"

    @property
    def key_list(self) -> str:
        """The file host keys are looked up in, as a shell word."""
        return shlex.quote(self.known_hosts) if self.known_hosts else "~/.ssh/known_hosts"


class UnknownHostKey(paramiko.SSHException):
    """The server's key is in no known_hosts file.

    Args:
        entry: the server as known_hosts files name it, ``name`` or ``[name]:port``; a jump host's
            when that is the one not known.
        key_type: such as ``ssh-ed25519``.
        fingerprint: ``SHA256:…``, as ``ssh-keygen -l`` prints it.
    """

    def __init__(self, entry: str, key_type: str, fingerprint: str) -> None:
        super().__init__(f"unknown host key of {entry}: {key_type} {fingerprint}")
        self.entry = entry
        self.key_type = key_type
        self.fingerprint = fingerprint


def explain(error: BaseException, target: Target, *, greeted: bool = True) -> HostUnreachable:
    """Why no connection came about.

    Args:
        error: what paramiko, Fabric or the socket raised.
        target: where it should have gone.
        greeted: whether the server had sent its SSH banner.
    """
    for say in (_host_key, _login, _network):
        if (found := say(error, target)) is not None:
            return _unreachable(target, *found)
    if isinstance(error, EOFError | paramiko.SSHException) and not greeted:
        return _unreachable(
            target,
            f"what answers on {target.place} is no SSH server, or it hung up at once",
            "check the port; a server that limits logins (MaxStartups, fail2ban) also hangs up",
        )
    if isinstance(error, EOFError):
        return _unreachable(
            target, f"{target.place} hung up during the login", "look at the host's sshd log"
        )
    return _unreachable(
        target,
        f"the SSH connection to {target.place} failed: {error or type(error).__name__}",
        _try_ssh(target),
    )


def lost(name: str, what: str = "the SSH connection broke") -> HostUnreachable:
    """A connection that was there is gone; what the command did is not known."""
    return HostUnreachable(
        f"{name} is gone: {what}; what was running there may have ended or not",
        hint="check the network and the host, then run the same command again",
        stage="connect",
    )


def no_sudo(target: Target) -> HostUnreachable:
    """The login works and ``sudo -n`` doesn't."""
    return _unreachable(
        target,
        f"{target.user} may log in at {target.place} but not use sudo without a password",
        "allow it there (TrueNAS: Credentials > Users > Allowed sudo commands with no password), "
        "or log in as root with a key and set sudo = false",
    )


def no_channel(error: ChannelException, target: Target) -> HostUnreachable:
    """The server refuses one more command on the connection."""
    return _unreachable(
        target,
        f"its SSH server refused to start a command ({error})",
        "raise MaxSessions in the host's sshd_config, or end other sessions",
    )


def _host_key(error: BaseException, target: Target) -> tuple[str, str] | None:
    name = target.address if target.port == 22 else f"[{target.address}]:{target.port}"
    if isinstance(error, BadHostKeyException):
        return (
            f"the host key of {target.place} is not the known one; another machine answers, "
            "or the host was installed anew",
            f"if you know why it changed: ssh-keygen -R {shlex.quote(name)} -f {target.key_list}, "
            "then add the new key",
        )
    if isinstance(error, UnknownHostKey):
        return (
            f"the host key of {error.entry} is not known here "
            f"({error.key_type} {error.fingerprint})",
            "compare it with `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on the host, "
            f"then: {_keyscan(error.entry)} >> {target.key_list}",
        )
    if isinstance(error, InvalidHostKey):
        return (
            f"the list of known host keys {target.key_list} holds a line that is none",
            "mend or remove that line",
        )
    if isinstance(error, IncompatiblePeer):
        return (
            f"{target.place} and this machine share no SSH algorithm",
            "bring the host's SSH server up to date",
        )
    return None


def _keyscan(entry: str) -> str:
    address, _, port = (
        entry.removeprefix("[").rpartition("]:") if "]:" in entry else (entry, "", "")
    )
    return f"ssh-keyscan{f' -p {port}' if port else ''} {shlex.quote(address)}"


def _login(error: BaseException, target: Target) -> tuple[str, str] | None:
    if isinstance(error, PasswordRequiredException):
        return (
            f"the private key for {target.place} is protected by a passphrase",
            "load it into the agent: ssh-add"
            + (f" {shlex.quote(target.key_file)}" if target.key_file else ""),
        )
    if isinstance(error, BadAuthenticationType):
        return (
            f"{target.place} takes no login by key for {target.user} "
            f"(only: {', '.join(error.allowed_types)})",
            "allow public keys for that user in the host's SSH service",
        )
    if isinstance(error, paramiko.AuthenticationException):
        with_key = f" with the key {target.key_file}" if target.key_file else ""
        return (
            f"{target.place} refused the login of {target.user}{with_key}",
            f"add the public key to that user's authorized keys there; {_try_ssh(target)}",
        )
    return None


def _network(error: BaseException, target: Target) -> tuple[str, str] | None:
    if isinstance(error, socket.gaierror):
        return (
            f"the name {target.address!r} can't be resolved",
            f"check address in [host.{target.name}], or use its IP address",
        )
    if isinstance(error, ProxyCommandFailure):
        return (
            f"the ProxyCommand for {target.address} failed",
            "try it by hand; it is in ~/.ssh/config",
        )
    if isinstance(error, TimeoutError):
        return (
            f"{target.place} did not answer in time",
            "check that the host is on, in this network, and that no firewall drops port "
            f"{target.port}",
        )
    if isinstance(error, FileNotFoundError | PermissionError):
        return (
            f"the file {error.filename} can't be read ({error.strerror})",
            f"check key_file and known_hosts in [host.{target.name}]",
        )
    numbers = _numbers(error)
    if errno.ECONNREFUSED in numbers:
        return (
            f"{target.place} refused the connection: no SSH server listens there",
            f"switch the host's SSH service on, or check port in [host.{target.name}]",
        )
    if numbers & {errno.EHOSTUNREACH, errno.ENETUNREACH}:
        return (
            f"there is no way to {target.address} from here",
            "check this machine's network, VPN and routes",
        )
    if isinstance(error, ConnectionError):
        return f"{target.place} broke the connection", "look at the host's sshd log"
    return None


def _numbers(error: BaseException) -> set[int]:
    if isinstance(error, NoValidConnectionsError):
        return {n for each in error.errors.values() for n in _numbers(each)}
    if isinstance(error, OSError) and error.errno is not None:
        return {error.errno}
    return set()


def _unreachable(target: Target, why: str, hint: str) -> HostUnreachable:
    return HostUnreachable(
        f"{target.name} can't be reached: {why}; nothing was changed there",
        hint=hint,
        stage="connect",
    )


def _try_ssh(target: Target) -> str:
    login = shlex.quote(f"{target.user}@{target.address}")
    key = f" -i {shlex.quote(target.key_file)}" if target.key_file else ""
    return f"try: ssh -v -p {target.port}{key} {login}"
