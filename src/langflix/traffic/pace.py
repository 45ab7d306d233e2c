"""Many requests, each sent when it is due, whatever has become of those before."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator
from datetime import UTC, datetime

from langflix.traffic.count import Asked, Failed, Failure

#: Sends one request of a kind; returns when it was answered, by the loop's clock.
Send = Callable[[str], Awaitable[float]]


async def drive(
    due: Iterator[tuple[float, str]],
    send: Send,
    seconds: float,
    *,
    endless: Collection[str],
    stop: asyncio.Event,
    over: asyncio.Event,
) -> tuple[list[Asked], float]:
    """Send requests for a time, wait for their answers, and return what became of each.

    Args:
        due: when each is due, in seconds from the start, and of which kind.
        send: sends one; raises Failed.
        seconds: for so long.
        endless: kinds that are waited for only when ``over`` is set.
        stop: ends the sending earlier.
        over: set here when all other kinds are answered.

    Returns:
        what became of each, and for how many seconds requests were sent.

    """
    clock = asyncio.get_running_loop().time
    began, asked = clock(), list[Asked]()
    ending: list[asyncio.Task[None]] = []
    going_on: list[asyncio.Task[None]] = []
    for at, kind in due:
        if at >= seconds:
            break
        await asyncio.sleep(max(0.0, began + at - clock()))
        if stop.is_set():
            break
        task = asyncio.create_task(_one(kind, began + at, send, asked))
        (going_on if kind in endless else ending).append(task)
    lasted = clock() - began
    await asyncio.gather(*ending)
    over.set()
    await asyncio.gather(*going_on)
    return asked, lasted


async def _one(kind: str, due: float, send: Send, asked: list[Asked]) -> None:
    clock = asyncio.get_running_loop().time
    late, failure = clock() - due, None
    try:
        at = await send(kind)
    except Failed as error:
        at, failure = clock(), Failure(now(), error.fault, str(error))
    asked.append(Asked(kind, (at - due) * 1000, late * 1000, failure))


def now() -> str:
    """Return the time in UTC, ISO 8601 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
