"""A WebSocket connection over a stream socket, from the server's side."""

from __future__ import annotations

import contextlib
import socket
import threading

from . import frames
from .frames import Gone, Message

_HEAD_BYTES = 16_384
_CLOSE_S = 5.0


class Wire:
    """One client's connection.

    Attributes:
        path: what it asked for, such as ``/api/current``.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._stream = connection.makefile("rb")
        self._sending = threading.Lock()
        self._closing = False
        self.path = ""

    def greet(self, paths: tuple[str, ...]) -> bool:
        """Read the request, and change over to WebSocket when it is for one of the paths.

        Raises:
            Gone: the client is.
        """
        head = self._head()
        line, *rest = head.decode("latin-1").split("\r\n")
        fields = {
            name.strip().lower(): value.strip()
            for name, _, value in (one.partition(":") for one in rest)
        }
        parts = line.split(" ")
        self.path = parts[1].partition("?")[0] if len(parts) == 3 else ""
        key = fields.get("sec-websocket-key", "")
        if self.path not in paths or not key:
            status = "404 Not Found" if self.path not in paths else "400 Bad Request"
            self._write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return False
        self._write(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
            f"Sec-WebSocket-Accept: {frames.accept_key(key)}\r\n\r\n"
        )
        return True

    def receive(self) -> str | None:
        """The next text; None when the connection is over."""
        try:
            message = frames.read_message(self._read, self._control)
            if message.kind == frames.TEXT and not self._closing:
                return message.data.decode()
        except Gone:
            return None
        except UnicodeDecodeError:
            self.close(frames.BAD_TEXT, "Invalid UTF-8 text message")
            return None
        except frames.ProtocolError as error:
            self.close(error.code, str(error))
            return None
        if message.kind == frames.CLOSE:
            code, _ = frames.read_closing(message.data)
            self._answer_close(code or frames.NORMAL)
        else:
            self.close(frames.UNSUPPORTED, "Invalid websocket message type")
        return None

    def send(self, text: str) -> None:
        """Send a text.

        Raises:
            Gone: the client is.
        """
        with self._sending:
            if self._closing:
                raise Gone
            self._put(frames.encode(frames.TEXT, text.encode()))

    def close(self, code: int, reason: str) -> None:
        """Say why, and wait a moment for the client to agree."""
        self._answer_close(code, reason)
        self._connection.settimeout(_CLOSE_S)
        with contextlib.suppress(Gone, frames.ProtocolError):
            while frames.read_message(self._read, lambda one: None).kind != frames.CLOSE:
                pass

    def end(self) -> None:
        """Give the socket back."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._stream.close()
        self._connection.close()

    def _answer_close(self, code: int, reason: str = "") -> None:
        with self._sending:
            if not self._closing:
                self._closing = True
                with contextlib.suppress(Gone):
                    self._put(frames.closing(code, reason))

    def _control(self, message: Message) -> None:
        if message.kind == frames.PING:
            with self._sending, contextlib.suppress(Gone):
                self._put(frames.encode(frames.PONG, message.data))

    def _head(self) -> bytes:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            if len(head) > _HEAD_BYTES:
                raise Gone
            line = self._line()
            head += line
        return head

    def _line(self) -> bytes:
        try:
            line = self._stream.readline(_HEAD_BYTES)
        except OSError as error:
            raise Gone from error
        if not line:
            raise Gone
        return line

    def _read(self, size: int) -> bytes:
        return frames.read_all(self._stream, size)

    def _write(self, text: str) -> None:
        with self._sending:
            self._put(text.encode("latin-1"))

    def _put(self, data: bytes) -> None:
        try:
            self._connection.sendall(data)
        except OSError as error:
            raise Gone from error
