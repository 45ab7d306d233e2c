"""A proxy whose requests leave from a host: over a real sshd, to real servers on loopback."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from tests.integration.hosts.sshd_server import Sshd, StartSshd, free_port

from slipway.app.http import Detour, StackHttp
from slipway.doors import Answer, Host
from slipway.hosts import tunnel as module
from slipway.hosts.tunnel import Tunnel
from slipway.testing import FakeHttp
from slipway.web import HttpxHttp

#: The server's name: only the host could know it, and neither does.
NAME = "nas.invalid"
LARGE = bytes(range(256)) * 20_000
#: More than all that lies between takes in before the client does.
HUGE = LARGE * 6
#: A machine that does much else besides takes its time.
PATIENCE_S = 120.0


class _Handler(BaseHTTPRequestHandler):
    """Says back what it was sent, or a large body."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        bodies = {"/large?x=1": LARGE, "/huge": HUGE}
        self._answer(bodies.get(self.path, self.path.encode()))

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Host", self.headers["Host"])
        self.send_header("X-Seen", ",".join(self.headers))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[int]:
    """The port of a server on loopback."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module", params=["AllowTcpForwarding no", "MaxSessions 1"])
def server(request: pytest.FixtureRequest, start_sshd: StartSshd) -> Sshd:
    """A server that allows little."""
    return start_sshd(request.param)


@pytest.fixture
def way(server: Sshd) -> Iterator[Host]:
    """A host over SSH."""
    host = server.host()
    yield host
    host.close()


@contextmanager
def client(tunnel: Tunnel, verify: ssl.SSLContext | bool = True) -> Iterator[httpx.Client]:
    """A client that is told of a tunnel and of nothing else."""
    with httpx.Client(proxy=tunnel.url, trust_env=False, verify=verify, timeout=PATIENCE_S) as made:
        yield made


def test_a_server_of_loopback_is_asked_by_its_name(way: Host) -> None:
    """Path, query, headers, bodies both ways, and several requests one after the other."""
    with serving() as port, Tunnel(way, NAME, port) as tunnel, client(tunnel) as http:
        url = f"http://{NAME}:{port}"
        answer = http.get(f"{url}/a%20b?c=d")
        assert (answer.status_code, answer.text) == (200, "/a%20b?c=d")
        assert answer.headers["x-host"] == f"{NAME}:{port}"
        assert "proxy-authorization" not in answer.headers["x-seen"].lower()
        assert http.get(f"{url}/large?x=1").content == LARGE
        assert http.post(url, content=LARGE).content == LARGE


def test_a_python_that_was_brought_is_used(way: Host, tmp_path: Path) -> None:
    """Where it is there; the host's own may be missing, or too old."""
    own, url = tmp_path / "python", f"http://{NAME}"
    own.write_text(f'#!/bin/sh\ntouch "$0.used"\nexec {sys.executable} "$@"\n')
    own.chmod(0o755)
    with serving() as port, Tunnel(way, NAME, port, str(own)) as tunnel, client(tunnel) as http:
        assert http.get(f"{url}:{port}/x?y=1").text == "/x?y=1"
    assert (tmp_path / "python.used").exists()
    gone = str(tmp_path / "gone")
    with serving() as port, Tunnel(way, NAME, port, gone) as tunnel, client(tunnel) as http:
        assert http.get(f"{url}:{port}/x?y=1").text == "/x?y=1"


def test_its_certificate_is_looked_at(way: Host, tmp_path: Path) -> None:
    """Whom it was made for is asked by the name in the URL; another authority's is refused."""
    key, cert = tmp_path / "key", tmp_path / "cert"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-keyout", key, "-out", cert, "-subj", "/CN=x", "-addext",
         f"subjectAltName=DNS:{NAME}"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    trusting = ssl.create_default_context(cafile=str(cert))
    with serving(context) as port, Tunnel(way, NAME, port) as tunnel:
        url = f"https://{NAME}:{port}/a"
        with client(tunnel, trusting) as http:
            assert http.get(url).text == "/a"
        with client(tunnel) as http, pytest.raises(httpx.ConnectError, match="certificate"):
            http.get(url)
        trusting_it = HttpxHttp(proxy=tunnel.url).trusting(cert.read_text())
        assert trusting_it.get(url, timeout=PATIENCE_S) == Answer(200, b"/a")
        assert way.run(("echo", "x"), timeout=PATIENCE_S).text == "x\n", "the way is free again"
        der = HttpxHttp(proxy=tunnel.url).certificate(url, timeout=PATIENCE_S)
        assert ssl.DER_cert_to_PEM_cert(der) == cert.read_text()


