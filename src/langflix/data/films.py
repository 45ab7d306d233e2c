"""The films of the media share: questions and changes; each runs inside the caller's session."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, case, delete, exists, func, null, select, update
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.orm import Session

from langflix.data.models import Job, MediaFilm, Status
from langflix.domain.scan import Known, Plan, Seen

#: The problem of a film that the worker may not open; whether it may is asked at every scan.
FORBIDDEN = "the worker may not read the file"
#: So many rows go into one statement.
BATCH = 500
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which films to list; empty members let everything through."""

    text: str = ""
    subtitled: bool | None = None
    #: Whether it can be read and no lesson is made of it yet, or in the making.
    fresh: bool | None = None

    def conditions(self) -> tuple[ColumnElement[bool], ...]:
        """Return it as conditions of a query."""
        found: list[ColumnElement[bool]] = []
        if self.text:
            found.append(MediaFilm.path.icontains(self.text, autoescape=True))
        if self.subtitled is not None:
            there = MediaFilm.subtitle.is_not(None)
            found.append(there if self.subtitled else ~there)
        if self.fresh is not None:
            made = exists().where(Job.media_video == MediaFilm.path, Job.status != Status.FAILED)
            fresh = MediaFilm.film.is_not(None) & ~made
            found.append(fresh if self.fresh else ~fresh)
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Page:
    """Some films, newest first, each with the newest job made of it; and how many in all."""

    films: Sequence[tuple[MediaFilm, Job | None]]
    total: int


@dataclass(frozen=True, slots=True)
class Count:
    """How many films there are, by whether they can be read; ``waiting`` have not been tried."""

    readable: int
    unreadable: int
    waiting: int


def known(db: Session) -> dict[str, Known]:
    """Return all films by their paths."""
    fields = (MediaFilm.path, MediaFilm.subtitle, MediaFilm.bytes, MediaFilm.modified_at)
    told = (MediaFilm.film.is_not(None), MediaFilm.problem)
    rows = db.execute(select(*fields, *told).execution_options(yield_per=1000))
    return {
        path: Known(
            Seen(path, subtitle, size, modified),
            looked=read or problem not in (None, FORBIDDEN),
        )
        for path, subtitle, size, modified, read, problem in rows
    }


def apply(db: Session, plan: Plan, now: datetime) -> None:
    """Do what a plan says but for probing; doing it again changes nothing."""
    for films in _batches((*plan.add, *plan.change)):
        _put(db, films, now)
    for paths in _batches(plan.same):
        db.execute(update(MediaFilm).where(MediaFilm.path.in_(paths)).values(last_seen_at=now))
    for paths in _batches(plan.remove):
        db.execute(delete(MediaFilm).where(MediaFilm.path.in_(paths)))


def describe(
    db: Session, film: Seen, told: dict[str, Any] | None, problem: str | None = None
) -> bool:
    """Record what a film is, or why it cannot be read; say whether it is still the same film."""
    same = (
        MediaFilm.path == film.path,
        MediaFilm.bytes == film.bytes,
        MediaFilm.modified_at == film.modified,
    )
    change = update(MediaFilm).where(*same).values(film=told, problem=problem)
    return db.scalar(change.returning(MediaFilm.path)) is not None


def page(db: Session, limit: int, offset: int, only: Filter = Filter()) -> Page:
    """Return ``limit`` films from the ``offset``-th newest on, of those ``only`` lets through."""
    conditions = only.conditions()
    newest = (MediaFilm.first_seen_at.desc(), MediaFilm.modified_at.desc(), MediaFilm.path)
    rows = select(MediaFilm).where(*conditions).order_by(*newest).limit(limit).offset(offset)
    films = db.scalars(rows).all()
    total = db.scalar(select(func.count()).select_from(MediaFilm).where(*conditions)) or 0
    jobs = _newest_jobs(db, [film.path for film in films])
    return Page([(film, jobs.get(film.path)) for film in films], total)


def count(db: Session) -> Count:
    """Return how many films there are."""
    read, failed = func.count(MediaFilm.film), func.count(MediaFilm.problem)
    total, readable, unreadable = db.execute(select(func.count(), read, failed)).one()
    return Count(readable, unreadable, total - readable - unreadable)


def _put(db: Session, films: Sequence[Seen], now: datetime) -> None:
    rows = [
        {
            "path": film.path,
            "subtitle": film.subtitle,
            "bytes": film.bytes,
            "modified_at": film.modified,
            "first_seen_at": now,
            "last_seen_at": now,
        }
        for film in films
    ]
    put = insert(MediaFilm).values(rows)
    same = (MediaFilm.bytes == put.excluded.bytes) & (
        MediaFilm.modified_at == put.excluded.modified_at
    )
    changed = {
        name: put.excluded[name] for name in ("subtitle", "bytes", "modified_at", "last_seen_at")
    }
    # What was learnt of a film holds as long as its file is the same.
    learnt = {
        "film": case((same, MediaFilm.film), else_=null()),
        "problem": case((same, MediaFilm.problem), else_=null()),
    }
    db.execute(put.on_conflict_do_update(index_elements=["path"], set_={**changed, **learnt}))


def _newest_jobs(db: Session, paths: Sequence[str]) -> dict[str, Job]:
    rows = (
        select(Job)
        .where(Job.media_video.in_(paths))
        .ext(distinct_on(Job.media_video))
        .order_by(Job.media_video, Job.created_at.desc(), Job.id)
    )
    return {job.media_video: job for job in db.scalars(rows) if job.media_video is not None}


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while batch := list(islice(rest, BATCH)):
        yield batch
