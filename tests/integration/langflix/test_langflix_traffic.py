"""A server that fails in every way there is: each is counted for what it is, and nothing else."""

from __future__ import annotations

import asyncio
import itertools
import socket
import struct
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from tests.integration.langflix.conftest import free_port

from langflix.traffic import ask as asking
from langflix.traffic import kinds, pace
from langflix.traffic.ask import Asker
from langflix.traffic.count import Asked, Failed, Fault, row
from langflix.traffic.kinds import Ask

OK = b"HTTP/1.1 200 OK\r\n"
WELL = OK + b"Content-Length: 4\r\n\r\ngood"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
RETRY = b"a\r\nretry: 1\n\n\r\n"
#: Longer than any test: what takes this long has to be given up.
LONG_S = 300.0


class Server:
    """Answers by path; counts connections.

    Attributes:
        connections: how many were made.
        bodies: sizes of the bodies that came in whole.
    """

    def __init__(self) -> None:
        self.connections = 0
        self.bodies: list[int] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                size = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0] or 0)
                self.bodies.append(len(await reader.readexactly(size)))
                if not await self._answer(head.split()[1].decode(), writer):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, path: str, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; whether the connection goes on."""
        match path:
            case "/reset":
                linger = struct.pack("ii", 1, 0)
                writer.get_extra_info("socket").setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, linger
                )
                writer.transport.abort()
                return False
            case "/closed":
                return False
            case "/cut":
                writer.write(OK + b"Content-Length: 100\r\n\r\nonly this")
                return False
            case "/cut-chunks" | "/cut-stream":
                writer.write(CHUNKED + RETRY)
                await writer.drain()
                return False
            case "/503":
                writer.write(b"HTTP/1.1 503 Nope\r\nContent-Length: 4\r\n\r\ngone")
            case "/404":
                writer.write(b"HTTP/1.1 404 Nope\r\nContent-Length: 4\r\n\r\ngone")
            case "/wrong":
                writer.write(OK + b"Content-Length: 3\r\n\r\nbad")
            case "/no-gzip":
                writer.write(OK + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\ngood")
            case "/hang":
                await asyncio.sleep(LONG_S)
            case "/hang-in-the-middle":
                writer.write(OK + b"Content-Length: 100\r\n\r\nonly this")
                await asyncio.sleep(LONG_S)
            case "/stream":
                writer.write(CHUNKED + RETRY + b"0\r\n\r\n")
            case "/half-event":
                writer.write(CHUNKED + RETRY + b"6\r\ndata: \r\n0\r\n\r\n")
            case "/endless":
                writer.write(CHUNKED + RETRY)
                await asyncio.sleep(LONG_S)
            case _:
                writer.write(WELL)
        await writer.drain()
        return True


@asynccontextmanager
async def served() -> AsyncIterator[Server]:
    """Serve on the loopback address for the block."""
    made = Server()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        server.close()


GOOD = Ask("/good", kinds.same(b"good"))
STREAM = Ask("/stream", kinds.events, stream=True)


async def asked(ask: Ask, url: str | None = None) -> Fault | None:
    """How one request fails, or None."""
    async with served() as server, Asker(url or server.url, {}) as asker:
        try:
            await asker.ask(ask, asyncio.Event())
        except Failed as error:
            assert str(error)
            return error.fault
        return None


@pytest.mark.parametrize(
    ("ask", "fault"),
    [
        (GOOD, None),
        (replace(GOOD, fresh=True), None),
        (replace(GOOD, read_s=0.01), None),
        (replace(GOOD, path="/reset"), Fault.RESET),
        (replace(GOOD, path="/reset", fresh=True), Fault.RESET),
        (replace(GOOD, path="/closed"), Fault.RESET),
        (replace(GOOD, path="/cut"), Fault.CUT),
        (replace(GOOD, path="/cut", read_s=0.01), Fault.CUT),
        (replace(GOOD, path="/cut-chunks"), Fault.CUT),
        (replace(GOOD, path="/503"), Fault.STATUS),
        (replace(GOOD, path="/404"), Fault.STATUS),
        (replace(GOOD, status=206), Fault.STATUS),
        (replace(GOOD, path="/wrong"), Fault.BODY),
        (replace(GOOD, path="/no-gzip"), Fault.BODY),
        (replace(GOOD, path="/hang", limit_s=0.2), Fault.TIMEOUT),
        (replace(GOOD, path="/hang-in-the-middle", limit_s=0.2), Fault.TIMEOUT),
        (STREAM, None),
        (replace(STREAM, path="/cut-stream"), Fault.CUT),
        (replace(STREAM, path="/half-event"), Fault.BODY),
        (replace(STREAM, path="/reset"), Fault.RESET),
        (replace(STREAM, path="/503"), Fault.STATUS),
        (replace(STREAM, path="/hang", limit_s=0.2), Fault.TIMEOUT),
    ],
)
def test_a_request_fails_as_it_failed(ask: Ask, fault: Fault | None) -> None:
    """Each way to fail is seen for what it is; a good answer is none."""
    assert asyncio.run(asked(ask)) == fault


def test_a_refused_connection() -> None:
    """Where nobody listens, a connection is refused."""
    assert asyncio.run(asked(GOOD, f"http://127.0.0.1:{free_port()}")) == Fault.REFUSED


def test_a_silent_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that says nothing for too long has failed, though its connection is open."""
    monkeypatch.setattr(asking, "SILENCE_S", 0.2)
    assert asyncio.run(asked(replace(STREAM, path="/endless"))) == Fault.TIMEOUT


