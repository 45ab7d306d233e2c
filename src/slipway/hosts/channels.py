"""Channels for commands on one SSH connection, each opened while the command before it runs.

A command is three messages to a server: a channel is asked for, the command, and its input, which
OpenSSH takes once the command runs (its window is 0 before). One that has its channel already waits
a round trip less, and what opens it meanwhile costs nobody anything: the answer to a command takes
as long as that to a channel at least.
"""

from __future__ import annotations

import select
import socket
import threading
import time

import paramiko

_OPEN_TIMEOUT_S = 20.0
# What was heard of a moment ago is there. Later a channel is asked for anew: only the answer tells
# a connection that is gone from one on which nothing happened, before a command is put on it.
_HEARD_S = 2.0


class Channels:
    """Opens the channels of one connection at a time, one of them before it is needed."""

    def __init__(self) -> None:
        # Two refusals at once would be taken for one: the library keeps the last reason only.
        self._lock = threading.Lock()
        self._spare: paramiko.Channel | None = None
        self._heard = -_HEARD_S
        self._refused = False

    def open(self, transport: paramiko.Transport) -> paramiko.Channel:
        """A channel: the one opened ahead, or a new one.

        Raises:
            paramiko.ChannelException: the server refuses.
            EOFError, OSError, paramiko.SSHException: the connection is gone.
        """
        with self._lock:
            spare, self._spare = self._spare, None
            if spare is not None:
                if self._is_good(spare, transport):
                    return spare
                spare.close()
            return transport.open_session(timeout=_OPEN_TIMEOUT_S)

    def open_ahead(self, transport: paramiko.Transport) -> None:
        """Have one ready for the next command, unless the server allows none besides.

        What is wrong with the connection is left for the command that runs to find.
        """
        with self._lock:
            if self._refused or (self._spare is not None and not self._spare.closed):
                return
            try:
                self._spare = transport.open_session(timeout=_OPEN_TIMEOUT_S)
            except paramiko.ChannelException:
                self._refused = True
            except (EOFError, OSError, paramiko.SSHException):
                return

    def heard(self) -> None:
        """The server has just answered."""
        self._heard = time.monotonic()

    def drop(self) -> None:
        """The connection was ended."""
        with self._lock:
            self._spare = None

    def _is_good(self, spare: paramiko.Channel, transport: paramiko.Transport) -> bool:
        if spare.closed or spare.get_transport() is not transport or not transport.is_active():
            return False
        if time.monotonic() - self._heard > _HEARD_S:
            return False
        return not _ended(transport.sock)


def _ended(sock: object) -> bool:
    """Whether the other end has closed a connection, which the library may not have seen yet."""
    if not isinstance(sock, socket.socket):  # of a jump host: its own connection tells
        return False
    try:
        return bool(select.select([sock], [], [], 0)[0]) and not sock.recv(1, socket.MSG_PEEK)
    except (OSError, ValueError):
        return True
