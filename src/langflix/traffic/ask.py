"""One request: sent as it says, and its answer compared with what is right."""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Any

import httpx

from langflix.traffic.count import Failed, Fault
from langflix.traffic.kinds import Ask

#: So many connections are kept, each used in turn, as by several people.
KEPT = 8
#: An event stream says something at least every ten seconds.
SILENCE_S = 20.0
#: A slow sender's body goes in so many pieces.
PIECES = 24
#: A slow reader takes in little at once, so that the server has to wait for it.
SLOW_BUFFER = 16 * 1024
#: Shorter than a server keeps an idle connection: who closes one is us.
IDLE_S = 5.0


class Asker:
    """Speaks HTTP/1.1 to one site; no request waits for a connection of another.

    Args:
        url: the site.
        headers: sent with every request.

    """

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        tls = httpx.create_ssl_context()

        def client(kept: int, *options: tuple[int, int, int]) -> httpx.AsyncClient:
            limits = httpx.Limits(
                max_connections=None, max_keepalive_connections=kept, keepalive_expiry=IDLE_S
            )
            transport = httpx.AsyncHTTPTransport(
                verify=tls, limits=limits, socket_options=options or None
            )
            common: dict[str, Any] = {"base_url": url, "headers": headers, "trust_env": False}
            # Each request as a whole is bounded in ask().
            return httpx.AsyncClient(**common, timeout=None, transport=transport)  # noqa: S113

        kept = [client(1) for _ in range(KEPT)]
        self._fresh = client(0)
        self._slow = client(0, (socket.SOL_SOCKET, socket.SO_RCVBUF, SLOW_BUFFER))
        self._all = (*kept, self._fresh, self._slow)
        self._kept = itertools.cycle(kept)

    async def __aenter__(self) -> Asker:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        for client in self._all:
            await client.aclose()

    async def ask(self, ask: Ask, over: asyncio.Event) -> tuple[float, bytes]:
        """Send a request and take in its answer.

        Args:
            ask: what to send.
            over: set when nobody needs open event streams any more; they then count as well.

        Returns:
            when it was answered, by the loop's clock, and the body.

        Raises:
            Failed: it was not answered as it should be.

        """
        begun = False
        try:
            async with asyncio.timeout(ask.limit_s) as limit:
                response = await self._send(ask)
                begun = True
                try:
                    return await _answer(ask, response, limit, over)
                finally:
                    await response.aclose()
        except TimeoutError as error:
            where = "in the middle" if begun else "nothing"
            raise Failed(Fault.TIMEOUT, f"{where} after {ask.limit_s:g} s") from error
        except httpx.DecodingError as error:
            raise Failed(Fault.BODY, str(error)) from error
        except httpx.ConnectError as error:
            raise Failed(Fault.REFUSED, _words(error)) from error
        except httpx.TransportError as error:
            raise Failed(Fault.CUT if begun else Fault.RESET, _words(error)) from error

    async def _send(self, ask: Ask) -> httpx.Response:
        slow = ask.read_s or ask.send_s or ask.stream
        client = self._slow if slow else self._fresh if ask.fresh else next(self._kept)
        headers = dict(ask.headers)
        content: bytes | AsyncIterator[bytes] | None = ask.body or None
        if ask.send_s:
            headers["Content-Length"] = str(len(ask.body))
            content = _slowly(ask.body, ask.send_s)
        request = client.build_request(ask.method, ask.path, headers=headers, content=content)
        return await client.send(request, stream=True)


async def _answer(
    ask: Ask, response: httpx.Response, limit: asyncio.Timeout, over: asyncio.Event
) -> tuple[float, bytes]:
    clock = asyncio.get_running_loop().time
    if response.status_code != ask.status:
        body = await response.aread()
        raise Failed(Fault.STATUS, f"{response.status_code}: {body[:120]!r}")
    if ask.stream:
        at = clock()
        limit.reschedule(None)
        heard = await _listen(response, over)
        if heard is None:
            return at, b""
        body = heard
    else:
        body = await _read(response, ask.read_s)
        at = clock()
    if wrong := ask.wrong(body):
        raise Failed(Fault.BODY, wrong)
    return at, body


async def _read(response: httpx.Response, seconds: float) -> bytes:
    if not seconds:
        return await response.aread()
    total = int(response.headers.get("Content-Length", 0)) or 1
    body = b""
    async for chunk in response.aiter_raw():
        body += chunk
        await asyncio.sleep(seconds * len(chunk) / total)
    return body


async def _listen(response: httpx.Response, over: asyncio.Event) -> bytes | None:
    """Return a stream that the server has ended, or None when ``over`` is set before that."""
    heard, ended = asyncio.create_task(_hear(response)), asyncio.create_task(over.wait())
    try:
        await asyncio.wait({heard, ended}, return_when=asyncio.FIRST_COMPLETED)
        return heard.result() if heard.done() else None
    finally:
        for task in (heard, ended):
            task.cancel()
        await asyncio.gather(heard, ended, return_exceptions=True)


async def _hear(response: httpx.Response) -> bytes:
    clock, body = asyncio.get_running_loop().time, b""
    try:
        async with asyncio.timeout(SILENCE_S) as limit:
            async for chunk in response.aiter_raw():
                body += chunk
                limit.reschedule(clock() + SILENCE_S)
    except TimeoutError as error:
        raise Failed(Fault.TIMEOUT, f"silent for {SILENCE_S:g} s") from error
    return body


async def _slowly(body: bytes, seconds: float) -> AsyncIterator[bytes]:
    size = -(-len(body) // PIECES)
    for start in range(0, len(body), size):
        await asyncio.sleep(seconds / PIECES)
        yield body[start : start + size]


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ")
