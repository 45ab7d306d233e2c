"""A WebSocket connection to the middleware's Unix socket, from the client's side."""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
import socket
import threading
from collections.abc import Callable

from . import frames
from .frames import Gone

PREFIX = "ws+unix://"
_GREET_S = 30.0


class Link:
    """One connection. Texts that arrive are handed on by a thread of its own."""

    def __init__(self, socket_path: str, path: str) -> None:
        """Connect.

        Args:
            socket_path: the Unix socket.
            path: what is asked for, such as ``/api/current``.

        Raises:
            OSError: nobody listens there.
            Gone: whoever listens doesn't speak WebSocket.
        """
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.settimeout(_GREET_S)
            self._socket.connect(socket_path)
            self._stream = self._socket.makefile("rb")
            self._greet(path)
            self._socket.settimeout(None)
        except BaseException:
            self._socket.close()
            raise
        self._sending = threading.Lock()
        self._closed = False

    def listen(
        self, on_text: Callable[[str], None], on_close: Callable[[int | None, str | None], None]
    ) -> None:
        """Hand on what arrives, from now on.

        Args:
            on_text: is given each text.
            on_close: is told once of the end: code and reason, or nothing where there are none.
        """
        threading.Thread(target=self._listen, args=(on_text, on_close), daemon=True).start()

    def send(self, text: str) -> None:
        """Send a text.

        Raises:
            Gone: the connection is over.
        """
        self._put(frames.TEXT, text.encode())

    def close(self) -> None:
        """End the connection."""
        if not self._closed:
            self._closed = True
            with contextlib.suppress(Gone):
                self._put(frames.CLOSE, (frames.NORMAL).to_bytes(2, "big"))
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def _listen(
        self, on_text: Callable[[str], None], on_close: Callable[[int | None, str | None], None]
    ) -> None:
        code: int | None = None
        reason: str | None = None
        try:
            while True:
                message = frames.read_message(self._read, self._control)
                if message.kind == frames.CLOSE:
                    code, reason = frames.read_closing(message.data)
                    break
                on_text(message.data.decode())
        except (Gone, frames.ProtocolError):
            pass
        self.close()
        on_close(code, reason)

    def _control(self, message: frames.Message) -> None:
        if message.kind == frames.PING:
            with contextlib.suppress(Gone):
                self._put(frames.PONG, message.data)

    def _greet(self, path: str) -> None:
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        self._socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            "\r\n".encode()
        )
        status = self._stream.readline()
        while self._stream.readline() not in (b"\r\n", b""):
            pass
        if b" 101 " not in status:
            raise Gone(f"Handshake status {status.decode('latin-1').strip()}")

    def _read(self, size: int) -> bytes:
        return frames.read_all(self._stream, size)

    def _put(self, kind: int, data: bytes) -> None:
        frame = frames.encode(kind, data, os.urandom(4))
        with self._sending:
            try:
                self._socket.sendall(frame)
            except OSError as error:
                raise Gone from error
