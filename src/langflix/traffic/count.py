"""What became of requests, and the figures of a run. Pure.

A request's time counts from when it was due, so a stall is not spared the requests that would have
been sent meanwhile.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from langflix.traffic.lessons import Lessons

#: The name of the row that counts every kind.
ALL = "all"


class Fault(StrEnum):
    """How a request failed."""

    REFUSED = "refused"  # no connection was made
    RESET = "reset"  # the connection ended before an answer began
    CUT = "cut"  # it ended in the middle of the answer
    STATUS = "status"  # the answer has another status
    BODY = "body"  # the answer has another content
    TIMEOUT = "timeout"  # the answer did not come in time


class Failed(Exception):
    """A request failed; the message says how in a few words."""

    def __init__(self, fault: Fault, detail: str) -> None:
        self.fault = fault
        super().__init__(detail)


@dataclass(frozen=True, slots=True)
class Failure:
    """How and when one request failed.

    Attributes:
        at: when that was seen, ISO 8601 in UTC with milliseconds.
        detail: status, error or difference, for a person.
    """

    at: str
    fault: Fault
    detail: str


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that is over.

    Attributes:
        kind: which kind of traffic it was.
        took_ms: from when it was due to the answer's last byte; of a stream to its first.
        late_ms: from when it was due to when it was sent.
        failure: None when it was answered well.
    """

    kind: str
    took_ms: float
    late_ms: float = 0.0
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one kind; times in milliseconds, of failed requests too.

    Attributes:
        faults: how many failed in which way.
    """

    kind: str
    sent: int
    failed: int
    faults: Mapping[str, int]
    p50_ms: float
    p99_ms: float
    longest_ms: float


@dataclass(frozen=True, slots=True)
class Result:
    """What a run came to.

    Attributes:
        began: when its first request was due, ISO 8601 in UTC.
        seconds: for how long requests were sent.
        rate: how many were to be sent in a second.
        late_ms: the most that a request was sent late; a sender without processor time shows here.
        rows: all requests, then each kind.
        failures: kind and failure of each failed request, in order of time.
        lessons: what became of jobs.
    """

    began: str
    seconds: float
    rate: float
    late_ms: float
    rows: tuple[Row, ...]
    failures: tuple[tuple[str, Failure], ...]
    lessons: Lessons

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        value = asdict(self)
        value["rows"] = [asdict(row) for row in self.rows]
        value["failures"] = [{"kind": kind, **asdict(one)} for kind, one in self.failures]
        return value


def result(
    asked: Sequence[Asked], lessons: Lessons, *, began: str, seconds: float, rate: float
) -> Result:
    """Return the figures of a run; the arguments are as in :class:`Result`."""
    kinds = sorted({one.kind for one in asked})
    failed = [(one.kind, one.failure) for one in asked if one.failure]
    return Result(
        began=began,
        seconds=round(seconds, 1),
        rate=rate,
        late_ms=round(max((one.late_ms for one in asked), default=0.0), 1),
        rows=(
            row(ALL, asked),
            *(row(kind, [one for one in asked if one.kind == kind]) for kind in kinds),
        ),
        failures=tuple(sorted(failed, key=lambda pair: pair[1].at)),
        lessons=lessons,
    )


def row(kind: str, asked: Iterable[Asked]) -> Row:
    """Return the figures of requests under the name ``kind``."""
    asked = list(asked)
    times = sorted(one.took_ms for one in asked)
    faults = Counter(str(one.failure.fault) for one in asked if one.failure)
    return Row(
        kind=kind,
        sent=len(asked),
        failed=sum(faults.values()),
        faults=dict(sorted(faults.items())),
        p50_ms=_at(times, 0.5),
        p99_ms=_at(times, 0.99),
        longest_ms=_at(times, 1.0),
    )


def _at(times: Sequence[float], share: float) -> float:
    """Return the nearest-rank percentile, 0 of nothing."""
    return round(times[max(0, math.ceil(share * len(times)) - 1)], 1) if times else 0.0
