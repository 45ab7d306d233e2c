"""The edge role: deploy/edge/haproxy.cfg with the real HAProxy, Docker's name server played.

Longer than other modules, because every test asks the same HAProxy with the same servers behind
it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from tests.integration.deploy.conftest import MakeRoom
from tests.integration.deploy.rooms import APPS, ROOT, House, Room, wait_for

CONFIG = "/etc/haproxy/haproxy.cfg"
DOOR, SOCKET = "/data/door", "/data/door.sock"
LEND = [DOOR, "lend", ":8080", SOCKET]
START = [DOOR, "run", SOCKET, "/usr/sbin/haproxy", "-db", "-f", CONFIG]
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
                length = int(self.headers.get("Content-Length") or 0)
                received = 0
                while received < length:
                    received += len(self.rfile.read(min(65536, length - received)))
                backend.paths.append(self.path)
                if self.path == "/api/slow":
                    backend.gate.wait(30)
                told = {
                    "backend": backend.name,
                    "path": self.path,
                    "bytes": received,
                    "headers": {key.lower(): value for key, value in self.headers.items()},
                }
                self._send(200, json.dumps(told).encode())

            do_POST = do_GET

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
    process: subprocess.Popen[bytes] | None = None
    lender: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        """Start another one, which is the one that is spoken of from here on."""
        self.process = self.room.start(START)
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
    def client(self) -> Iterator[httpx.Client]:
        """A client for the published port."""
        with self.room.house.entered():
            with httpx.Client(
                base_url="http://127.0.0.1:8080", timeout=15, trust_env=False
            ) as client:
                yield client

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
    _over: threading.Event = field(default_factory=threading.Event)

    def _ask(self, kept: bool) -> None:
        while not self._over.is_set():
            with self.edge.client() as client:
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


@pytest.fixture
def edge(make_room: MakeRoom, door: Path) -> Iterator[Edge]:
    """A running edge without backends; the frontend has another port, as all share an address."""
    room = make_room("edge")
    config = (ROOT / "deploy/edge/haproxy.cfg").read_text()
    assert config.count(" frontend:8080 ") == 1
    folder, shared = room.folder / "etc", room.folder / "door"
    for one in (folder, shared):
        one.mkdir()
    (folder / "haproxy.cfg").write_text(config.replace(" frontend:8080 ", " frontend:8081 "))
    shutil.copy2(door, shared)
    os.chown(shared, APPS, APPS)
    room.binds |= {folder: "/etc/haproxy", shared: "/data"}
    (room.root / "etc/haproxy").mkdir(parents=True, exist_ok=True)
    with room.house.entered():
        Path("/proc/sys/net/ipv4/tcp_migrate_req").write_text("1")
    made = Edge(room, Names(room.house))
    made.lender = room.start(LEND)
    made.begin()
    yield made
    for backend in made.backends.values():
        backend.stop()
    made.names.close()


@pytest.fixture
def full(edge: Edge) -> Edge:
    """A running edge with every backend up."""
    for number, name in enumerate(PORTS):
        edge.add(name, f"127.0.1.{number + 1}")
        edge.names.known[name] = f"127.0.1.{number + 1}"
    for name in PORTS:
        edge.wait(f"{name}/a", "UP")
    return edge


def test_the_configuration_is_valid_without_a_warning(edge: Edge) -> None:
    """HAProxy takes the file with warnings counted as errors."""
    checking = [*START[:3], "/usr/sbin/haproxy", "-dW", "-c", "-f", CONFIG]
    code, said = edge.room.run(checking)
    assert code == 0, said
    assert "could not resolve address 'api', disabling server" in said
    assert not re.search("WARNING|ALERT", said)


def test_it_starts_before_its_backends_and_says_so(edge: Edge) -> None:
    """Without a backend people get a page and programs a problem, both with Retry-After."""
    with edge.client() as client:
        page = client.get("/")
        problem = client.get("/api/v1/jobs")
    assert (page.status_code, problem.status_code) == (503, 503)
    assert page.headers["content-type"].startswith("text/html")
    assert "Back in a moment" in page.text
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.json()["status"] == 503
    for answer in (page, problem):
        assert answer.headers["retry-after"] == "5"
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("path", "backend"),
    [
        ("/", "frontend"),
        ("/app.js", "frontend"),
        ("/apiary", "frontend"),
        ("/healthy", "frontend"),
        ("/flowers", "frontend"),
        ("/api/v1/jobs?limit=1", "api"),
        ("/health", "api"),
        ("/health/detailed", "api"),
        ("/ready", "api"),
        ("/docs", "api"),
        ("/openapi.json", "api"),
        ("/flower", "flower"),
        ("/flower/tasks", "flower"),
    ],
)
def test_each_path_reaches_its_backend(full: Edge, path: str, backend: str) -> None:
    """The path alone decides who answers."""
    with full.client() as client:
        told = client.get(path).json()
    assert (told["backend"], told["path"]) == (backend, path)


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "/metrics/x", "/metrics?x=1"])
def test_metrics_are_not_for_the_public(full: Edge, path: str) -> None:
    """Nobody outside reads the API's metrics."""
    with full.client() as client:
        assert client.get(path).status_code == 403
    assert not full.backends["api"].paths


