"""Who listens to changes of jobs, and the one connection over which PostgreSQL tells of them.

Triggers notify the channel ``langflix_jobs`` with a job's id when its change is committed, so no
worker has to tell anybody and no change is told too early.  The connection is open while somebody
listens; when it is lost, listeners are told to ask for everything again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TypeAlias
from urllib.parse import urlsplit, urlunsplit

import psycopg

from langflix.data.engine import CONNECT_TIMEOUT_S
from langflix.settings import Endpoint

CHANNEL = "langflix_jobs"
#: Changes within this time are told together, each job once.
GATHER_S = 0.1
RECONNECT_S = 2.0
#: A listener that has fallen behind by more changes is told to ask for everything again.
MAX_BEHIND = 1000
#: How often the connection is looked at while nothing happens.
LOOK_S = 15.0

log = logging.getLogger(__name__)

_Connecting: TypeAlias = asyncio.Task[psycopg.AsyncConnection[object]]


class Listener:
    """Gathers the ids of changed jobs for one client; ``reset`` asks it to forget what it knows."""

    def __init__(self) -> None:
        self._changed: dict[str, None] = {}
        self._reset = False
        self._news = asyncio.Event()
        self.closing = False

    def tell(self, job_id: str) -> None:
        """Note a change."""
        if len(self._changed) >= MAX_BEHIND:
            self.reset()
        else:
            self._changed[job_id] = None
            self._news.set()

    def reset(self) -> None:
        """Note that changes may have been missed."""
        self._changed.clear()
        self._reset = True
        self._news.set()

    def close(self) -> None:
        """Note that the server ends."""
        self.closing = True
        self._news.set()

    async def take(self, timeout_s: float) -> tuple[list[str], bool]:
        """Return the changed jobs and whether to reset; after ``timeout_s`` nothing and False."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), timeout_s)
            if not self.closing:
                await asyncio.sleep(GATHER_S)
        changed, reset = list(self._changed), self._reset
        self._changed.clear()
        self._reset = False
        if not self.closing:
            self._news.clear()
        return changed, reset


class Hub:
    """Tells every listener of every change; used from the event loop only, but for close()."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._listeners: set[Listener] = set()
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._hearing = False

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Listener]:
        """Give a listener for the block."""
        listener = Listener()
        self._listeners.add(listener)
        self._loop = asyncio.get_running_loop()
        if self._closed:
            listener.close()
        elif self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        elif self._hearing:
            listener.reset()  # what happened before is not known
        try:
            yield listener
        finally:
            self._listeners.discard(listener)
            if not self._listeners and self._task is not None:
                self._task.cancel()
                self._task = None

    def close(self) -> None:
        """End all streams, so that a server that stops does not wait for them; from any thread."""
        self._closed = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._close_all)

    def _close_all(self) -> None:
        for listener in self._listeners:
            listener.close()
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        while True:
            connecting = asyncio.create_task(self._connect())
            try:
                await self._hear(await connecting)
            except (psycopg.Error, OSError) as error:
                log.warning("events are interrupted", extra={"reason": type(error).__name__})
            finally:
                self._hearing = False
                _finish_whatever_came(connecting)
            await asyncio.sleep(RECONNECT_S)

    async def _hear(self, connection: psycopg.AsyncConnection[object]) -> None:
        await connection.execute(f"LISTEN {CHANNEL}")
        self._hearing = True
        for listener in self._listeners:
            listener.reset()
        while True:
            async for notice in connection.notifies(timeout=LOOK_S):
                for listener in self._listeners:
                    listener.tell(notice.payload)
            await connection.execute("SELECT 1")  # a dead connection is found here

    async def _connect(self) -> psycopg.AsyncConnection[object]:
        parts = urlsplit(self._endpoint.with_password())
        return await psycopg.AsyncConnection.connect(
            urlunsplit(parts._replace(scheme="postgresql")),
            autocommit=True,
            connect_timeout=CONNECT_TIMEOUT_S,
            application_name="langflix events",
        )


def _finish_whatever_came(connecting: _Connecting) -> None:
    """Close the connection of a task that has ended, or once it ends.

    Without a pause of its own: who waits for a close can be cancelled there as well, as often as
    a server has reasons to end, and the connection then stays open for nobody.
    """
    if not connecting.done():
        connecting.add_done_callback(_finish_whatever_came)
    elif not connecting.cancelled() and connecting.exception() is None:
        connecting.result().pgconn.finish()
