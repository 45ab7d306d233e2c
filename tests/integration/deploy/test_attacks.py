"""Real HAProxy, API and Flower, the token on, while strangers send what ought to end them.

Each attack comes through the edge and straight at what is behind it, for the edge is not to be the
only one that holds. All the while somebody else asks whether the API is ready.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.attacks import ATTACKS, Attack, head, received, send, small_chunks
from tests.integration.deploy.conftest import running_edge
from tests.integration.deploy.edges import PORTS, Edge
from tests.integration.deploy.rooms import House, Room
from tests.integration.langflix.conftest import (
    FLOWER_PASSWORD,
    Stack,
    free_port,
    new_stack,
    postgres_server,
    redis_server,
)

TOKEN = "a-token-of-the-tests-0123456789"
API, FLOWER, EDGE = PORTS["api"], PORTS["flower"], 8080
#: What each process may grow by, in bytes, whatever is sent: less than one of the bodies.
GROWTH = 64 << 20
PATHS = {
    API: ["/api/v1/session", "/api/v1/media/jobs", "/api/v1/jobs", "/ready", "/nowhere"],
    FLOWER: ["/flower/", "/flower/api/workers", "/flower/healthcheck"],
}
PATHS[EDGE] = [*PATHS[API], *PATHS[FLOWER], "/"]


@dataclass
class Attacked:
    """The edge, what is behind it, and what somebody else was told meanwhile."""

    edge: Edge
    stack: Stack
    pids: dict[int, int]
    ready: list[object] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def peak(self, port: int) -> int:
        """The most memory that the process behind a port has had so far, in bytes."""
        status = Path(f"/proc/{self.pids[port]}/status").read_text()
        found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
        assert found is not None
        return int(found[1]) << 10

    def watch(self) -> None:
        """Ask again and again, from another address, whether the API is ready."""
        with self.edge.client("127.0.0.50") as client:
            while not self.ready or not self.over.wait(0.1):
                try:
                    self.ready.append(client.get("/ready").status_code)
                except Exception as error:  # whatever it was, it was no answer
                    self.ready.append(repr(error))

    @contextmanager
    def watched(self, what: str = "") -> Iterator[None]:
        """Attack in the block; nobody else notices, nothing restarts or grows."""
        before = {port: self.peak(port) for port in self.pids}
        self.ready.clear()
        self.over.clear()
        watcher = threading.Thread(target=self.watch)
        watcher.start()
        try:
            yield
        finally:
            self.over.set()
            watcher.join(60)
        assert set(self.ready) == {200}, what
        for port, least in before.items():
            assert self.peak(port) - least < GROWTH, (what, port)
        assert "Traceback" not in self.stack.log("api"), what

    def send(self, port: int, data: Iterable[bytes]) -> str:
        """Send until nobody listens; what was answered."""
        return send(lambda: self.edge.plain("127.0.0.9", port), data)


@pytest.fixture(scope="module")
def attacked(
    role_root: Callable[[str], Path],
    programs: Mapping[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Attacked]:
    """The stack's own programs in a network of their own, for all of these tests."""
    tmp_path = tmp_path_factory.mktemp("attacked")
    (tmp_path / "token").write_text(TOKEN)
    for name in ("stack", "edge"):
        (tmp_path / name).mkdir()
    house = House.build()
    room = Room(role_root("edge"), house, tmp_path / "edge")
    with ExitStack() as opened:
        opened.callback(os.close, house.handle)
        opened.callback(room.close)
        edge = opened.enter_context(running_edge(room, programs))
        opened.enter_context(house.entered())
        stores = (
            opened.enter_context(postgres_server()),
            opened.enter_context(redis_server(free_port())),
        )
        plain = opened.enter_context(new_stack(*stores, tmp_path / "stack"))
        environ = {
            **plain.environ,
            "LANGFLIX_PORT": str(API),
            "LANGFLIX_FLOWER_PORT": str(FLOWER),
            "LANGFLIX_API_TOKEN_FILE": str(tmp_path / "token"),
        }
        stack = Stack(environ, plain.home)
        api, flower = (opened.enter_context(stack.role(name)) for name in ("api", "flower"))
        edge.add("frontend", "127.0.1.2")
        for number, name in enumerate(PORTS):
            edge.names.known[name] = f"127.0.1.{number + 1}"
        for name in PORTS:
            edge.wait(f"{name}/a", "UP")
        yield Attacked(edge, stack, {API: api.pid, FLOWER: flower.pid})
        assert (api.poll(), flower.poll()) == (None, None)


