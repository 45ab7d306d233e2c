"""Channels for commands on one SSH connection, each opened while the command before it runs.

A command is three messages to a server: a channel is asked for, the command, and its input, which
OpenSSH takes once the command runs (its window is 0 before). The channel is there already, opened
in a thread of its own for which no command waits; and the command is asked for without a wait for
the server's word that it may be: that word, what the command says and the next channel come back
in one round trip.
"""

from __future__ import annotations

import select
import socket
import threading
import time

import paramiko
from paramiko.common import cMSG_CHANNEL_REQUEST

from slipway.ahead import Ahead

_OPEN_TIMEOUT_S = 20.0
_EXEC = "exec"  # RFC 4254, section 6.5
# What was heard of a moment ago is there. Later a channel is asked for anew: only the answer tells
# a connection that is gone from one on which nothing happened, before a command is put on it.
_HEARD_S = 2.0


class Channels:
    """Opens the channels of one connection at a time, one of them before it is needed."""

    def __init__(self) -> None:
        # Two refusals at once would be taken for one: the library keeps the last reason only.
        self._opening = threading.Lock()
        self._taking = threading.Lock()
        self._spare: Ahead[paramiko.Channel | None] | None = None
        self._heard = -_HEARD_S
        self._refused = False

    def open(self, transport: paramiko.Transport) -> paramiko.Channel:
        """A channel: the one opened ahead, or a new one.

        Raises:
            paramiko.ChannelException: the server refuses.
            EOFError, OSError, paramiko.SSHException: the connection is gone.
        """
        with self._taking:
            coming, self._spare = self._spare, None
        spare = None if coming is None else coming.answer()
        if spare is not None:
            if self._is_good(spare, transport):
                return spare
            spare.close()
        with self._opening:
            return transport.open_session(timeout=_OPEN_TIMEOUT_S)

    def open_ahead(self, transport: paramiko.Transport) -> None:
        """Have one opened for the next command, unless the server allows none besides.

        What is wrong with the connection is left for the command that runs to find.
        """
        with self._taking:
            if not self._refused and self._spare is None:
                self._spare = Ahead(lambda: self._opened(transport))

    def heard(self) -> None:
        """The server has just answered."""
        self._heard = time.monotonic()

    def drop(self) -> None:
        """The connection was ended."""
        with self._taking:
            self._spare = None

    def _opened(self, transport: paramiko.Transport) -> paramiko.Channel | None:
        """One more, or None where there is none to be had."""
        with self._opening:
            try:
                return transport.open_session(timeout=_OPEN_TIMEOUT_S)
            except paramiko.ChannelException:
                self._refused = True
            except (EOFError, OSError, paramiko.SSHException):
                pass
        return None

    def _is_good(self, spare: paramiko.Channel, transport: paramiko.Transport) -> bool:
        if spare.closed or spare.get_transport() is not transport or not transport.is_active():
            return False
        if time.monotonic() - self._heard > _HEARD_S:
            return False
        return not _ended(transport.sock)


def start(channel: paramiko.Channel, line: str) -> None:
    """Ask for a command, and don't wait for the word that it may be run: see :func:`refused`.

    The library's own ``exec_command`` is this message, and that wait.
    """
    message = paramiko.Message()
    message.add_byte(cMSG_CHANNEL_REQUEST)
    message.add_int(channel.remote_chanid)
    message.add_string(_EXEC)
    message.add_boolean(True)
    message.add_string(line)
    channel.event.clear()
    channel.event_ready = False
    channel.get_transport()._send_user_message(message)  # type: ignore[attr-defined]


def refused(channel: paramiko.Channel) -> bool:
    """Whether a channel that has ended never got the word that its command may be run."""
    return not channel.event_ready


def _ended(sock: object) -> bool:
    """Whether the other end has closed a connection, which the library may not have seen yet."""
    if not isinstance(sock, socket.socket):  # of a jump host: its own connection tells
        return False
    try:
        return bool(select.select([sock], [], [], 0)[0]) and not sock.recv(1, socket.MSG_PEEK)
    except (OSError, ValueError):
        return True
