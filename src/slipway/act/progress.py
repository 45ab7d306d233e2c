"""What a running task has done so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from slipway.act.doors import Doors
from slipway.act.outcome import StepTime


@dataclass(slots=True)
class Progress:
    """What a running deploy has done so far.

    Attributes:
        doors: what it acts through.
        started: when it began, by the clock that only grows.
        times: how long its steps on this machine took.
    """

    doors: Doors
    started: float
    times: list[StepTime] = field(default_factory=list)

    def timed(self, name: str, work: Callable[[], object]) -> None:
        """Do something, and note how long it took."""
        started = self.doors.clock.monotonic()
        work()
        self.times.append(StepTime(name, self.doors.clock.monotonic() - started))

    @property
    def seconds(self) -> float:
        """Since it began."""
        return self.doors.clock.monotonic() - self.started
