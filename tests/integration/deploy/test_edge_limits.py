"""What the edge holds back from what is behind it: sent by bare sockets, as no client would."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from contextlib import ExitStack

import pytest
from tests.attacks import chunks, head, received, send
from tests.integration.deploy.edges import Edge
from tests.integration.deploy.rooms import wait_for

PATHS = ["/", "/health", "/ready", "/api/v1/session", "/api/v1/media/jobs", "/flower/x", "/nowhere"]
UPLOAD = "/api/v1/jobs"
#: Fits beside ordinary headers, and is more than any form of ours has.
FITS = 12 * 1024


def answer(edge: Edge, first: bytes, more: Iterable[bytes] = (), **how: str) -> str:
    """Send a request to the edge; what it answers, if it does."""
    return send(lambda: edge.plain(**how), (first, *more))  # type: ignore[arg-type]


def status(told: str) -> int:
    """The status of an answer."""
    return int(told.split(" ", 2)[1])


def asked(edge: Edge) -> list[str]:
    """Every path that came through."""
    return [path for backend in edge.backends.values() for path in backend.paths]


@pytest.mark.parametrize("path", PATHS)
def test_what_is_large_reaches_nobody_but_where_uploads_go(full: Edge, path: str) -> None:
    """By a length that is told, and by chunks that tell none: 413, and no byte goes on."""
    told = answer(full, head(path, "Content-Length: 300000000"), [b"x" * 65536])
    assert status(told) == 413
    told = answer(full, head(path, "Transfer-Encoding: chunked"), chunks(4096, 64))
    assert status(told) == 413
    padded = ["Transfer-Encoding: chunked", *(f"X-Pad-{at}: {'p' * 700}" for at in range(10))]
    assert status(answer(full, head(path, *padded), chunks(1, 20000))) == 413
    assert asked(full) == []


@pytest.mark.parametrize("path", [PATHS[3], PATHS[4], PATHS[5]])
def test_what_fits_arrives_whole(full: Edge, path: str) -> None:
    """Told or chunked, in one piece or in many."""
    with full.client() as client:
        body = b"x" * FITS
        assert client.post(path, content=body).json()["bytes"] == FITS
        pieces = (body[at : at + 999] for at in range(0, FITS, 999))
        assert client.post(path, content=pieces).json()["bytes"] == FITS


def test_an_upload_goes_on_while_it_comes(full: Edge) -> None:
    """Chunks of many megabytes are for the API, which counts them; other methods have no leave."""
    with full.client() as client:
        pieces = (b"x" * 65536 for _ in range(300))
        assert client.post(UPLOAD, content=pieces).json()["bytes"] == 300 * 65536
    told = answer(full, head(UPLOAD, "Transfer-Encoding: chunked", method="PUT"), chunks(4096, 64))
    assert status(told) == 413


def test_slow_requests_meet_only_the_edge(full: Edge) -> None:
    """Headers that don't end, and bodies that stop in the middle: 408, and nobody was asked."""
    beginnings = [
        b"GET / HTTP/1.1\r\nHost: films\r\nX-Slow: ",
        head("/api/v1/session", "Content-Length: 100") + b"{",
        head("/api/v1/session", "Transfer-Encoding: chunked") + next(chunks(8, 1)),
        head("/flower/x", "Transfer-Encoding: chunked") + b"8\r\nabc",
    ]
    with ExitStack() as stack:
        opened = [stack.enter_context(full.plain()) for _ in beginnings]
        for plain, begun in zip(opened, beginnings, strict=True):
            plain.sendall(begun)
        for _ in range(5):
            time.sleep(1)
            opened[0].sendall(b"s")  # a byte now and then does not count as haste
        assert [status(received(plain)) for plain in opened] == [408] * len(opened)
    assert asked(full) == []