@pytest.mark.parametrize("port", [EDGE, API, FLOWER])
def test_no_request_of_a_stranger_ends_anything(attacked: Attacked, port: int) -> None:
    """Two of each at once, at every kind of path: refused, and nobody else notices."""
    told: dict[str, set[str]] = {}

    def attack(kind: Attack, path: str) -> None:
        answer = attacked.send(port, kind(path))
        told.setdefault(kind.__name__, set()).add(answer[:12])

    # Its parser looks at each chunk in Python: of the smallest 250 kB take a second.
    # The edge, which nobody comes past, passes on what came in many as one.
    kinds = [kind for kind in ATTACKS if (port, kind) != (API, small_chunks)]
    for kind in kinds:
        with attacked.watched(kind.__name__):
            for path in PATHS[port]:
                pair = [threading.Thread(target=attack, args=(kind, path)) for _ in range(2)]
                for thread in pair:
                    thread.start()
                for thread in pair:
                    thread.join(120)
    codes = {name: {answer[-3:] for answer in answers} for name, answers in told.items()}
    assert set(codes) == {kind.__name__ for kind in kinds}
    for name, found in codes.items():
        assert not {code for code in found if code.startswith("5")}, (name, found)


def test_slow_strangers_hold_up_nobody(attacked: Attacked) -> None:
    """As many as an address may have, each with a request that never ends, at edge and API."""
    begun = [
        head("/api/v1/session", "Content-Length: 100") + b"{",
        head("/flower/", "Transfer-Encoding: chunked") + b"8\r\nabc",
        b"GET /ready HTTP/1.1\r\nHost: films\r\nX-Slow: ",
    ]
    with attacked.watched(), ExitStack() as opened:
        held = []
        for number in range(180):
            held.append(opened.enter_context(attacked.edge.plain("127.0.0.9")))
            held[-1].sendall(begun[number % 3])
        for number in range(60):
            held.append(opened.enter_context(attacked.edge.plain("127.0.0.9", API)))
            held[-1].sendall(begun[number % 3])
        answers = [received(plain)[:12] for plain in held[:180]]
    assert set(answers) == {"HTTP/1.1 408"}


def test_the_owner_gets_in_while_others_guess(attacked: Attacked) -> None:
    """A thousand guesses of twenty addresses: a few are heard, and the right token is.

    By the form and by the header, which the page's own question whether it is let in takes, too.
    """
    heard: list[int] = []

    def guess(source: str) -> None:
        with attacked.edge.client(source) as client:
            for number in range(25):
                body, header = {"token": f"a-{number}"}, {"Authorization": f"Bearer b-{number}"}
                heard.append(client.post("/api/v1/session", json=body).status_code)
                heard.append(client.get("/api/v1/session", headers=header).status_code)

    with attacked.watched():
        threads = [
            threading.Thread(target=guess, args=(f"127.0.3.{number}",)) for number in range(20)
        ]
        for thread in threads:
            thread.start()
        with attacked.edge.client("127.0.0.50") as owner:
            for _ in range(5):
                assert owner.post("/api/v1/session", json={"token": TOKEN}).status_code == 204
            assert owner.get("/api/v1/jobs").status_code == 200
        for thread in threads:
            thread.join(120)
    assert set(heard) == {401, 429}
    assert heard.count(401) <= 200


def test_flowers_pages_may_do_what_they_do_and_nothing_else(attacked: Attacked) -> None:
    """They come with a policy under which the one script that stands in them runs."""
    with attacked.edge.client() as client:
        page = client.get("/flower/workers", auth=("admin", FLOWER_PASSWORD))
    assert page.status_code == 200
    policy = page.headers["content-security-policy"]
    inline = re.findall(r"<script[^>]*>([^<]+)</script>", page.text)
    hashes = {
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for text in inline
    }
    assert len(inline) == 1
    assert set(re.findall("'sha256-[^']+'", policy)) == hashes
    assert "default-src 'self'" in policy


@pytest.mark.parametrize("shown", [True, False], ids=["owner", "stranger"])
def test_generated_requests_end_nothing(attacked: Attacked, shown: bool, tmp_path: Path) -> None:
    """What schemathesis makes of every operation, through the edge: no error of the server's."""
    document = tmp_path / "openapi.json"
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    shown_by = bearer if shown else {}
    with attacked.edge.client("127.0.0.50") as owner:
        told = owner.get("/api/openapi.json", headers=bearer)
    document.write_bytes(told.content)
    argv = [
        *(str(Path(sys.executable).with_name("schemathesis")), "run", str(document)),
        *("--url", f"http://127.0.0.1:{EDGE}", "--exclude-path", "/api/v1/events"),
        *("--exclude-path", "/metrics", "--checks", "not_a_server_error"),
        *("--phases", "examples,coverage,fuzzing", "--seed", "20251", "--max-examples", "10"),
        *("--workers", "1", "--no-color", "--request-timeout", "30"),
        *("--generation-database", "none"),
        *(word for name, value in shown_by.items() for word in ("--header", f"{name}: {value}")),
    ]
    with attacked.watched("schemathesis"), attacked.edge.room.house.entered():
        ran = subprocess.run(
            argv, cwd=tmp_path, capture_output=True, text=True, timeout=540, check=False
        )
    assert ran.returncode == 0, ran.stdout[-8000:] + ran.stderr[-2000:]
    (sent,) = re.findall(r"generated, ([0-9]+) passed", ran.stdout)
    assert int(sent) > 500
