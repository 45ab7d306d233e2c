"""The hub's connection to the database, which belongs to somebody or is closed."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import pytest

from langflix.api.hub import Hub
from langflix.settings import Endpoint


class Connection:
    """A connection that knows whether it is closed."""

    closed = False

    async def close(self) -> None:
        """Close it."""
        self.closed = True


def test_a_connection_that_comes_too_late_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens any more at the moment when it is there: it does not stay open."""
    made, coming = Connection(), asyncio.Event()

    async def connect(*_: Any, **__: Any) -> Connection:
        coming.set()
        await asyncio.sleep(0.01)
        return made

    monkeypatch.setattr(psycopg.AsyncConnection, "connect", connect)
    hub = Hub(Endpoint("postgresql://nobody@127.0.0.1:1/none"))

    async def listen() -> None:
        async with hub.listening():
            await coming.wait()
            task = hub._task
        assert task is not None
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(listen())
    assert made.closed
