"""The hub's connection to the database, which belongs to somebody or is closed."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import psycopg
import pytest

from langflix.api.hub import Hub
from langflix.settings import Endpoint

#: Turns of the event loop in which all of the hub's steps have happened.
TURNS = 12


class Connection:
    """A connection that knows whether it is closed; each of its answers takes a turn."""

    def __init__(self) -> None:
        self.closed = False
        self.pgconn = self

    def finish(self) -> None:
        """Close it."""
        self.closed = True

    async def execute(self, _: str) -> None:
        """Take a turn."""
        await asyncio.sleep(0)

    async def notifies(self, timeout: float) -> Any:
        """Tell nothing."""
        await asyncio.sleep(timeout)
        yield None


async def turns(count: int) -> None:
    """Let everything that is ready go on, so many times."""
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.mark.parametrize("apart", range(3))
@pytest.mark.parametrize("before", range(TURNS))
def test_no_connection_stays_open_when_it_ends_twice(
    monkeypatch: pytest.MonkeyPatch, before: int, apart: int
) -> None:
    """At every step: the server closes, the last listener leaves, and the loop itself ends."""
    made: list[Connection] = []

    async def connect(*_: Any, **__: Any) -> Connection:
        await asyncio.sleep(0)
        made.append(Connection())
        with suppress(asyncio.CancelledError):  # it comes too late
            await asyncio.sleep(0)
        return made[-1]

    monkeypatch.setattr(psycopg.AsyncConnection, "connect", connect)
    hub = Hub(Endpoint("postgresql://nobody@127.0.0.1:1/none"))

    async def listen() -> None:
        async with hub.listening():
            await turns(before)
            hub.close()
            await turns(1 + apart)

    asyncio.run(listen())
    assert made or before < 2, "nothing was connected to"
    assert all(connection.closed for connection in made)