def test_what_a_client_says_about_its_origin_is_not_believed(full: Edge) -> None:
    """Forwarding headers are the edge's own, whatever came in."""
    lies = {
        "X-Forwarded-For": "10.9.9.9",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Prefix": "/evil",
        "Forwarded": "for=10.9.9.9",
        "X-Real-IP": "10.9.9.9",
        "X-Request-ID": "mine",
        "Host": "films.example",
    }
    with full.client() as client:
        answer = client.get("/api/x", headers=lies)
    headers = answer.json()["headers"]
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert headers["x-forwarded-proto"] == "http"
    assert headers["x-forwarded-host"] == "films.example"
    assert not {"forwarded", "x-real-ip", "x-forwarded-prefix"} & set(headers)
    assert re.fullmatch(r"[0-9a-f-]{36}", headers["x-request-id"])
    assert answer.headers["x-request-id"] == headers["x-request-id"]


@pytest.mark.parametrize("path", ["/", "/api/x", "/metrics", "/flower/"])
def test_every_answer_carries_the_security_headers(full: Edge, path: str) -> None:
    """Answers of backends and of the edge itself are alike, and name no server software."""
    with full.client() as client:
        headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"
    assert "server" not in headers


def test_uploads_go_to_the_api_alone(full: Edge) -> None:
    """A body of many megabytes streams to the API; elsewhere a megabyte is the most."""
    block = b"x" * 65536
    with full.client() as client:
        body = block * 300
        assert client.post("/api/v1/jobs", content=body).json()["bytes"] == len(body)
        assert client.post("/flower/x", content=body).status_code == 413


def test_each_request_is_one_json_line_without_its_query(full: Edge) -> None:
    """The log is JSON with the request's id, and holds no query."""
    with full.client() as client:
        answer = client.get("/api/x?token=canary")

    def line() -> dict[str, object] | None:
        rows = [row for row in full.room.log.read_text().splitlines() if '"/api/x"' in row]
        found: dict[str, object] | None = json.loads(rows[0]) if rows else None
        return found

    found = wait_for(line, "the log line")
    assert found["status"] == 200
    assert (found["method"], found["backend"], found["server"]) == ("GET", "api", "a")
    assert found["request_id"] == answer.headers["x-request-id"]
    assert "canary" not in full.room.log.read_text()


def test_a_replaced_container_is_followed_by_its_name(full: Edge) -> None:
    """When the name leads to a new address, so does the edge, without being told."""
    newer = full.add("api-newer", "127.0.2.1")
    full.backends["api"].stop()
    full.names.known["api"] = "127.0.2.1"

    def answered() -> bool:
        with full.client() as client:
            return client.get("/api/x").status_code == 200

    wait_for(answered, "the edge to follow")
    assert "/api/x" in newer.paths


def test_an_unhealthy_backend_gets_no_request_until_it_recovers(full: Edge) -> None:
    """A backend whose health check fails is taken out, and comes back by itself."""
    api = full.backends["api"]
    api.healthy = False
    full.wait("api/a", "DOWN")
    with full.client() as client:
        assert client.get("/api/x").status_code == 503
    api.healthy = True
    full.wait("api/a", "UP")
    with full.client() as client:
        assert client.get("/api/x").status_code == 200


def test_switches_by_the_slots_lose_no_request(full: Edge) -> None:
    """Four containers after each other, of which the old one is always gone in the end."""
    old, load = full.backends["api"], Load(full)
    with load.running():
        for number, slot in enumerate("bcb"):
            address = f"127.0.2.{number}"
            newer = full.add(f"api-{number}", address)
            full.begin_switch(slot, address)
            before = len(old.paths)
            load.go_on()
            assert len(old.paths) == before
            old.stop()
            full.names.known["api"] = address
            full.end_switch(slot, address)
            full.left(f"api/{slot}")
            old = newer
    assert set(load.codes) == {200}
    assert {full.state(f"api/{name}") for name in "bc"} == {"MAINT"}
    assert full.state("api/a") == "UP"


def test_a_request_that_runs_stays_with_its_container(full: Edge) -> None:
    """The old container is asked until its last request has ended, while new ones go elsewhere."""
    old, newer = full.backends["api"], full.add("api-newer", "127.0.2.1")
    slow: list[int] = []

    def ask_slowly() -> None:
        with full.client() as client:
            slow.append(client.get("/api/slow").status_code)

    running = threading.Thread(target=ask_slowly)
    running.start()
    wait_for(lambda: "/api/slow" in old.paths, "the slow request")
    switching = threading.Thread(target=full.begin_switch, args=("b", "127.0.2.1"))
    switching.start()
    full.wait("api/a", "DRAIN")
    with full.client() as client:
        assert [client.get("/api/x").status_code for _ in range(20)] == [200] * 20
    assert newer.paths.count("/api/x") == 20
    assert full.value("api/a", "scur") == "1"
    assert full.state("api/a") == "DRAIN"
    old.gate.set()
    running.join(20)
    switching.join(20)
    assert slow == [200]
    assert full.state("api/a") == "MAINT"


