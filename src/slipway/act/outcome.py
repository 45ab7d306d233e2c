"""What a deploy did. The JSON is a contract: fields are added, never renamed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from slipway.ledger.release import Release
from slipway.runner.containers import Container


@dataclass(frozen=True, slots=True)
class PartTime:
    """When a part of a step was reached.

    Attributes:
        service: whose.
        name: ``start`` (a new container stands beside the old), ``healthy``, or ``switch`` (the old
            one gets no more requests).
        seconds: since the step began.
    """

    service: str
    name: str
    seconds: float

    def to_json(self) -> dict[str, object]:
        """All fields, to the millisecond."""
        return {"service": self.service, "name": self.name, "seconds": round(self.seconds, 3)}


@dataclass(frozen=True, slots=True)
class StepTime:
    """How long a step took.

    Attributes:
        name: the step.
        seconds: its duration.
        parts: of it, in the order in which they were reached.
    """

    name: str
    seconds: float
    parts: tuple[PartTime, ...] = ()

    def to_json(self) -> dict[str, object]:
        """All fields, to the millisecond."""
        return {
            "name": self.name,
            "seconds": round(self.seconds, 3),
            "parts": [part.to_json() for part in self.parts],
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a deploy did.

    Attributes:
        release: id of the release that is live.
        outcome: ``deployed``, ``rolled back``, ``restarted``, ``scaled``, or ``unchanged`` when
            there was nothing to do.
        url: where it is reached.
        bytes_sent: image bytes that went over the wire, compressed.
        containers_touched: services of which containers were made, replaced or removed.
        seconds: all of it.
        steps: in order.
        round_trips: how often the host was asked.
        predicted_s: services expected not to answer for a while, and for how many seconds.
        downtime_s: those that did not, and for how many.
        failed_over: services whose requests were switched without a gap.
        resumed: how often a connection that broke was opened again.
        subject: of a restart the service, of scaling the numbers, such as ``worker=3``; else empty.
    """

    release: str
    outcome: str
    url: str
    bytes_sent: int
    containers_touched: int
    seconds: float
    steps: tuple[StepTime, ...]
    round_trips: int = 0
    predicted_s: Mapping[str, float] = field(default_factory=dict)
    downtime_s: Mapping[str, float] = field(default_factory=dict)
    failed_over: tuple[str, ...] = ()
    resumed: int = 0
    subject: str = ""

    def to_json(self) -> dict[str, object]:
        """What ``deploy --json`` prints."""
        return {
            "release": self.release,
            "outcome": self.outcome,
            "url": self.url,
            "bytes_sent": self.bytes_sent,
            "containers_touched": self.containers_touched,
            "seconds": round(self.seconds, 3),
            "steps": [step.to_json() for step in self.steps],
            "round_trips": self.round_trips,
            "downtime_s": {"predicted": dict(self.predicted_s), "seen": dict(self.downtime_s)},
            "failed_over": list(self.failed_over),
            "resumed": self.resumed,
            "subject": self.subject,
        }


@dataclass(frozen=True, slots=True)
class Result:
    """How a deploy left the host.

    Attributes:
        outcome: what it did.
        release: the one that is live.
        containers: the application's, as they were last seen.
    """

    outcome: Outcome
    release: Release
    containers: tuple[Container, ...]
