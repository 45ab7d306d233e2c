"""A proxy whose requests leave from a host: over a real sshd, to real servers on loopback."""

from __future__ import annotations

import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from tests.integration.hosts.sshd_server import Sshd, StartSshd, free_port

from slipway.app.http import Detour, StackHttp
from slipway.doors import Answer, Host
from slipway.hosts.tunnel import Tunnel
from slipway.web import HttpxHttp

#: The server's name: only the host could know it, and neither does.
NAME = "nas.invalid"
LARGE = bytes(range(256)) * 20_000


class _Handler(BaseHTTPRequestHandler):
    """Says back what it was sent, or a large body."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(LARGE if self.path == "/large?x=1" else self.path.encode())

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
    with httpx.Client(proxy=tunnel.url, trust_env=False, verify=verify, timeout=30) as made:
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
        url = f"https://{NAME}:{port}/large?x=1"
        with client(tunnel, trusting) as http:
            assert http.get(url).content == LARGE
        with client(tunnel) as http, pytest.raises(httpx.ConnectError, match="certificate"):
            http.get(url)
        der = HttpxHttp(proxy=tunnel.url).certificate(url, timeout=30)
        assert ssl.DER_cert_to_PEM_cert(der) == cert.read_text()


def test_nobody_there_is_no_answer(way: Host) -> None:
    """Neither by CONNECT nor by a request; the proxy goes on."""
    port = free_port()
    with Tunnel(way, NAME, port) as tunnel, client(tunnel) as http:
        with pytest.raises(httpx.RemoteProtocolError):
            http.get(f"http://{NAME}:{port}/")
        with pytest.raises(httpx.ProxyError, match="502"):
            http.get(f"https://{NAME}:{port}/")
        assert not HttpxHttp(proxy=tunnel.url).certificate(f"https://{NAME}:{port}", timeout=30)


def test_nobody_else_gets_through(way: Host) -> None:
    """Without its password, or to another server, no byte leaves."""
    with serving() as port, Tunnel(way, NAME, port) as tunnel:
        bare = tunnel.url.replace(tunnel.url.split("@")[0], "http://slipway:guessed")
        with httpx.Client(proxy=bare, trust_env=False) as http:
            assert http.get(f"http://{NAME}:{port}/").status_code == 407
            with pytest.raises(httpx.ProxyError, match="407"):
                http.get(f"https://{NAME}:{port}/")
        with client(tunnel) as http:
            assert http.get(f"http://{NAME}:{port + 1}/").status_code == 403
            assert http.get(f"http://127.0.0.1:{port}/").status_code == 403


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
        assert asking.get(f"http://127.0.0.1:{port}/a", timeout=30) == Answer(200, b"/a")
    assert (asking.proxy(), talk) == ("", [])


def test_whom_the_host_alone_reaches_is_asked_through_it(
    asking: StackHttp, talk: list[str]
) -> None:
    """Said once, with why; from then on that is the way, and programs are told of it."""
    with serving() as port:
        url = f"http://{NAME}:{port}"
        assert asking.get(f"{url}/a", timeout=30) == Answer(200, b"/a")
        assert asking.trusting("").get(f"{url}/b", timeout=30) == Answer(200, b"/b")
        with httpx.Client(proxy=asking.proxy(), trust_env=False) as http:
            assert http.get(url).status_code == 200
    (said,) = talk
    assert said.startswith(f"{url}/a can't be reached from here (")
    assert said.endswith("; it is asked through SSH, from den")
    again = asking.get(url, timeout=30)
    assert again.status == 0, "the server is gone"


@pytest.mark.parametrize("url", ["http://{name}:{port}", "http://{name}:99999", "http:///", "x"])
def test_who_is_nowhere_is_told_as_here(asking: StackHttp, talk: list[str], url: str) -> None:
    """With the reason of the direct way, and nothing is left open."""
    url = url.format(name=NAME, port=free_port())
    answer = asking.get(url, timeout=30)
    assert answer.status == 0
    assert answer.body
    assert (asking.proxy(), talk) == ("", [])
    assert asking.certificate(url.replace("http:", "https:"), timeout=30) == b""


def test_this_machine_has_no_other_way(talk: list[str]) -> None:
    """Nobody is asked twice."""
    http = StackHttp(Detour(None, talk.append))
    with serving() as port:
        assert http.get(f"http://{NAME}:{port}", timeout=30).status == 0
    http.close()
    assert talk == []