def test_nobody_there_is_no_answer(way: Host) -> None:
    """Neither by CONNECT nor by a request; the proxy goes on."""
    port = free_port()
    with Tunnel(way, NAME, port) as tunnel, client(tunnel) as http:
        with pytest.raises(httpx.RemoteProtocolError):
            http.get(f"http://{NAME}:{port}/")
        with pytest.raises(httpx.ProxyError, match="502"):
            http.get(f"https://{NAME}:{port}/")
        assert not HttpxHttp(proxy=tunnel.url).certificate(
            f"https://{NAME}:{port}", timeout=PATIENCE_S
        )


def test_nobody_else_gets_through(way: Host) -> None:
    """Without its password, or to another server, no byte leaves."""
    with serving() as port, Tunnel(way, NAME, port) as tunnel:
        bare = tunnel.url.replace(tunnel.url.split("@")[0], "http://slipway:guessed")
        with httpx.Client(proxy=bare, trust_env=False) as http:
            assert http.get(f"http://{NAME}:{port}/").status_code == 407
            with pytest.raises(httpx.ProxyError, match="407"):
                http.get(f"https://{NAME}:{port}/")
        with client(tunnel) as http:
            for url in (f"http://{NAME}:{port + 1}/", f"http://127.0.0.1:{port}/"):
                with pytest.raises(httpx.RemoteProtocolError):
                    http.get(url)


@contextmanager
def silent() -> Iterator[int]:
    """The port of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_who_leaves_takes_the_way_with_him(way: Host) -> None:
    """A server that answers nobody keeps no command going; the host can be asked again."""
    with silent() as port, Tunnel(way, NAME, port) as tunnel:
        for scheme in ("http", "https"):
            with client(tunnel) as http, pytest.raises(httpx.TimeoutException):
                http.get(f"{scheme}://{NAME}:{port}/", timeout=1)
            assert way.run(("echo", "x"), timeout=PATIENCE_S).text == "x\n"


def test_closing_it_ends_what_is_under_way(way: Host) -> None:
    """Whoever waits sees the end."""
    with silent() as port:
        tunnel = Tunnel(way, NAME, port)
        ended = threading.Event()

        def wait() -> None:
            with client(tunnel) as http, pytest.raises(httpx.TransportError):
                http.get(f"http://{NAME}:{port}/", timeout=120)
            ended.set()

        waiting = threading.Thread(target=wait)
        waiting.start()
        while not tunnel._server._open:
            time.sleep(0.05)
        tunnel.close()
        assert ended.wait(60)
        waiting.join()
        assert way.run(("echo", "x"), timeout=PATIENCE_S).text == "x\n"


def test_who_takes_his_time_gets_all(way: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when the server has long ended, and for longer than a head is waited for."""
    monkeypatch.setattr(module._Handler, "timeout", 1.0)
    with serving() as port, Tunnel(way, NAME, port) as tunnel, client(tunnel) as http:
        with http.stream("GET", f"http://{NAME}:{port}/huge") as answer:
            time.sleep(7)
            assert answer.read() == HUGE


def test_all_is_used_however_long_that_takes(way: Host) -> None:
    """Also when the command has long ended."""
    got = bytearray()

    def use(piece: bytes) -> None:
        if not got:
            time.sleep(7)
        got.extend(piece)

    done = way.pipe(("head", "-c", "300000", "/dev/zero"), [], use)
    assert (done.exit_code, len(got)) == (0, 300_000)


