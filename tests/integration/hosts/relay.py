"""A way to a server that can hold back what the server says."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from types import TracebackType

_READ_BYTES = 1 << 16
_HELD_S = 60.0


class Relay:
    """Passes one connection's bytes on to a port of this machine, and its answers back.

    Args:
        port: where the server listens.

    Attributes:
        port: where this listens.
    """

    def __init__(self, port: int) -> None:
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sent = 0
        self._until = 0
        self._told = threading.Condition()
        self._ends: list[socket.socket] = []

    def hold(self, amount: int) -> None:
        """Keep answers back until so many more bytes were sent to the server."""
        with self._told:
            self._until = self._sent + amount

    def __enter__(self) -> Relay:
        threading.Thread(target=self._take, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for end in (self._listener, *self._ends):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _take(self) -> None:
        with contextlib.suppress(OSError):
            client = self._listener.accept()[0]
            server = socket.create_connection(("127.0.0.1", self._to))
            self._ends += [client, server]
            for way in ((client, server, self._count), (server, client, self._wait)):
                threading.Thread(target=self._carry, args=way, daemon=True).start()

    def _carry(
        self, one: socket.socket, other: socket.socket, before: Callable[[int], None]
    ) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(_READ_BYTES):
                before(len(data))
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)

    def _count(self, amount: int) -> None:
        with self._told:
            self._sent += amount
            self._told.notify_all()

    def _wait(self, _: int) -> None:
        with self._told:
            self._told.wait_for(lambda: self._sent >= self._until, _HELD_S)
