"""The runner in memory: the real one's steps, on a host in memory."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from slipway.act.runner import Event
from slipway.errors import HostUnreachable
from slipway.runner.doors import Doors
from slipway.runner.failure import Failed
from slipway.runner.login import apart
from slipway.runner.run import Run
from slipway.runner.work import journal_lines
from slipway.testing.datasets import FakeDatasets
from slipway.testing.doors import FakeClock
from slipway.testing.engine import FakeEngine
from slipway.testing.folder import FakeFolder

_WAIT_S = 30.0


@dataclass
class FakeRunner:
    """A :class:`slipway.act.runner.Runner` that carries steps out on a thread.

    Attributes:
        engine: the host's Docker.
        folder: its folder.
        clock: moves while something is waited for.
        busy: who holds the lease, if somebody does.
        requests: every request.
        cuts: how often to lose the connection before the next answer.
        alone: whether nobody does what takes another machine.
        settled: what ending a lost run gives.
        told: the words that were left.
        datasets: the host's snapshots.
    """

    engine: FakeEngine
    folder: FakeFolder
    clock: FakeClock
    busy: Mapping[str, Any] | None = None
    requests: list[Mapping[str, Any]] = field(default_factory=list)
    cuts: int = 0
    alone: bool = False
    settled: Mapping[str, Any] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    datasets: FakeDatasets = field(default_factory=FakeDatasets)
    _events: list[Event] = field(default_factory=list)
    _news: queue.Queue[Event] = field(default_factory=queue.Queue)
    _words: queue.Queue[Mapping[str, Any]] = field(default_factory=queue.Queue)
    _cancelled: bool = False

    def start(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Carry a request out, after it went over a wire."""
        self.requests.append(request)
        if self.busy is not None:
            return {"busy": self.busy}
        self._events, self._cancelled = [], False
        sent = json.loads(json.dumps(request))
        threading.Thread(target=self._work, args=(sent,), daemon=True).start()
        return {"started": request["run"]}

    def follow(self, run: str, first: int) -> Sequence[Event]:
        """The events from a number on; waits for one."""
        if self.cuts:
            self.cuts -= 1
            raise HostUnreachable("the connection broke")
        while len(self._events) <= first:
            self._events.append(self._news.get(timeout=_WAIT_S))
        return self._events[first:]

    def tell(self, run: str, word: str, value: Mapping[str, Any]) -> None:
        """Leave a word."""
        self.told.append(word)
        if word == "cancel":
            self._cancelled = True
        elif word != "here":
            self._words.put(value)

    def settle(self) -> Mapping[str, Any]:
        """What was set."""
        return self.settled

    def _work(self, request: Mapping[str, Any]) -> None:
        listener = _Listener(self)
        folder, clock = _Folder(self.folder), _Clock(self.clock)
        doors = Doors(self.engine, folder, clock, listener, self.engine.nas, self.datasets)
        request, login = apart(request)
        run = Run(request, doors, login=login)
        intent, outcome = journal_lines(request)
        _Folder(self.folder).append("journal.jsonl", intent())
        end = run.carry_out()
        _Folder(self.folder).append("journal.jsonl", outcome(end, 0.0))
        listener.tell("end", **end)


@dataclass
class _Folder:
    folder: FakeFolder

    @property
    def path(self) -> str:
        return self.folder.path

    def current(self) -> str | None:
        return self.folder.live

    def link(self, path: str, target: str) -> None:
        self.folder.link(path, target)

    def write(self, path: str, text: str) -> None:
        self.folder.put(path, text)

    def exists(self, path: str) -> bool:
        return path in self.folder.files

    def append(self, path: str, line: str) -> None:
        self.folder.append(path, line)

    def mark(self, path: str) -> None:
        self.folder.files[path] = b""

    def hand(self, folder: str, files: Mapping[str, str]) -> None:
        self.folder.hand(folder, files)

    def remove(self, paths: Sequence[str]) -> None:
        self.folder.remove(paths)


@dataclass
class _Clock:
    clock: FakeClock

    def now(self) -> float:
        return self.clock.now().timestamp()

    def monotonic(self) -> float:
        return self.clock.monotonic()

    def sleep(self, seconds: float) -> None:
        self.clock.sleep(seconds)


@dataclass
class _Listener:
    runner: FakeRunner
    count: int = 0

    def tell(self, event: str, **fields: object) -> None:
        at = self.runner.clock.monotonic()
        self.runner._news.put({"number": self.count, "at": at, "event": event, **fields})
        self.count += 1

    def heed(self) -> None:
        if self.runner._cancelled:
            raise Failed("interrupted", kind="interrupted")

    def ignore(self) -> None:
        self.runner._cancelled = False

    def turn(
        self, step: str, index: int, seconds: float, look: Callable[[], None] | None = None
    ) -> bool:
        self.tell("turn", step=step, index=index)
        if self.runner.alone:
            return False
        answer = self.runner._words.get(timeout=_WAIT_S)
        if answer["failed"]:
            raise Failed(answer["message"], details=answer["details"], hint=answer["hint"] or "")
        return not answer.get("absent", False)
