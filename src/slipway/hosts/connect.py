"""Open an SSH connection whose host key must be known.

Fabric accepts any host key by default and keeps no list of them; here every connection, those of
its jump hosts too, refuses a key that is not known. Fabric's own configuration files are not
read; ``~/.ssh/config`` is, for a user's own hosts.
"""

from __future__ import annotations

import base64
import hashlib
import os
import socket
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import paramiko
from fabric import Config, Connection
from paramiko.config import SSHConfig
from paramiko.hostkeys import InvalidHostKey

from slipway.hosts.login import Login
from slipway.hosts.unreachable import UnknownHostKey, explain

_KEEPALIVE_S = 10
_DEAD_AFTER_MS = 30_000
_SYSTEM_KNOWN_HOSTS = Path("/etc/ssh/ssh_known_hosts")


class _KnownOrRefused(paramiko.RejectPolicy):
    """Refuses an unknown host key with its fingerprint."""

    def missing_host_key(
        self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey
    ) -> NoReturn:
        """Raise :class:`UnknownHostKey`."""
        digest = base64.b64encode(hashlib.sha256(key.asbytes()).digest()).decode().rstrip("=")
        raise UnknownHostKey(hostname, key.get_name(), f"SHA256:{digest}")


def connect(login: Login) -> tuple[Connection, Login]:
    """Open a connection.

    Returns:
        The connection, and where it really went.

    Raises:
        HostUnreachable: with a sentence for each cause.
    """
    target, connection = login, None
    try:
        connection = _strict(login)
        target = replace(login, address=connection.host, port=connection.port, user=connection.user)
        connection.open()
        _harden(connection.transport)
    except (OSError, EOFError, ValueError, paramiko.SSHException, InvalidHostKey) as error:
        greeted = True
        if connection is not None:
            transport = connection.client.get_transport()
            greeted = transport is None or bool(transport.remote_version)
            shut(connection)
        raise explain(error, target, greeted=greeted) from error
    return connection, target


def shut(connection: Connection) -> None:
    """Close it and its jump hosts; one that is broken already is closed enough."""
    hop: object = connection
    while isinstance(hop, Connection):
        transport = hop.client.get_transport()
        if transport is not None:
            transport.close()
        hop.client.close()
        hop = hop.gateway


def _strict(login: Login) -> Connection:
    kwargs: dict[str, object] = {
        "allow_agent": login.personal,
        "look_for_keys": login.personal and not login.key_file,
        "banner_timeout": login.timeout,
        "auth_timeout": login.timeout,
        "channel_timeout": login.timeout,
    }
    if login.key_file:
        Path(login.key_file).read_bytes()
        kwargs["key_filename"] = [login.key_file]
    connection = Connection(
        login.address,
        user=login.user or None,
        port=login.port or None,
        connect_timeout=login.timeout,
        connect_kwargs=kwargs,
        config=Config(
            ssh_config=None if login.personal else SSHConfig(),
            system_prefix=os.devnull,
            user_prefix=os.devnull,
        ),
    )
    hop: object = connection
    while isinstance(hop, Connection):
        _known_only(hop.client, login.known_hosts)
        hop = hop.gateway
    return connection


def _known_only(client: paramiko.SSHClient, known_hosts: str) -> None:
    client.set_missing_host_key_policy(_KnownOrRefused())
    if known_hosts:
        client.load_host_keys(known_hosts)
        return
    for file in (Path.home() / ".ssh" / "known_hosts", _SYSTEM_KNOWN_HOSTS):
        if file.is_file():
            client.load_system_host_keys(str(file))


def _harden(transport: paramiko.Transport) -> None:
    """Answer quickly and notice a dead peer.

    Small packets go out at once instead of waiting for the receipt of the one before; keep
    bytes moving, and the kernel gives up those that nobody receipts.
    """
    transport.set_keepalive(_KEEPALIVE_S)
    if not isinstance(transport.sock, socket.socket):
        return
    transport.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is not None:
        transport.sock.setsockopt(socket.IPPROTO_TCP, option, _DEAD_AFTER_MS)
