"""A light load through the edge: a request each tenth of a second, and jobs to be done once."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
import time
from collections.abc import Callable

_EVERY_S = 0.1
_LIMIT_S = 5.0
_JOB_EVERY = 10


class Load:
    """Asks, counts, and hands in jobs, in a thread of its own.

    Args:
        enter: called at the thread's beginning; it may move the thread into another network.
        address: of the edge.
    """

    def __init__(self, enter: Callable[[], None], address: str) -> None:
        self._enter, self._address = enter, address
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._go, daemon=True)
        self.asked = 0
        self.lost: list[tuple[float, int]] = []
        self.jobs: list[str] = []

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _go(self) -> None:
        self._enter()
        while not self._over.wait(_EVERY_S):
            self.asked += 1
            began, status = time.monotonic(), self._ask("GET", "/api/version")
            if status != 200:
                self.lost.append((began, status))
            if self.asked % _JOB_EVERY == 0:
                name = f"{time.time_ns()}"
                if self._ask("POST", f"/api/jobs/{name}") == 201:
                    self.jobs.append(name)

    def _ask(self, method: str, path: str) -> int:
        connection = http.client.HTTPConnection(self._address, 8080, timeout=_LIMIT_S)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            answer.read()
            return answer.status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

    @property
    def failed(self) -> int:
        """How many requests had no answer, or another one than 200."""
        return len(self.lost)

    def amiss(self) -> list[str]:
        """What became of accepted jobs that were not done exactly once; empty when all were."""
        connection = http.client.HTTPConnection(self._address, 8080, timeout=_LIMIT_S)
        with contextlib.closing(connection):
            connection.request("GET", "/api/jobs")
            done = json.loads(connection.getresponse().read())
        counts = [done.get(name, -1) for name in self.jobs]
        return [
            f"{counts.count(number)} jobs {what}"
            for number, what in ((-1, "lost"), (0, "not done"), (2, "done twice"))
            if number in counts
        ]
