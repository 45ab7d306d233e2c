"""Jobs: calls that take long, go on without their caller, and can be asked for.

Source: ``job.py`` of the middleware.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .errors import CallError, InstanceNotFound, exc_info_of
from .people import Person

WAITING, RUNNING, SUCCESS, FAILED, ABORTED = "WAITING", "RUNNING", "SUCCESS", "FAILED", "ABORTED"
OVER = (SUCCESS, FAILED, ABORTED)
_KEPT = 1000


def _nothing() -> dict[str, Any]:
    return {"percent": 0, "description": "", "extra": None}


@dataclass(eq=False)
class Job:
    """A call that takes long.

    Attributes:
        method: its method's name.
        arguments: what it was called with, without secrets.
        person: who called; None for the middleware itself.
        details: what its credentials show of the session.
        tell: is told of each change, with ``ADDED`` or ``CHANGED``.
        lock: jobs with the same lock run one after another; empty for none.
        message_ids: the calls that wait for it.
        log: the file of its log, where it has one.
    """

    method: str
    arguments: list[Any]
    person: Person | None
    details: tuple[str, ...]
    tell: Callable[[str, Job], None]
    lock: str = ""
    message_ids: list[Any] = field(default_factory=list)
    log: Path | None = None
    id: int = 0
    state: str = WAITING
    progress: dict[str, Any] = field(default_factory=_nothing)
    result: Any = None
    error: BaseException | None = None
    formatted: str | None = None
    excerpt: str | None = None
    time_started: datetime = field(default_factory=lambda: datetime.now(UTC))
    time_finished: datetime | None = None
    over: threading.Event = field(default_factory=threading.Event)

    def set_progress(self, percent: int, description: str = "") -> None:
        """How far it is; a change is told."""
        before = dict(self.progress)
        self.progress["percent"] = int(percent)
        if description:
            self.progress["description"] = description
        if self.progress != before and self.state not in OVER:
            self.tell("CHANGED", self)

    def write(self, text: str) -> None:
        """Add to its log."""
        if self.log is not None:
            self.log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self.log.open("a", encoding="utf-8") as stream:
                stream.write(text)

    def encode(self) -> dict[str, Any]:
        """As clients see it."""
        return {
            "id": self.id,
            "message_ids": list(self.message_ids),
            "method": self.method,
            "arguments": self.arguments,
            "transient": False,
            "description": None,
            "abortable": False,
            "logs_path": str(self.log) if self.log is not None else None,
            "logs_excerpt": self.excerpt,
            "progress": dict(self.progress),
            "result": self.result if self.state == SUCCESS else None,
            "result_encoding_error": None,
            "error": str(self.error) if self.error is not None else None,
            "exception": self.formatted,
            "exc_info": exc_info_of(self.error) if self.error is not None else None,
            "state": self.state,
            "time_started": self.time_started,
            "time_finished": self.time_finished,
            "credentials": self.person.credentials(self.details) if self.person else None,
        }

    def wait(self) -> Any:
        """Its result, when it is over.

        Raises:
            BaseException: the one it failed with.
        """
        self.over.wait()
        if self.error is not None:
            raise self.error
        return self.result


class Jobs:
    """All jobs since the middleware started, and the lines before locks."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._jobs: dict[int, Job] = {}
        self._lines: dict[str, deque[int]] = {}
        self._turn = threading.Condition()

    def add(self, job: Job, work: Callable[[Job], Any], *, after_s: float = 0) -> Job:
        """Start it, as soon as those before it in its line are over.

        Args:
            job: the job.
            work: does it, and gives its result.
            after_s: seconds to let go by first.
        """
        with self._turn:
            job.id = next(self._numbers)
            if job.log is not None:
                job.log = job.log / f"{job.id}.log"
            self._jobs[job.id] = job
            self._forget()
            if job.lock:
                self._lines.setdefault(job.lock, deque()).append(job.id)
        job.tell("ADDED", job)
        threading.Thread(target=self._run, args=(job, work, after_s), daemon=True).start()
        return job

    def seen_by(self, person: Person | None) -> list[Job]:
        """All of them for who administers; one's own for others."""
        with self._turn:
            jobs = list(self._jobs.values())
        return [job for job in jobs if may_see(person, job)]

    def get(self, number: int, person: Person) -> Job:
        """One that the person may see.

        Raises:
            InstanceNotFound: there is none of this number.
            CallError: it isn't theirs.
        """
        with self._turn:
            job = self._jobs.get(number)
        if job is None:
            raise InstanceNotFound(f"Job with id {number} does not exist")
        if not may_see(person, job):
            raise CallError("Job is not owned by current session", 1)
        return job

    def abort(self, job: Job) -> None:
        """End it. What it does at the moment goes on; nobody waits for it any more."""
        with self._turn:
            if job.state in OVER:
                return
            self._end(job, ABORTED)
        self._tell_end(job)

    def _run(self, job: Job, work: Callable[[Job], Any], after_s: float) -> None:
        with self._turn:
            self._turn.wait_for(lambda: not job.lock or self._lines[job.lock][0] == job.id)
            if job.state in OVER:
                self._leave(job)
                return
            job.state = RUNNING
        job.tell("CHANGED", job)
        state = FAILED
        try:
            time.sleep(after_s)
            result = work(job)
            state = SUCCESS
        except Exception as error:
            result = error
        with self._turn:
            self._leave(job)
            if job.state in OVER:
                return
            self._finish(job, state, result)
        self._tell_end(job)

    def _finish(self, job: Job, state: str, result: Any) -> None:
        if state == SUCCESS:
            job.result = result
            job.progress |= {"percent": 100}
        else:
            job.error = result
            job.formatted = "".join(traceback.format_exception(result))
        if job.log is not None:
            job.excerpt = excerpt(job.log)
        self._end(job, state)

    def _end(self, job: Job, state: str) -> None:
        job.state = state
        job.time_finished = datetime.now(UTC)

    def _tell_end(self, job: Job) -> None:
        job.tell("CHANGED", job)
        job.over.set()

    def _leave(self, job: Job) -> None:
        if job.lock:
            line = self._lines[job.lock]
            line.remove(job.id)
            if not line:
                del self._lines[job.lock]
            self._turn.notify_all()

    def _forget(self) -> None:
        if len(self._jobs) > _KEPT:
            old = next((job for job in self._jobs.values() if job.state in OVER), None)
            if old is not None:
                del self._jobs[old.id]


def may_see(person: Person | None, job: Job) -> bool:
    """Whether a person is shown a job."""
    if person is None or person.full_admin:
        return True
    return job.person is not None and job.person.username == person.username


def excerpt(log: Path) -> str:
    """The first and the last ten lines of a job's log."""
    lines: list[str] = []
    with contextlib.suppress(FileNotFoundError):
        lines = log.read_text("utf-8", "ignore").splitlines(keepends=True)
    if len(lines) <= 20:
        return "".join(lines)
    more = f"... {len(lines) - 20} more lines ...\n"
    return "".join(lines[:10]) + more + "".join(lines[-10:])