def test_slow_bodies_arrive_whole() -> None:
    """What is sent slowly comes in whole, by a connection of its own."""

    async def body() -> list[int]:
        async with served() as server, Asker(server.url, {}) as asker:
            ask = replace(GOOD, method="POST", body=bytes(1001), send_s=0.1)
            await asker.ask(ask, asyncio.Event())
            return server.bodies

    assert asyncio.run(body()) == [1001]


def test_kept_and_fresh_connections() -> None:
    """Kept requests share as many connections as are kept; each fresh one has its own."""

    async def connections(ask: Ask) -> int:
        async with served() as server, Asker(server.url, {}) as asker:
            for _ in range(20):
                await asker.ask(ask, asyncio.Event())
            return server.connections

    assert asyncio.run(connections(GOOD)) == asking.KEPT
    assert asyncio.run(connections(replace(GOOD, fresh=True))) == 20


async def driven(kinds_due: Iterable[tuple[float, str]], seconds: float) -> list[Asked]:
    """What becomes of requests whose kind is a path."""
    over = asyncio.Event()
    async with served() as server, Asker(server.url, {}) as asker:

        async def send(path: str) -> float:
            limit_s = 0.5 if path == "/hang" else 60.0
            ask = replace(GOOD, path=path, limit_s=limit_s, stream=path == "/endless")
            return (await asker.ask(ask, over))[0]

        rows, _ = await pace.drive(
            iter(kinds_due), send, seconds, endless={"/endless"}, stop=asyncio.Event(), over=over
        )
        return rows


def test_nobody_waits_for_an_answer() -> None:
    """All requests of a time are sent although the first hangs, and each is counted."""
    due = [(0.0, "/hang"), *((n / 100, "/good") for n in range(20)), (0.2, "/503"), (9.0, "/good")]
    rows = asyncio.run(driven(due, 1.0))
    assert row("good", [one for one in rows if one.kind == "/good"]).sent == 20
    assert [one.kind for one in rows][-1] == "/hang"
    assert row("all", rows).faults == {"status": 1, "timeout": 1}


def test_what_is_late_took_longer() -> None:
    """When nothing could be sent in time, the delay is part of how long it took."""
    rows = asyncio.run(driven([(-3.0, "/good")], 1.0))
    assert rows[0].late_ms >= 3000
    assert rows[0].took_ms >= rows[0].late_ms


def test_open_streams_end_with_the_load() -> None:
    """A stream that is open when everything else is answered counts as good."""
    rows = asyncio.run(driven([(0.0, "/endless"), (0.01, "/good")], 1.0))
    assert [(one.kind, one.failure) for one in rows] == [("/good", None), ("/endless", None)]


def test_stopping_ends_the_sending() -> None:
    """After a word to stop nothing more is sent; what was sent is counted."""

    async def stopped() -> int:
        stop = asyncio.Event()

        async def send(kind: str) -> float:
            if kind == "2":
                stop.set()
            return asyncio.get_running_loop().time()

        due = ((n / 1000, str(n)) for n in itertools.count())
        rows, _ = await pace.drive(due, send, 60, endless=(), stop=stop, over=asyncio.Event())
        return len(rows)

    assert asyncio.run(stopped()) <= 5