@pytest.mark.parametrize("name", ["b\u00fccher.invalid", "[fd00::1]", "NAS.invalid"])
def test_names_of_every_kind_lead_there(way: Host, name: str) -> None:
    """As clients write them: an international one in ASCII, an address, capital letters."""
    talk: list[str] = []
    http = StackHttp(Detour(way, talk.append))
    with serving() as port:
        assert http.get(f"http://{name}:{port}/a", timeout=PATIENCE_S) == Answer(200, b"/a")
        assert http.get(f"http://{name}:{port}/b", timeout=PATIENCE_S) == Answer(200, b"/b")
    http.close()
    assert len(talk) == 1


def test_it_is_over_when_it_is_closed(way: Host) -> None:
    """Nobody listens any more."""
    with serving() as port, Tunnel(way, NAME, port) as tunnel:
        url = tunnel.url
    with httpx.Client(proxy=url, trust_env=False) as http, pytest.raises(httpx.ConnectError):
        http.get(f"http://{NAME}:{port}/")


@pytest.fixture
def talk() -> list[str]:
    """What people were told."""
    return []


@pytest.fixture
def asking(way: Host, talk: list[str]) -> Iterator[StackHttp]:
    """What asks the stack on a host."""
    http = StackHttp(Detour(way, talk.append))
    yield http
    http.close()


def test_who_answers_directly_is_asked_directly(asking: StackHttp, talk: list[str]) -> None:
    """Whatever the answer is."""
    with serving() as port:
        assert asking.get(f"http://127.0.0.1:{port}/a", timeout=PATIENCE_S) == Answer(200, b"/a")
    assert (asking.proxy(), talk) == ("", [])


def test_whom_the_host_alone_reaches_is_asked_through_it(
    asking: StackHttp, talk: list[str]
) -> None:
    """Said once, with why; from then on that is the way, and programs are told of it."""
    with serving() as port:
        url = f"http://{NAME}:{port}"
        assert asking.get(f"{url}/a", timeout=PATIENCE_S) == Answer(200, b"/a")
        assert asking.trusting("").get(f"{url}/b", timeout=PATIENCE_S) == Answer(200, b"/b")
        with httpx.Client(proxy=asking.proxy(), trust_env=False) as http:
            assert http.get(url).status_code == 200
    (said,) = talk
    assert said.startswith(f"{url}/a can't be reached from here (")
    assert said.endswith("; it is asked through SSH, from den")
    again = asking.get(url, timeout=PATIENCE_S)
    assert again.status == 0, "the server is gone"


@pytest.mark.parametrize("url", ["http://{name}:{port}", "http://{name}:99999", "http:///", "x"])
def test_who_is_nowhere_is_told_as_here(asking: StackHttp, talk: list[str], url: str) -> None:
    """With the reason of the direct way, and nothing is left open."""
    url = url.format(name=NAME, port=free_port())
    answer = asking.get(url, timeout=PATIENCE_S)
    assert answer.status == 0
    assert answer.body
    assert (asking.proxy(), talk) == ("", [])
    assert asking.certificate(url.replace("http:", "https:"), timeout=PATIENCE_S) == b""


def test_one_that_has_just_come_up_is_no_hidden_one(asking: StackHttp, talk: list[str]) -> None:
    """The way that was tried last finds it; the other one would, too."""
    with serving() as port:
        url = f"http://127.0.0.1:{port}/a"
        direct = FakeHttp({url: [Answer(0, b"refused"), Answer(200, b"here")]})
        asking.detour.made["", ""] = direct
        assert asking.get(url, timeout=PATIENCE_S) == Answer(200, b"here")
    assert (asking.proxy(), talk) == ("", [])


def test_another_server_is_asked_for_itself(asking: StackHttp) -> None:
    """The way to one is none to another."""
    with serving() as hidden, serving() as plain:
        assert asking.get(f"http://{NAME}:{hidden}/a", timeout=PATIENCE_S).status == 200
        assert asking.get(f"http://127.0.0.1:{plain}/b", timeout=PATIENCE_S) == Answer(200, b"/b")


def test_this_machine_has_no_other_way(talk: list[str]) -> None:
    """Nobody is asked twice."""
    http = StackHttp(Detour(None, talk.append))
    with serving() as port:
        assert http.get(f"http://{NAME}:{port}", timeout=PATIENCE_S).status == 0
    http.close()
    assert talk == []
