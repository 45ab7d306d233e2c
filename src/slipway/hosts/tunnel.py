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
from collections.abc import Callable, Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import urlsplit

import httpx

from slipway.doors import Host
from slipway.errors import HostError

_DIAL_S = 3.0
_POLL_S = 0.1
_HEAD_S = 30.0
_READ_BYTES = 1 << 16
# What the relay says first: + and a digit, and the end of the line.
_WORD = 3
# Not passed on; without Expect there is one answer to a request.
_HOP = {"proxy-authorization", "proxy-connection", "connection", "keep-alive", "expect"}

# For Python 3.9 on the host: $1 seconds, $2 the port, then where it may be, in this order. Says +
# and the place's number once it is there; then what comes goes on, both ways. It ends with either
# side: who asks has no more questions when he is gone, whatever the server still does.
_RELAY: Final = """import os, socket, sys, threading
seconds, port = float(sys.argv[1]), int(sys.argv[2])
there, why = None, ""
for number, place in enumerate(sys.argv[3:]):
    try:
        there = socket.create_connection((place, port), seconds)
        break
    except OSError as error:
        why = f"{place} port {port}: {error}"
if there is None:
    sys.exit(why)
there.settimeout(None)
os.write(1, b"+%d\\n" % number)
def onward():
    try:
        while data := os.read(0, 65536):
            there.sendall(data)
    except OSError:
        pass
    os._exit(0)
threading.Thread(target=onward, daemon=True).start()
try:
    while data := there.recv(65536):
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
except OSError:
    pass
os._exit(0)
"""

# $0 a Python that was brought to the host, or nothing; its arguments.
_START: Final = '[ ! -f "$0" ] || exec "$0" "$@"; exec python3 "$@"'


class Tunnel:
    """A proxy on this machine's loopback to one port, as a host reaches it.

    It is open until it is closed. Who asks has to show the password that is in its address: other
    users of this machine can't.

    Args:
        host: whose way it is.
        name: the server's name or address, as it is asked for.
        port: its port.
        own: a Python there that is used if it is there, absolute; else the host's.

    Attributes:
        url: what clients are given as their HTTP proxy.
    """

    def __init__(self, host: Host, name: str, port: int, own: str = "") -> None:
        password = secrets.token_urlsafe(16)
        credentials = b64encode(f"slipway:{password}".encode()).decode()
        self._server = _Server(host, (name, port), f"Basic {credentials}", own)
        self.url = f"http://slipway:{password}@127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(_POLL_S,), daemon=True).start()

    def close(self) -> None:
        """Listen no more, and end what is under way."""
        self._server.shutdown()
        self._server.server_close()
        self._server.hang_up()

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
        own: a Python of the host's that is preferred.
        places: where the host looks for it, the one first where it was found last. Some names lead
            the host itself nowhere, and what is bound to its loopback has none.
    """

    # A relay that never ends must not keep this process.
    block_on_close = False

    def __init__(self, host: Host, there: tuple[str, int], shown: str, own: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.host, self.there, self.shown, self.own = host, there, shown, own
        self.places = list(dict.fromkeys((there[0], "127.0.0.1")))
        self._open: set[socket.socket] = set()

    def hold(self, connection: socket.socket) -> None:
        """Know of a connection that is under way."""
        self._open.add(connection)

    def drop(self, connection: socket.socket) -> None:
        """It is over."""
        self._open.discard(connection)

    def hang_up(self) -> None:
        """End all that are under way."""
        for connection in tuple(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def found(self, number: int) -> None:
        """Look there first from now on."""
        self.places.insert(0, self.places.pop(number))

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
        if self._let_in(self.path):
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
        """Whether somebody may ask for that; tells him when not.

        One who asks for another server sees his connection end: an answer would be taken for it.
        """
        self.close_connection = True
        shown = self.headers.get("Proxy-Authorization", "").encode()
        if not secrets.compare_digest(shown, self.server.shown.encode()):
            self.send_error(HTTPStatus.PROXY_AUTHENTICATION_REQUIRED)
            return False
        return _named(netloc) == self.server.there

    def _relay(self, first: bytes, *, established: bool = False) -> None:
        """Have the host reach the port; where it does not, who asked is told or sees the end."""
        self.connection.settimeout(None)
        back = _Back(self.connection, established, self.server.found)
        start = ("sh", "-c", _START, self.server.own)
        argv = (*start, "-I", "-c", _RELAY, f"{_DIAL_S:g}", str(self.server.there[1]))
        self.server.hold(self.connection)
        try:
            done = self.server.host.pipe(
                (*argv, *self.server.places), self._coming(first), back.take
            )
            why = done.error_text.strip()
        except HostError as error:
            why = error.message
        except OSError:
            return  # who asked is gone
        finally:
            self.server.drop(self.connection)
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

    def __init__(
        self, client: socket.socket, established: bool, found: Callable[[int], None]
    ) -> None:
        self._client, self._established, self._found = client, established, found
        self.reached = False
        self._head = b""
        self._over = established

    def take(self, data: bytes) -> None:
        """Pass on a piece.

        Raises:
            OSError: the client is gone.
        """
        if not self.reached:
            data = self._reach(self._head + data)
        if not self._over:
            data = self._last(data)
        self._client.sendall(data)

    def _reach(self, data: bytes) -> bytes:
        """What comes after the relay's own word."""
        if len(data) < _WORD:
            self._head = data
            return b""
        self.reached, self._head = True, b""
        self._found(int(data[1 : _WORD - 1]))
        told = b"HTTP/1.1 200 Connection established\r\n\r\n" if self._established else b""
        return told + data[_WORD:]

    def _last(self, data: bytes) -> bytes:
        """The same, where the answer says that it is the last one here: not all servers do."""
        status, found, rest = (self._head + data).partition(b"\r\n")
        if not found:
            self._head = status
            return b""
        self._over = True
        return status + b"\r\nConnection: close\r\n" + rest


def _named(netloc: str) -> tuple[str, int]:
    """Name and port, also of an IPv6 address without its brackets, as httpx writes it."""
    name, _, port = netloc.rpartition(":")
    if not port.isdigit():
        name, port = netloc, "80"
    return name.strip("[]").lower(), int(port)


def server_of(url: str) -> tuple[str, int]:
    """Name, in ASCII, and port of the server of a URL; port 0 where it has none that can be."""
    try:
        at = httpx.URL(url)
    except httpx.InvalidURL:
        return "", 0
    return at.raw_host.decode().strip("[]"), at.port or {"https": 443}.get(at.scheme, 80)
