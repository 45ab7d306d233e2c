"""Be there while a host carries out a run: show what happens, do what takes this machine.

The run does not depend on it. A connection that breaks is opened again; Ctrl-C asks the host to go
back and waits for that, a second one leaves it to the host. Whoever only watches a run that another
command began stops watching by it, and the run goes on.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from slipway.act.doors import Doors
from slipway.act.outcome import PartTime, StepTime
from slipway.act.runner import Event, Runner
from slipway.errors import CommandFailed, HostUnreachable, Interrupted, SlipwayError
from slipway.report import human_bytes

_PATIENCE_S = 90.0
_AGAIN_S = 2.0
# A run that neither works, nor has an end, nor can be ended.
_FORGOTTEN = 3

_SIGN_S = 5.0

_Answer = TypeVar("_Answer")

Turn = Callable[[str, int], None]
"""Does an action of a step, by its place in it."""


@dataclass(slots=True)
class Attended:
    """What was heard of a run.

    Attributes:
        end: how it ended.
        times: how long its steps took.
        resumed: how often the connection broke and was opened again.
        requests: how many the edge had when it was counted; None when it was not.
    """

    end: Mapping[str, Any] = field(default_factory=dict)
    times: list[StepTime] = field(default_factory=list)
    resumed: int = 0
    requests: int | None = None


class _Attendance:
    def __init__(self, doors: Doors, run: str, turn: Turn | None, watched: str) -> None:
        self._doors, self._run, self._turn, self._watched = doors, run, turn, watched
        self._first = 0
        self._began: dict[str, float] = {}
        self._parts: list[PartTime] = []
        self._step_at = 0.0
        self._cancelled = False
        self._forgotten = 0
        self.heard = Attended()

    def to_the_end(self) -> Attended:
        while not self.heard.end and self._forgotten < _FORGOTTEN:
            try:
                for event in self._events():
                    self._handle(event)
            except KeyboardInterrupt:
                self._cancel()
        return self.heard

    def _events(self) -> Sequence[Event]:
        """What is new."""
        return self._reached(lambda: self._doors.runner.follow(self._run, self._first))

    def _reached(self, ask: Callable[[], _Answer]) -> _Answer:
        """What the host answers; a connection that is gone is opened again."""
        clock, since = self._doors.clock, self._doors.clock.monotonic()
        while True:
            try:
                return ask()
            except (HostUnreachable, CommandFailed) as error:
                if clock.monotonic() - since > _PATIENCE_S:
                    raise HostUnreachable(
                        f"the connection to {self._doors.host.name} is gone: {error.message}. The "
                        "host ends the deploy, or goes back, by itself",
                        hint="./inv deploy, once it can be reached: it shows how that ended",
                        stage="follow",
                    ) from error
                self._doors.report.say(f"  {error.message}; trying again")
                self.heard.resumed += 1
                self._doors.host.close()
                clock.sleep(_AGAIN_S)

    def _handle(self, event: Event) -> None:
        report, kind = self._doors.report, event["event"]
        if kind == "lost":
            self.heard.end = self._settled()
            return
        if kind == "silent":
            ended = ", and was ended" if event.get("ended") else ""
            report.warn(f"the host's process has noted nothing for {event['seconds']} s{ended}")
            return
        self._first = event["number"] + 1
        if kind == "step":
            report.step(event["name"], event["about"])
            self._began[event["name"]] = self._step_at = event["at"]
            self._parts = []
        elif kind == "done":
            seconds = event["at"] - self._began[event["step"]]
            self.heard.times.append(StepTime(event["step"], seconds, tuple(self._parts)))
        elif kind == "part":
            seconds = event["at"] - self._step_at
            self._parts.append(PartTime(event["service"], event["part"], seconds))
        elif kind == "requests":
            self.heard.requests = event["count"]
            report.say(f"  {event['count']} requests are under way")
        elif kind == "say":
            report.say(event["text"])
        elif kind == "warn":
            report.warn(event["text"])
        elif kind == "removed":
            report.say(
                f"  {event['images']} image tags, {event['paths']} files and folders: "
                f"{human_bytes(event['bytes'])} freed"
            )
        elif kind == "back":
            report.warn(f"{event['stage']} failed: {event['message']}; going back")
            report.step("revert", "putting back what ran before")
        elif kind == "turn":
            self._take_turn(event["step"], event["index"])
        elif kind == "end":
            self.heard.end = event

    def _take_turn(self, step: str, index: int) -> None:
        """Do what takes this machine, and tell the host how that went."""
        answer: dict[str, object] = {"failed": False, "absent": self._turn is None}
        if self._turn is not None:
            with _Presence(self._doors.runner, self._run):
                try:
                    self._turn(step, index)
                except (SlipwayError, OSError) as error:
                    answer = _failure(error)
        self._reached(lambda: self._doors.runner.tell(self._run, f"{step}-{index}", answer))

    def _settled(self) -> Mapping[str, Any]:
        """End a run whose process was ended; nothing when the host does so just now."""
        self._doors.report.warn("the host's own process was ended; ending what it had begun")
        settled = self._reached(self._doors.runner.settle)
        if not settled:
            self._forgotten += 1
        return settled.get("settled") or {}

    def _cancel(self) -> None:
        """Ask the host to go back. The second time it is left to itself."""
        report = self._doors.report
        if self._watched:
            raise Interrupted(
                f"interrupted; {self._watched}, goes on on {self._doors.host.name}",
                hint="./inv status tells of it",
            )
        if self._cancelled:
            raise self._left()
        self._cancelled = True
        report.warn("interrupted: going back (Ctrl-C again leaves that to the host)")
        try:
            self._reached(lambda: self._doors.runner.tell(self._run, "cancel", {}))
        except KeyboardInterrupt:
            raise self._left() from None

    def _left(self) -> Interrupted:
        return Interrupted(
            f"interrupted; {self._doors.host.name} goes back by itself",
            hint="./inv deploy shows how that ended",
        )


class _Presence:
    """Says now and then that somebody is still there, while this machine is at work.

    Args:
        runner: whom to tell.
        run: which run.
    """

    def __init__(self, runner: Runner, run: str) -> None:
        self._runner, self._run = runner, run
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._say, name="slipway-presence", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _say(self) -> None:
        while not self._over.wait(_SIGN_S):
            # A connection that is gone is found by whoever asks next.
            with contextlib.suppress(SlipwayError, OSError):
                self._runner.tell(self._run, "here", {})


def attend(doors: Doors, run: str, turn: Turn | None = None, *, watched: str = "") -> Attended:
    """Be there until a run has ended.

    Args:
        doors: what to act through.
        run: its id.
        turn: does what takes this machine; None leaves that undone.
        watched: what the run is, for people, if another command began it.

    Raises:
        HostUnreachable: the connection is gone and does not come back; the run goes on.
        Interrupted: somebody does not want to wait; the run goes back, or on if it is watched.
    """
    return _Attendance(doors, run, turn, watched).to_the_end()


def _failure(error: SlipwayError | OSError) -> dict[str, object]:
    if isinstance(error, SlipwayError):
        details = list(error.details)
        return {"failed": True, "message": error.message, "details": details, "hint": error.hint}
    return {"failed": True, "message": f"this machine: {error}", "details": [], "hint": None}