@pytest.mark.parametrize(
    ("first", "wanted"),
    [
        (head("/api/x?q=" + "q" * 8192, method="GET"), 414),
        (head("/?" + "q" * 60000, method="GET"), 400),
        (head("/", *(f"X-{at}: {'v' * 90}" for at in range(95)), method="GET"), 431),
        (head("/", *(f"X-{at}: v" for at in range(200)), method="GET"), 400),
        (head("/", "X-Long: " + "v" * 60000, method="GET"), 400),
        (head("/api/x", method="TRACE"), 405),
        (head("films:443", method="CONNECT"), 405),
        (head("/api/x", method="BREW"), 405),
        (head("/api/v1/session", "Content-Encoding: gzip", "Content-Length: 2") + b"{}", 415),
        (head(UPLOAD, "Content-Encoding: br", "Content-Length: 2") + b"{}", 415),
        (head("/api/x", "Content-Length: 2", "Content-Length: 3") + b"{}", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\r\n\r\n", 400),
    ],
)
def test_strange_requests_are_refused(full: Edge, first: bytes, wanted: int) -> None:
    """Long addresses, many and long headers, tunnels, compression, two lengths, no HTTP."""
    told = answer(full, first)
    assert status(told) == wanted
    if wanted != 400:  # what is no HTTP is answered before anything is looked up
        assert f'"status":{wanted}' in told
    assert asked(full) == []


def test_of_two_lengths_the_chunks_count(full: Edge) -> None:
    """A length beside chunks is taken out: no second request is smuggled in behind the first."""
    lines = ("Transfer-Encoding: chunked", "Content-Length: 4")
    hidden = b"0\r\n\r\n" + head("/api/hidden", method="GET")
    with full.plain() as plain:
        plain.sendall(head("/api/first", *lines) + hidden)
        wait_for(lambda: asked(full), "the first request")
        told = received(plain)
    assert '"bytes": 0' in told
    assert "content-length" not in json.loads(told.partition("\r\n\r\n")[2])["headers"]


def test_connections_of_one_address_are_counted(edge: Edge) -> None:
    """Two hundred at once; what is more is closed, while another address gets in."""
    with ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(edge.plain("127.0.0.9"))
        wait_for(lambda: "conn_cur=200" in edge.command("show table connections"), "all of them")
        assert answer(edge, head("/", method="GET"), source="127.0.0.9") == ""
        assert status(answer(edge, head("/", method="GET"))) == 503
    wait_for(lambda: "conn_cur=200" not in edge.command("show table connections"), "them to end")
    assert status(answer(edge, head("/", method="GET"), source="127.0.0.9")) == 503


def test_connections_through_a_proxy_are_counted_for_who_made_them(edge: Edge) -> None:
    """Of those that the PROXY protocol tells of each has its own; the proxy itself has no limit."""
    assert edge.process is not None
    edge.room.kill(edge.process)
    edge.env |= {"EDGE_PROXY_PROTOCOL": "127.0.0.8", "LANGFLIX_ADDRESS_CONNECTIONS": "20"}
    edge.begin()

    def through(client: str) -> str:
        return answer(edge, told_of(client) + head("/", method="GET"), source="127.0.0.8")

    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(edge.plain("127.0.0.8")).sendall(told_of("203.0.113.6"))
        wait_for(lambda: "conn_cur=20" in edge.command("show table connections"), "all of them")
        assert through("203.0.113.6") == ""
        assert [status(through(f"203.0.113.{at}")) for at in (7, 8, 9)] == [503] * 3
        for at in range(20):
            client = stack.enter_context(edge.plain("127.0.0.8"))
            client.sendall(told_of(f"198.51.100.{at}"))
        assert status(through("203.0.113.7")) == 503
    wait_for(lambda: "conn_cur=20" not in edge.command("show table connections"), "them to end")
    assert status(through("203.0.113.6")) == 503


def told_of(client: str) -> bytes:
    """The line before a connection in which a proxy says who made it (PROXY protocol, 2.1)."""
    return f"PROXY TCP4 {client} 127.0.0.1 4711 8080\r\n".encode()


def test_requests_of_one_address_are_counted(full: Edge) -> None:
    """More than what the variable allows in ten seconds: 429 with Retry-After, and only for it."""
    assert full.process is not None
    full.room.kill(full.process)
    full.env["LANGFLIX_ADDRESS_REQUESTS"] = "20"
    full.begin()
    full.wait("api/a", "UP")
    with full.client("127.0.0.9") as fast, full.client() as other:
        codes = [fast.get("/api/x").status_code for _ in range(30)]
        refused = fast.get("/")
        assert other.get("/api/x").status_code == 200
    assert codes == [200] * 20 + [429] * 10
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "10")
    assert refused.json()["status"] == 429


GUESS = {"Authorization": "Bearer wrong"}


@pytest.mark.parametrize(
    ("backend", "method", "path", "headers"),
    [
        ("api", "POST", "/api/v1/session", {}),
        ("api", "POST", "/api/v1/sessio%6e", {}),
        ("api", "GET", "/api/v1/session", GUESS),
        ("api", "GET", "/api/v1/jobs", GUESS),
        ("api", "POST", UPLOAD, GUESS),
        ("flower", "GET", "/flower/", {"Authorization": "Basic YWRtaW46eA=="}),
    ],
)
def test_guesses_of_one_address_are_counted(
    full: Edge, backend: str, method: str, path: str, headers: dict[str, str]
) -> None:
    """After ten wrong ones an address waits a minute, for guesses alone; others don't."""
    full.backends[backend].status = 401
    with full.client("127.0.0.9") as guesser, full.client() as other:
        codes = [guesser.request(method, path, headers=headers).status_code for _ in range(12)]
        refused = guesser.request(method, path, headers=headers)
        assert guesser.get("/").status_code == 200
        assert other.request(method, path, headers=headers).status_code == 401
    assert codes == [401] * 10 + [429, 429]
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")


def test_what_is_right_is_no_guess(full: Edge) -> None:
    """Neither right tokens, nor questions without one, nor the cookie of an ended session."""
    with full.client("127.0.0.9") as client:
        assert {client.get("/api/v1/jobs", headers=GUESS).status_code for _ in range(30)} == {200}
        full.backends["api"].status = 401
        old = {"Cookie": "langflix_sid=old"}
        assert {client.get("/api/v1/jobs", headers=old).status_code for _ in range(15)} == {401}
        assert {client.get("/api/v1/jobs").status_code for _ in range(15)} == {401}
        assert client.get("/api/v1/jobs", headers=GUESS).status_code == 401


def test_guesses_of_many_addresses_are_counted_together(full: Edge) -> None:
    """After a hundred one wrong guess is enough to wait; the right one still gets in."""
    full.backends["api"].status = 401
    for number in range(20, 31):
        with full.client(f"127.0.0.{number}") as guesser:
            for _ in range(10 if number < 30 else 1):
                assert guesser.post("/api/v1/session").status_code == 401
    with full.client("127.0.0.30") as guesser, full.client("127.0.0.31") as owner:
        assert guesser.post("/api/v1/session").status_code == 429
        full.backends["api"].status = 204
        assert owner.post("/api/v1/session").status_code == 204
