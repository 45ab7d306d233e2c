"""What is around the edge in its tests: names and servers that are played, and the load."""

from __future__ import annotations

import json
import socket
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
from tests.integration.deploy.rooms import House, Room, wait_for

CONFIG = "/etc/haproxy/haproxy.cfg"
#: Our own programs that the edge stands on.
PROGRAMS = ("door", "edge", "certificate")
SOCKETS = ("/data/door.sock", "/data/https.sock")
LEND = ["/data/door", "lend", ":8080", SOCKETS[0], ":8443", SOCKETS[1]]
START = ["/data/edge", *SOCKETS, "--", "/usr/sbin/haproxy", "-db", "-f", CONFIG]
PORTS = {"api": 8000, "frontend": 8081, "flower": 5555}


class Names:
    """A name server that knows what it is told, at the address of Docker's own."""

    def __init__(self, house: House) -> None:
        self.known: dict[str, str] = {}
        with house.entered():
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._socket.bind(("127.0.0.11", 53))
        self._house, self._closed = house, False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            query, client = self._socket.recvfrom(4096)
            if self._closed:
                return
            self._socket.sendto(self._answer(query), client)

    def _answer(self, query: bytes) -> bytes:
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1 : at + 1 + query[at]].decode())
            at += 1 + query[at]
        question = query[12 : at + 5]
        kind = struct.unpack("!H", query[at + 1 : at + 3])[0]
        address = self.known.get(".".join(labels))
        if address is None:
            return query[:2] + struct.pack("!HHHHH", 0x8183, 1, 0, 0, 0) + question
        if kind != 1:
            return query[:2] + struct.pack("!HHHHH", 0x8180, 1, 0, 0, 0) + question
        record = struct.pack("!HHHIH", 0xC00C, 1, 1, 600, 4) + socket.inet_aton(address)
        return query[:2] + struct.pack("!HHHHH", 0x8180, 1, 1, 0, 0) + question + record

    def close(self) -> None:
        """Answer no more."""
        self._closed = True
        with self._house.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", ("127.0.0.11", 53))
        self._thread.join(5)
        self._socket.close()