def test_a_stream_on_a_slot_outlives_the_switch(full: Edge) -> None:
    """A slot that went back to maintenance still carries what was opened through it."""
    newer = full.add("api-newer", "127.0.2.1")
    codes: list[int] = []

    def ask_slowly() -> None:
        with full.client() as client:
            codes.append(client.get("/api/slow").status_code)

    full.begin_switch("b", "127.0.2.1")
    running = threading.Thread(target=ask_slowly)
    running.start()
    wait_for(lambda: "/api/slow" in newer.paths, "the slow request")
    full.backends["api"].stop()
    full.names.known["api"] = "127.0.2.1"
    full.end_switch("b", "127.0.2.1")
    assert (full.state("api/b"), full.value("api/b", "scur")) == ("MAINT", "1")
    assert running.is_alive()
    newer.gate.set()
    running.join(20)
    assert codes == [200]


def test_a_slot_counts_once_its_new_container_passed_a_check(full: Edge) -> None:
    """Neither the way out of maintenance nor a check of the slot's last container is enough."""
    newer = full.add("api-newer", "127.0.2.1")
    full.command("set server api/b addr 127.0.2.1 port 8000; set server api/b state drain")
    full.command("enable health api/b")
    full.checked("api/b")
    full.command("set server api/b state maint")
    newer.healthy = False
    full.command("set server api/b state drain")
    assert full.state("api/b") == "DRAIN 1/3"
    full.wait("api/b", "DOWN")
    newer.healthy = True
    full.checked("api/b")
    assert not newer.paths


def test_an_address_that_is_gone_costs_little(full: Edge) -> None:
    """Where nobody answers at all, the next server is asked before people notice."""
    with full.room.house.entered(), socket.socket() as silent:
        silent.bind(("127.0.7.1", PORTS["api"]))
        silent.listen(0)
        with socket.create_connection(("127.0.7.1", PORTS["api"])):  # its queue is full now
            full.command("set server api/b addr 127.0.7.1 port 8000")
            full.command("set server api/b state ready")
            with httpx.Client(timeout=4, trust_env=False) as client:
                codes = [client.get("http://127.0.0.1:8080/api/x").status_code for _ in range(4)]
    assert codes == [200] * 4
    assert int(full.value("api/b", "wredis")) > 0


def test_a_graceful_stop_lets_a_running_request_end(full: Edge) -> None:
    """SIGUSR1, the stop signal in the Compose file, ends the edge after its last request."""
    assert full.process is not None
    codes: list[int] = []

    def ask_slowly() -> None:
        with full.client() as client:
            codes.append(client.get("/api/slow").status_code)

    running = threading.Thread(target=ask_slowly)
    running.start()
    wait_for(lambda: "/api/slow" in full.backends["api"].paths, "the slow request")
    full.room.signal(full.process, signal.SIGUSR1)

    wait_for(lambda: not _listens(full), "the port to be closed")
    assert full.process.poll() is None
    full.backends["api"].gate.set()
    running.join(20)
    assert codes == [200]
    assert full.process.wait(15) == 0


def test_another_edge_takes_over_without_a_gap(full: Edge) -> None:
    """Three replacements: the next one starts beside, then the old one is told to stop."""
    load = Load(full)
    with load.running():
        for _ in range(3):
            old = full.process
            assert old is not None
            full.begin()
            load.go_on()
            full.room.signal(old, signal.SIGUSR1)
            assert old.wait(30) == 0
            load.go_on()
    assert set(load.codes) == {200}


def test_an_edge_begins_anew_when_the_door_does(full: Edge) -> None:
    """Its socket leads nowhere without the lender; it gets another one, and stays the same one."""
    assert full.process is not None
    assert full.lender is not None
    full.room.kill(full.lender)
    wait_for(lambda: not _listens(full), "the edge to let go of the socket")
    full.lender = full.room.start(LEND)
    full.healthy()
    full.wait("api/a", "UP")
    with full.client() as client:
        assert client.get("/api/x").status_code == 200
    assert full.process.poll() is None


def _listens(edge: Edge) -> bool:
    with edge.room.house.entered():
        return ":1F90 00000000:0000 0A" in Path("/proc/thread-self/net/tcp").read_text()


def test_internal_pages_are_on_the_internal_port(full: Edge) -> None:
    """Metrics of the edge are for the networks inside; its other paths are closed."""
    with full.room.house.entered(), httpx.Client(timeout=10, trust_env=False) as client:
        metrics = client.get("http://127.0.0.1:8405/metrics")
        other = client.get("http://127.0.0.1:8405/other")
    assert 'haproxy_server_status{proxy="api",server="a",state="UP"} 1' in metrics.text
    assert other.status_code == 404
