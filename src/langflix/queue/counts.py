"""How many jobs ended, how, and how long they took: counted by workers, shown by the API.

The numbers are in Redis, for the worker that counts may be gone when Prometheus asks.  One hash has
for each status the fields ``count``, ``seconds`` and ``le:BOUND``, each of the latter counting the
jobs that took no longer than its bound in seconds.  A key of its own has the seconds of the last
scan of the media share.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import redis
from sqlalchemy import Engine

from langflix.data import jobs
from langflix.data.engine import session
from langflix.errors import UnavailableError
from langflix.settings import Endpoint

KEY = "langflix:jobs:ended"
SCAN_KEY = "langflix:media:scan_seconds"
BOUNDS = (1, 5, 15, 60, 300, 900, 3600, 10800)
TIMEOUT_S = 2.0
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ended:
    """The jobs of a status: ``within`` counts them by the bounds, from the least on."""

    count: int
    seconds: float
    within: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """The counters in Redis."""

    client: redis.Redis

    @classmethod
    def at(cls, endpoint: Endpoint) -> Counts:
        """Return the counters of a Redis; no connection is made before the first use."""
        options = {"socket_timeout": TIMEOUT_S, "socket_connect_timeout": TIMEOUT_S}
        return cls(redis.Redis.from_url(endpoint.with_password(), **options))

    def add(self, status: str, seconds: float) -> None:
        """Count a job; raises RedisError."""
        pipeline = self.client.pipeline(transaction=True)
        pipeline.hincrby(KEY, f"{status}:count", 1)
        pipeline.hincrbyfloat(KEY, f"{status}:seconds", seconds)
        for bound in BOUNDS:
            if seconds <= bound:
                pipeline.hincrby(KEY, f"{status}:le:{bound}", 1)
        pipeline.execute()

    def set_scan(self, seconds: float) -> None:
        """Record how long the last scan took; raises RedisError."""
        self.client.set(SCAN_KEY, seconds)

    def scan_seconds(self) -> float | None:
        """Return how long the last scan took, None before the first; raises RedisError."""
        raw: Any = self.client.get(SCAN_KEY)
        return None if raw is None else float(raw)

    def read(self) -> dict[str, Ended]:
        """Return the counters by status; raises RedisError."""
        raw: Any = self.client.hgetall(KEY)
        return parse({_text(name): _text(value) for name, value in raw.items()})


def parse(fields: Mapping[str, str]) -> dict[str, Ended]:
    """Return the hash's fields as counters; what is missing counts as zero."""
    statuses = sorted({name.partition(":")[0] for name in fields})
    return {
        status: Ended(
            int(fields.get(f"{status}:count", 0)),
            float(fields.get(f"{status}:seconds", 0)),
            tuple(int(fields.get(f"{status}:le:{bound}", 0)) for bound in BOUNDS),
        )
        for status in statuses
    }


def note_end(engine: Engine, counts: Counts, job_id: str) -> None:
    """Count a job that has just ended; a number that cannot be kept costs a line in the log."""
    try:
        with session(engine) as db:
            job = jobs.get(db, job_id)
        if job is not None and job.started_at is not None and job.ended_at is not None:
            counts.add(job.status, (job.ended_at - job.started_at).total_seconds())
    except (redis.RedisError, UnavailableError) as error:
        log.warning("job not counted", extra={"reason": type(error).__name__})


def note_scan(counts: Counts, seconds: float) -> None:
    """Record how long a scan took; a number that cannot be kept costs a line in the log."""
    try:
        counts.set_scan(seconds)
    except redis.RedisError as error:
        log.warning("scan not timed", extra={"reason": type(error).__name__})


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
