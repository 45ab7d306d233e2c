"""Open an SSH connection whose host key must be known.

Where the connection goes, with which keys, through which other servers, is what OpenSSH's
configuration says (:mod:`slipway.hosts.route`). Fabric carries it; its own configuration files are
not read, and it accepts any host key by default, while here every server on the way has to show a
known one, whatever ``StrictHostKeyChecking`` says.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import logging
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeGuard

import paramiko
from fabric import Config, Connection
from paramiko.config import SSHConfig
from paramiko.hostkeys import InvalidHostKey
from paramiko.ssh_exception import BadHostKeyException, ProxyCommandFailure

from slipway.doors import Shell
from slipway.errors import CommandFailed
from slipway.hosts.identities import Identities
from slipway.hosts.knownhosts import (
    Known,
    Verdict,
    judge,
    look_up,
    look_up_here,
    preferred,
)
from slipway.hosts.login import Login
from slipway.hosts.openssh import Server
from slipway.hosts.proxy import Proxy
from slipway.hosts.refused import RevokedHostKey, UnknownHostKey, explain
from slipway.hosts.route import NoRoute, find_route, this_machine
from slipway.hosts.unreachable import no_way

# What the library logs, tracebacks too, would else go to the person's terminal.
logging.getLogger("paramiko").addHandler(logging.NullHandler())

_KEEPALIVE_S = 10
_DEAD_AFTER_MS = 30_000


@dataclass(slots=True)
class Way:
    """An open connection to a host, with what it goes through.

    Attributes:
        login: where it really goes.
        hops: the connections, the host's own last.
        proxies: running ``ProxyCommand``s.
    """

    login: Login
    hops: list[Connection] = field(default_factory=list)
    proxies: list[Proxy] = field(default_factory=list)

    @property
    def connection(self) -> Connection:
        """The connection to the host itself."""
        return self.hops[-1]

    def close(self) -> None:
        """Close all of it; what is broken already is closed enough."""
        for hop in reversed(self.hops):
            transport = hop.client.get_transport()
            if transport is not None:
                transport.close()
            hop.client.close()
        for proxy in self.proxies:
            proxy.close()


class _KnownOrRefused(paramiko.MissingHostKeyPolicy):
    """Accepts the keys that known_hosts files have for a server, and no other."""

    def __init__(self, server: Server, known: Known) -> None:
        self._server = server
        self._known = known

    def missing_host_key(
        self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey
    ) -> None:
        """Return for a known key.

        Raises:
            UnknownHostKey: nobody has vouched for it.
            RevokedHostKey: somebody has warned of it.
            BadHostKeyException: another one is known.
        """
        name = self._server.known_as[0]
        digest = base64.b64encode(hashlib.sha256(key.asbytes()).digest()).decode().rstrip("=")
        shown = (name, key.get_name(), f"SHA256:{digest}")
        match judge(self._known, key.get_name(), key.get_base64()):
            case Verdict.KNOWN:
                return
            case Verdict.REVOKED:
                raise RevokedHostKey(*shown)
            case Verdict.CHANGED:
                raise BadHostKeyException(name, key, key)
            case Verdict.UNKNOWN:
                raise UnknownHostKey(*shown, authority=self._known.has_authority)


def connect(login: Login, shell: Shell, warn: Callable[[str], None]) -> Way:
    """Open a connection.

    Args:
        login: the host.
        shell: this machine, where OpenSSH's programs say what is configured and known.
        warn: told what could not be taken into account.

    Raises:
        HostUnreachable: with a sentence for each cause.
    """
    try:
        servers = find_route(login, shell, this_machine(), warn)
    except NoRoute as error:
        raise no_way(login, error.why, error.words) from error
    way = Way(login)
    try:
        for index, server in enumerate(servers):
            way.login = replace(login, address=server.address, port=server.port, user=server.user)
            last = index == len(servers) - 1
            _hop(way, server, login, shell, required=last and bool(login.key_file))
        for hop in way.hops:
            _harden(hop.transport)
    except CommandFailed as error:
        way.close()
        raise no_way(way.login, "its known host keys can't be read", *error.details) from error
    except (OSError, EOFError, ValueError, paramiko.SSHException, InvalidHostKey) as error:
        raise _explained(error, way) from error
    except BaseException:
        way.close()
        raise
    return way


def _hop(way: Way, server: Server, login: Login, shell: Shell, *, required: bool) -> None:
    """Connect to the next server of the way."""
    if required:
        Path(login.key_file).read_bytes()
    if login.known_hosts:
        Path(login.known_hosts).read_bytes()
    known = (
        look_up(shell, server.known_as, server.known_hosts)
        if login.personal
        else look_up_here(server.known_as, server.known_hosts)
    )

    def transport(sock: socket.socket, **options: object) -> paramiko.Transport:
        _hasten(sock)
        made = paramiko.Transport(sock, **options)  # type: ignore[arg-type]
        security = made.get_security_options()
        security.key_types = preferred(known, security.key_types, server.key_types)
        return made

    kwargs: dict[str, object] = {
        "banner_timeout": server.timeout,
        "auth_timeout": server.timeout,
        "channel_timeout": server.timeout,
        "transport_factory": transport,
        "auth_strategy": Identities(server, required=required),
    }
    if way.hops:
        kwargs["sock"] = way.connection.transport.open_channel(
            "direct-tcpip", (server.address, server.port), ("", 0), timeout=server.timeout
        )
    elif server.proxy_command:
        way.proxies.append(Proxy(server.proxy_command))
        kwargs["sock"] = way.proxies[-1].socket
    connection = Connection(
        server.address,
        user=server.user,
        port=server.port,
        connect_timeout=server.timeout,
        connect_kwargs=kwargs,
        config=Config(ssh_config=SSHConfig(), system_prefix=os.devnull, user_prefix=os.devnull),
    )
    connection.client.set_missing_host_key_policy(_KnownOrRefused(server, known))
    way.hops.append(connection)
    connection.open()


def _explained(error: Exception, way: Way) -> Exception:
    """The sentence for what went wrong, with the way closed."""
    greeted = True
    if way.hops:
        transport = way.connection.client.get_transport()
        greeted = transport is None or bool(transport.remote_version)
    words = ""
    if way.proxies and not greeted and way.proxies[0].ended:
        words = way.proxies[0].words()
        error = ProxyCommandFailure(way.proxies[0].command, words)
    with contextlib.suppress(OSError):
        way.close()
    return explain(error, way.login, greeted=greeted, words=words)


def _hasten(sock: object) -> None:
    """Send small packets at once, from the greeting on, and not after the last one's receipt."""
    if _by_tcp(sock):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _harden(transport: paramiko.Transport) -> None:
    """Notice a dead peer: keep bytes moving, and the kernel gives up those that nobody receipts."""
    transport.set_keepalive(_KEEPALIVE_S)
    sock = transport.sock
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is not None and _by_tcp(sock):
        sock.setsockopt(socket.IPPROTO_TCP, option, _DEAD_AFTER_MS)


def _by_tcp(sock: object) -> TypeGuard[socket.socket]:
    """Whether a connection is one of this machine's own, and no proxy's pipe or jump's channel."""
    return isinstance(sock, socket.socket) and sock.family != socket.AF_UNIX
