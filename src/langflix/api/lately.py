"""One answer for many strangers: every service is looked at once in a while, not for each."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")

#: A stranger gets an answer that is at most so old, ...
FRESH_S = 1.0
#: ... or, while a new one is being looked for, so old.
USABLE_S = 10.0
#: Without one it waits so long for whoever asks, and then asks too.
WAIT_S = 10.0


class Lately(Generic[T]):
    """Keeps the last answer to one question.

    Args:
        clock: seconds, for tests.

    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._asking = Lock()
        self._last: tuple[float, T] | None = None

    def get(self, ask: Callable[[], T]) -> T:
        """Return the last answer while it is fresh, else that of ``ask``; one asks at a time."""
        if (last := self._younger(FRESH_S)) is not None:
            return last[1]
        usable = self._younger(USABLE_S)
        mine = self._asking.acquire(timeout=WAIT_S if usable is None else 0)
        if not mine and usable is not None:
            return usable[1]
        try:
            if (last := self._younger(FRESH_S)) is not None:
                return last[1]
            answer = ask()
            self._last = (self._clock(), answer)
            return answer
        finally:
            if mine:
                self._asking.release()

    def _younger(self, seconds: float) -> tuple[float, T] | None:
        last = self._last
        return last if last and self._clock() - last[0] < seconds else None
