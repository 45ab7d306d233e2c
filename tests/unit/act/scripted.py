"""A runner that says what a test wrote down."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tests.unit.demo import world

from slipway.act.doors import Doors
from slipway.act.runner import Event
from slipway.errors import HostUnreachable
from slipway.report import Report

END: dict[str, Any] = {
    "outcome": "done", "cause": None, "second": None, "late": None,
    "failed_over": [], "absent": [], "downtime_s": {},
}  # fmt: skip

_FOR_EVER = 100


@dataclass
class Scripted:
    """A runner that says what a test wrote down; an error in the script is raised.

    Attributes:
        follows: the answers of ``follow``, one a call; the last one for ever.
        settles: those of ``settle``.
        tells: what ``tell`` does, one a call; None or an error.
        followed: the run and the number that ``follow`` was asked for.
        told: the words that were left.
        values: what they said.
        runs: whom they were left.
    """

    follows: list[Any]
    settles: list[Any] = field(default_factory=list)
    tells: list[Any] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    values: list[Mapping[str, Any]] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    followed: list[tuple[str, int]] = field(default_factory=list)

    def start(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        raise AssertionError("nobody begins anything")

    def follow(self, run: str, first: int) -> Sequence[Event]:
        self.followed.append((run, first))
        assert len(self.followed) <= _FOR_EVER, "nobody waits for an end that does not come"
        found: Sequence[Event] = _said(self.follows)
        return found

    def tell(self, run: str, word: str, value: Mapping[str, Any]) -> None:
        if self.tells:
            _said(self.tells)
        self.told.append(word)
        self.values.append(value)
        self.runs.append(run)

    def settle(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = _said(self.settles)
        return found


def _said(script: list[Any]) -> Any:
    said = script.pop(0) if len(script) > 1 else script[0]
    if isinstance(said, BaseException):
        raise said
    return said


def scripted(runner: Scripted, talk: io.StringIO | None = None) -> Doors:
    """A host in memory with such a runner."""
    report = Report(err=talk or io.StringIO(), out=io.StringIO())
    return replace(world().doors, runner=runner, report=report)


def event(number: int, event: str, at: float = 0.0, **fields: object) -> Event:
    """One event of a run."""
    return {"number": number, "at": at, "event": event, **fields}


GONE = HostUnreachable("the wire is cut")
LOST = [{"event": "lost"}]
