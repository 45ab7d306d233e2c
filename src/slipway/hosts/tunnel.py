"""A way to a port that only a host reaches: a proxy here whose requests leave there.

It is an HTTP proxy (RFC 9110, 7.6 and 9.3.6), which any client can be told to use, and by which a
server is asked by its own name, so that its certificate fits. Each connection is one command there,
which also a server that forwards no ports allows (TrueNAS' default).
"""

from __future__ import annotations

import contextlib
import secrets
import select
import socket
import threading
from base64 import b64encode
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import urlsplit

from slipway.doors import Host
from slipway.errors import HostError

_DIAL_S = 5.0
_POLL_S = 0.1
_HEAD_S = 30.0
_READ_BYTES = 1 << 16
_REACHED = b"+"
# Not passed on; without Expect there is one answer to a request.
_HOP = {"proxy-authorization", "proxy-connection", "connection", "keep-alive", "expect"}

# For Python 3.9 on the host: $1 seconds, $2 the port, then where it may be, in this order. Says +
# once it is there; then what comes goes on, both ways, until that end has no more.
_RELAY: Final = """import os, socket, sys, threading
seconds, port = float(sys.argv[1]), int(sys.argv[2])
there, why = None, ""
for place in sys.argv[3:]:
    try:
        there = socket.create_connection((place, port), seconds)
        break
    except OSError as error:
        why = f"{place} port {port}: {error}"
if there is None:
    sys.exit(why)
there.settimeout(None)
os.write(1, b"+")
def onward():
    try:
        while data := os.read(0, 65536):
            there.sendall(data)
        there.shutdown(socket.SHUT_WR)
    except OSError:
        pass
threading.Thread(target=onward, daemon=True).start()
try:
    while data := there.recv(65536):
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
except OSError:
    pass
os._exit(0)
"""


class Tunnel:
    """A proxy on this machine's loopback to one port, as a host reaches it.

    It is open until it is closed. Who asks has to show the password that is in its address: other
    users of this machine can't.

    Args:
        host: whose way it is.
        name: the server's name or address, as it is asked for.
        port: its port.

    Attributes:
        url: what clients are given as their HTTP proxy.
    """

    def __init__(self, host: Host, name: str, port: int) -> None:
        password = secrets.token_urlsafe(16)
        credentials = b64encode(f"slipway:{password}".encode()).decode()
        self._server = _Server(host, (name, port), f"Basic {credentials}")
        self.url = f"http://slipway:{password}@127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(_POLL_S,), daemon=True).start()

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> Tunnel:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    """Listens.

    Attributes:
        host: whose way it is.
        there: name and port of what is asked.
        shown: the header that lets in.
    """

    # A relay that never ends must not keep this process.
    block_on_close = False

    def __init__(self, host: Host, there: tuple[str, int], shown: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.host, self.there, self.shown = host, there, shown

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: the client sees that its connection ended."""


class _Handler(BaseHTTPRequestHandler):
    """One connection, to which one request or one CONNECT comes."""

    server: _Server
    protocol_version = "HTTP/1.1"
    rbufsize = 0  # What comes after a head is left on the socket.
    timeout = _HEAD_S

    def do_CONNECT(self) -> None:
        """Let bytes pass, both ways, once the port is reached."""
        if self._let_in(urlsplit(f"//{self.path}").netloc):
            self._relay(b"", established=True)

    def _forward(self) -> None:
        at = urlsplit(self.path)
        if not self._let_in(at.netloc):
            return
        path = f"{at.path or '/'}{'?' * bool(at.query)}{at.query}"
        lines = [f"{self.command} {path} {self.request_version}"]
        lines += [
            f"{key}: {value}" for key, value in self.headers.items() if key.lower() not in _HOP
        ]
        self._relay("\r\n".join((*lines, "Connection: close", "", "")).encode("latin-1"))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _forward

    def _let_in(self, netloc: str) -> bool:
        """Whether somebody may ask for that; tells him when not."""
        self.close_connection = True
        at = urlsplit(f"//{netloc}")
        name, port = self.server.there
        if not secrets.compare_digest(
            self.headers.get("Proxy-Authorization", ""), self.server.shown
        ):
            self.send_error(HTTPStatus.PROXY_AUTHENTICATION_REQUIRED)
        elif (at.hostname, at.port or 80) != (name.lower(), port):
            self.send_error(HTTPStatus.FORBIDDEN)
        else:
            return True
        return False

    def _relay(self, first: bytes, *, established: bool = False) -> None:
        """Have the host reach the port; where it does not, who asked is told or sees the end."""
        back = _Back(self.connection, established)
        name, port = self.server.there
        places = dict.fromkeys((name, "127.0.0.1"))
        argv = ("python3", "-I", "-c", _RELAY, f"{_DIAL_S:g}", str(port), *places)
        try:
            done = self.server.host.pipe(argv, self._coming(first), back.take)
            why = done.error_text.strip()
        except HostError as error:
            why = error.message
        if established and not back.reached:
            self.send_error(HTTPStatus.BAD_GATEWAY, explain=why)

    def _coming(self, first: bytes) -> Iterator[bytes]:
        """What the client sends; nothing now and then, so that the end over there is noticed."""
        yield first
        while True:
            readable, _, _ = select.select([self.connection], [], [], _POLL_S)
            data = b""
            if readable:
                with contextlib.suppress(OSError):
                    data = self.connection.recv(_READ_BYTES)
                if not data:
                    return
            yield data

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


class _Back:
    """What comes back from the relay, on its way to the client.

    Attributes:
        reached: whether the port was reached.
    """

    def __init__(self, client: socket.socket, established: bool) -> None:
        self._client, self._established = client, established
        self.reached = False
        self._head: bytes | None = None if established else b""

    def take(self, data: bytes) -> None:
        """Pass on a piece; a client that is gone shows elsewhere."""
        if not self.reached:
            self.reached = data.startswith(_REACHED)
            data = data[len(_REACHED) :]
            if self._established:
                data = b"HTTP/1.1 200 Connection established\r\n\r\n" + data
        if self._head is not None:
            data = self._last(data)
        with contextlib.suppress(OSError):
            self._client.sendall(data)

    def _last(self, data: bytes) -> bytes:
        """The same, where the answer says that it is the last one here: not all servers do."""
        status, found, rest = ((self._head or b"") + data).partition(b"\r\n")
        if not found:
            self._head = status
            return b""
        self._head = None
        return status + b"\r\nConnection: close\r\n" + rest


def server_of(url: str) -> tuple[str, int]:
    """Name and port of the server of a URL; port 0 where it has none that can be."""
    at = urlsplit(url)
    with contextlib.suppress(ValueError):
        return at.hostname or "", at.port or {"https": 443}.get(at.scheme, 80)
    return "", 0
