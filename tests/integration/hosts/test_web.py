"""HttpxHttp against a real HTTP server on loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.integration.hosts.sshd_server import free_port

from slipway.web import HttpxHttp


class _Handler(BaseHTTPRequestHandler):
    over = threading.Event()

    def do_GET(self) -> None:
        """Answer by path."""
        if self.path == "/trickle":
            self._trickle()
            return
        if self.path == "/silent":
            self.over.wait(20)
            return
        if self.path == "/hang-up":
            self.close_connection = True
            return
        status, location = 200, None
        if self.path == "/loop":
            status, location = 302, "/loop"
        elif self.path == "/moved":
            status, location = 301, "/there"
        elif self.path.startswith("/away/"):
            status, location = 302, f"http://127.0.0.1:{self.path.split('/')[2]}/other"
        elif self.path == "/down":
            status = 503
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(self.path.encode())

    def _trickle(self) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            while not self.over.wait(0.05):
                self.wfile.write(b".")
                self.wfile.flush()
        except OSError:
            return

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@pytest.fixture
def server() -> Iterator[str]:
    """The address of a running server."""
    _Handler.over.clear()
    running = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=running.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}"
    _Handler.over.set()
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.fixture
def http() -> Iterator[HttpxHttp]:
    """The real door."""
    http = HttpxHttp()
    yield http
    http.close()


def test_an_answer_is_passed_on(server: str, http: HttpxHttp) -> None:
    """Status and body come as they are, an error status too."""
    assert http.get(f"{server}/health", timeout=10).body == b"/health"
    assert http.get(f"{server}/down", timeout=10).status == 503


def test_nobody_there_is_an_answer(http: HttpxHttp) -> None:
    """A refused connection is status 0 with the reason."""
    answer = http.get(f"http://127.0.0.1:{free_port()}/", timeout=5)
    assert answer.status == 0
    assert b"refused" in answer.body


@pytest.mark.parametrize(
    "url", ["no url", "http://", "ftp://127.0.0.1/", "http://[::1", "http://a b/"]
)
def test_a_bad_url_is_an_answer(http: HttpxHttp, url: str) -> None:
    """What is no URL is status 0, not a traceback."""
    answer = http.get(url, timeout=5)
    assert (answer.status, bool(answer.body)) == (0, True)


@pytest.mark.parametrize("path", ["/silent", "/trickle"])
def test_time_is_limited_in_all(server: str, http: HttpxHttp, path: str) -> None:
    """A server that is silent, or never ends, is given up when the time is over."""
    answer = http.get(f"{server}{path}", timeout=0.5)
    assert (answer.status, answer.body) == (0, b"no answer within 0.5 s")


def test_a_broken_answer_is_an_answer(server: str, http: HttpxHttp) -> None:
    """A server that hangs up is status 0."""
    assert http.get(f"{server}/hang-up", timeout=5).status == 0


def test_redirects_on_the_same_server_are_followed(server: str, http: HttpxHttp) -> None:
    """A redirect within the server leads to its target; an endless one ends."""
    assert http.get(f"{server}/moved", timeout=10).body == b"/there"
    assert b"more than 5 times" in http.get(f"{server}/loop", timeout=10).body


def test_redirects_to_another_server_are_not(server: str, http: HttpxHttp) -> None:
    """A redirect away is the answer itself; the other server is never asked."""
    answer = http.get(f"{server}/away/{free_port()}", timeout=10)
    assert answer.status == 302


def test_proxies_of_the_environment_are_not_used(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy variable doesn't stand between this machine and its host."""
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    http = HttpxHttp()
    assert http.get(f"{server}/health", timeout=10).status == 200
    http.close()
