"""What became of jobs: none may be lost, none be done twice. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

#: A job of the API, as ``GET /api/v1/jobs`` lists it.
Job = Mapping[str, Any]
_ENDED = ("DONE", "FAILED")


@dataclass(frozen=True, slots=True)
class Made:
    """How many expressions and clips a lesson has."""

    expressions: int
    clips: int


@dataclass(frozen=True, slots=True)
class Lessons:
    """What became of the jobs of a run.

    Attributes:
        accepted: how many the API took.
        done: how many of them are DONE with all that belongs to them.
        lost: ids of those that are gone, never ended, FAILED, or lack a part.
        why: of each lost one what became of it, in a few words.
        twice: ids of those that ended again after their end, have a part twice, or that one
            request made in addition to another job.
    """

    accepted: int = 0
    done: int = 0
    lost: tuple[str, ...] = ()
    twice: tuple[str, ...] = ()
    why: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        return asdict(self)


@dataclass(slots=True)
class Book:
    """Keeps what is seen of the jobs of a run.

    Attributes:
        unsure: how many requests for a job failed: each may have made one all the same.
    """

    unsure: int = 0
    _accepted: dict[str, None] = field(default_factory=dict)
    _ended: dict[str, object] = field(default_factory=dict)
    _again: set[str] = field(default_factory=set)
    _made: dict[str, Made] = field(default_factory=dict)

    def accept(self, job_id: str) -> None:
        """Note a job that the API took."""
        if job_id in self._accepted:
            raise ValueError(f"job {job_id} is accepted already")
        self._accepted[job_id] = None

    def see(self, jobs: Iterable[Job]) -> None:
        """Note jobs as the API lists them; of those that ended, when they ended.

        Listings may come in another order than they were made in, so one that has an ended job
        still RUNNING proves nothing; two different ends do.
        """
        for job in jobs:
            if job["status"] not in _ENDED:
                continue
            if self._ended.setdefault(job["id"], job["ended_at"]) != job["ended_at"]:
                self._again.add(job["id"])

    def made(self, job_id: str, made: Made) -> None:
        """Note what a job that is DONE brought."""
        self._made[job_id] = made

    @property
    def open(self) -> list[str]:
        """Return the accepted jobs that have not ended, as far as is known."""
        return [one for one in self._accepted if one not in self._ended]

    def close(self, there: Iterable[Job], wanted: Made) -> Lessons:
        """Return what became of all.

        Args:
            there: the run's jobs that the API has at the end.
            wanted: what each lesson has when it was made once.

        """
        jobs = {str(job["id"]): job for job in there}
        self.see(jobs.values())
        whole = {
            one
            for one, made in self._made.items()
            if one in jobs
            and jobs[one]["status"] == "DONE"
            and made.expressions >= wanted.expressions
            and made.clips >= wanted.clips
        }
        doubled = {
            one
            for one, made in self._made.items()
            if made.expressions > wanted.expressions or made.clips > wanted.clips
        }
        strangers = sorted(set(jobs) - set(self._accepted))
        done = [one for one in self._accepted if one in whole]
        lost = tuple(one for one in self._accepted if one not in whole)
        return Lessons(
            accepted=len(self._accepted),
            done=len(done),
            lost=lost,
            twice=(*sorted(doubled | self._again), *strangers[self.unsure :]),
            why={one: self._fate(jobs.get(one), self._made.get(one)) for one in lost},
        )

    @staticmethod
    def _fate(job: Job | None, made: Made | None) -> str:
        if job is None:
            return "gone"
        if job["status"] == "DONE" and made is not None:
            return f"DONE with {made.expressions} expressions and {made.clips} clips"
        return ": ".join(str(job[name]) for name in ("status", "error") if job.get(name))