@dataclass(slots=True)
class Backend:
    """A server that tells what it was asked."""

    name: str
    address: str
    healthy: bool = True
    status: int = 200
    paths: list[str] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    server: ThreadingHTTPServer | None = None

    def start(self, house: House) -> Backend:
        """Listen on the address inside the house."""
        backend = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                """Answer with the request, as JSON."""
                if self.headers.get("X-Request-ID") is None:  # a health check of the edge
                    self._send(200 if backend.healthy else 503, b"")
                    return
                received = self._receive()
                backend.paths.append(self.path)
                if self.path == "/api/slow":
                    backend.gate.wait(30)
                told = {
                    "backend": backend.name,
                    "path": self.path,
                    "bytes": received,
                    "headers": {key.lower(): value for key, value in self.headers.items()},
                }
                self._send(backend.status, json.dumps(told).encode())

            do_POST = do_PUT = do_DELETE = do_GET

            def _receive(self) -> int:
                """Read the body; its length."""
                if self.headers.get("Transfer-Encoding") == "chunked":
                    sizes = iter(lambda: int(self.rfile.readline(), 16), 0)
                    return sum(len(self.rfile.read(size + 2)) - 2 for size in sizes)
                length = int(self.headers.get("Content-Length") or 0)
                received = 0
                while received < length:
                    received += len(self.rfile.read(min(65536, length - received)))
                return received

            def _send(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: object) -> None:
                """Say nothing."""

        with house.entered():
            port = PORTS[self.name.partition("-")[0]]
            self.server = ThreadingHTTPServer((self.address, port), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Stop listening."""
        self.gate.set()
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None


@dataclass(slots=True)
class Edge:
    """The room with the edge, its names and its backends."""

    room: Room
    names: Names
    backends: dict[str, Backend] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=lambda: {"LANGFLIX_ADDRESS_REQUESTS": "1000000"})
    process: subprocess.Popen[bytes] | None = None
    lender: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        """Start another one, which is the one that is spoken of from here on."""
        self.process = self.room.start(START, env=self.env)
        self.healthy()

    def healthy(self) -> None:
        """Wait until it answers commands, as the health check in the Compose file does."""

        def up() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, self.room.log.read_text()
            try:
                return self.command("show info").startswith("Name: HAProxy")
            except OSError:
                return False

        wait_for(up, "the edge to be healthy")

    def add(self, name: str, address: str) -> Backend:
        """A backend that listens; its name is not known yet."""
        backend = Backend(name, address).start(self.room.house)
        self.backends[name] = backend
        return backend

    @contextmanager
    def client(self, source: str = "127.0.0.1") -> Iterator[httpx.Client]:
        """A client for the published port, at an address of its own."""
        with self.room.house.entered():
            way = httpx.HTTPTransport(local_address=source)
            with httpx.Client(
                base_url="http://127.0.0.1:8080", timeout=15, trust_env=False, transport=way
            ) as client:
                yield client

    @contextmanager
    def plain(self, source: str = "127.0.0.1", port: int = 8080) -> Iterator[socket.socket]:
        """A bare connection to the published port, for what no client would send."""
        with self.room.house.entered():
            made = socket.create_connection(("127.0.0.1", port), 30, (source, 0))
        with made:
            yield made

    def command(self, text: str) -> str:
        """Ask the runtime API."""
        assert self.process is not None
        leader = self.room.leader(self.process)
        path = f"/proc/{leader}/root/run/haproxy/admin.sock"
        with socket.socket(socket.AF_UNIX) as plain:
            plain.settimeout(10)
            plain.connect(path)
            plain.sendall(text.encode() + b"\n")
            return b"".join(iter(lambda: plain.recv(65536), b"")).decode().strip()

    def value(self, server: str, name: str) -> str:
        """A server's value in the statistics, such as its status: UP, DRAIN 1/3, MAINT."""
        rows = self.command("show stat").splitlines()
        head = rows[0].removeprefix("# ").split(",")
        for row in rows[1:]:
            values = dict(zip(head, row.split(","), strict=False))
            if f"{values['pxname']}/{values['svname']}" == server:
                return values[name]
        raise AssertionError(f"no server {server}")

    def state(self, server: str) -> str:
        """A server's status."""
        return self.value(server, "status")

    def wait(self, server: str, state: str) -> None:
        """Wait until a server is in a state."""
        wait_for(lambda: self.state(server).startswith(state), f"{server} to be {state}")

    def checked(self, server: str) -> None:
        """Wait until a server in drain has passed a check since it left maintenance."""
        wait_for(lambda: self.state(server) == "DRAIN", f"{server} to pass a check")

    def begin_switch(self, slot: str, address: str) -> None:
        """Give the API's requests to a new container by a free slot, as soon as it is healthy."""
        self.command(
            f"set server api/{slot} addr {address} port 8000; "
            f"set server api/{slot} state drain; enable health api/{slot}"
        )
        self.checked(f"api/{slot}")
        self.command(f"set server api/{slot} state ready; set server api/a state drain")
        self.left("api/a")
        self.command("set server api/a state maint")

    def end_switch(self, slot: str, address: str) -> None:
        """Give the slot back, once the API's name leads to the new container."""
        wait_for(
            lambda: self.value("api/a", "addr") == f"{address}:8000", "the name to be followed"
        )
        self.command("set server api/a state drain")
        self.checked("api/a")
        self.command(f"set server api/a state ready; set server api/{slot} state maint")

    def left(self, server: str) -> None:
        """Wait until a server has no request any more."""
        wait_for(lambda: self.value(server, "scur") == "0", f"requests of {server} to end")


@dataclass(slots=True)
class Load:
    """Requests without a break, over fresh connections and over kept ones."""

    edge: Edge
    codes: list[int | str] = field(default_factory=list)
    client: Callable[[Edge], AbstractContextManager[httpx.Client]] = Edge.client
    _over: threading.Event = field(default_factory=threading.Event)

    def _ask(self, kept: bool) -> None:
        while not self._over.is_set():
            with self.client(self.edge) as client:
                for _ in range(50 if kept else 1):
                    try:
                        self.codes.append(client.get("/api/x").status_code)
                    except httpx.TransportError as error:
                        self.codes.append(repr(error))
                    if self._over.wait(0.005):
                        return

    def go_on(self) -> None:
        """Wait for some more answers."""
        enough = len(self.codes) + 20
        wait_for(lambda: len(self.codes) > enough, "requests")

    @contextmanager
    def running(self) -> Iterator[None]:
        """Ask while the block runs."""
        threads = [threading.Thread(target=self._ask, args=(kept,)) for kept in (True, False, True)]
        for thread in threads:
            thread.start()
        try:
            self.go_on()
            yield
        finally:
            self._over.set()
            for thread in threads:
                thread.join(20)
