"""Questions about jobs and changes to them; each function runs inside the caller's session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.orm import Session

from langflix.data import lessons
from langflix.data.models import Job, Source, Status
from langflix.domain.lesson import Section

#: What a cancelled job says.
CANCELLED = "the job was cancelled"


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the jobs, newest first, and how many there are in all."""

    jobs: Sequence[Job]
    total: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What the owner of a job wants, beside its two files."""

    title: str = ""
    level: str = "B1"
    language: str = "ko"
    media_video: str | None = None
    media_subtitle: str | None = None
    key: str | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which jobs to list; empty members let everything through."""

    status: Status | None = None
    text: str = ""

    def conditions(self) -> tuple[ColumnElement[bool], ...]:
        """Return it as conditions of a query."""
        found: list[ColumnElement[bool]] = []
        if self.status is not None:
            found.append(Job.status == self.status)
        if self.text:
            holds = {"other": self.text, "autoescape": True}
            found.append(or_(Job.title.icontains(**holds), Job.video_name.icontains(**holds)))
        return tuple(found)


def add(
    db: Session,
    job_id: str,
    video_name: str,
    subtitle_name: str,
    upload_bytes: int,
    asked: Asked = Asked(),
) -> Job:
    """Insert a PENDING job and return it with the database's own values."""
    job = Job(
        id=job_id,
        status=Status.PENDING,
        progress=0,
        video_name=video_name,
        subtitle_name=subtitle_name,
        upload_bytes=upload_bytes,
        title=asked.title or PurePosixPath(video_name).stem or video_name,
        level=asked.level,
        language=asked.language,
        source=Source.UPLOAD if asked.media_video is None else Source.MEDIA,
        media_video=asked.media_video,
        media_subtitle=asked.media_subtitle,
        idempotency_key=asked.key,
        request_digest=asked.digest,
    )
    db.add(job)
    db.flush()
    db.refresh(job)
    return job


def get(db: Session, job_id: str) -> Job | None:
    """Return the job, or None."""
    return db.get(Job, job_id)


def some(db: Session, job_ids: Sequence[str]) -> Sequence[Job]:
    """Return those of the jobs that exist."""
    return db.scalars(select(Job).where(Job.id.in_(job_ids))).all()


def by_key(db: Session, key: str) -> Job | None:
    """Return the job that was made under an idempotency key, or None."""
    return db.scalar(select(Job).where(Job.idempotency_key == key))


def page(db: Session, limit: int, offset: int, only: Filter = Filter()) -> Page:
    """Return ``limit`` jobs from the ``offset``-th newest on, of those ``only`` lets through."""
    conditions = only.conditions()
    newest = select(Job).where(*conditions).order_by(Job.created_at.desc(), Job.id)
    total = db.scalar(select(func.count()).select_from(Job).where(*conditions)) or 0
    return Page(db.scalars(newest.limit(limit).offset(offset)).all(), total)


def remove(db: Session, job_id: str) -> bool:
    """Delete the job with its expressions and clips; say whether it was there."""
    return db.scalar(delete(Job).where(Job.id == job_id).returning(Job.id)) is not None


def cancel(db: Session, job_id: str) -> Job | None:
    """End a PENDING job, ask a RUNNING one to end, leave others; return it, or None."""
    job = db.get(Job, job_id, with_for_update=True)
    if job is None:
        return None
    if not Status(job.status).ended:
        job.cancel_requested = True
    if job.status == Status.PENDING:
        job.status, job.error, job.ended_at = Status.FAILED, CANCELLED, func.now()
    db.flush()
    db.refresh(job)
    return job


def retry(db: Session, job_id: str) -> tuple[Job | None, bool]:
    """Make a FAILED job PENDING again, when its files are still there.

    Returns:
        the job, or None when there is none, and whether it was changed.

    """
    job = db.get(Job, job_id, with_for_update=True)
    if job is None or job.status != Status.FAILED or job.upload_removed_at is not None:
        return job, False
    job.status, job.progress, job.error = Status.PENDING, 0, None
    job.cancel_requested, job.started_at, job.ended_at = False, None, None
    db.flush()
    db.refresh(job)
    return job, True


def start(db: Session, job_id: str) -> Job | None:
    """Mark the job RUNNING and return it; None when it is gone, or has ended, or must end."""
    job = db.get(Job, job_id, with_for_update=True)
    if job is None or Status(job.status).ended:
        return None
    if job.cancel_requested:
        fail(db, job_id, CANCELLED)
        return None
    job.status, job.progress, job.started_at = Status.RUNNING, 0, func.now()
    db.flush()
    db.refresh(job)
    return job


def set_progress(db: Session, job_id: str, per_cent: int) -> bool:
    """Record how far a RUNNING job is (0 to 100); say whether it is still wanted."""
    running = (Job.id == job_id, Job.status == Status.RUNNING)
    change = update(Job).where(*running).values(progress=per_cent)
    return db.scalar(change.returning(Job.cancel_requested)) is False


def set_film(db: Session, job_id: str, film: dict[str, Any]) -> None:
    """Record what the film of a RUNNING job is, as :meth:`langflix.media.film.Film.to_json`."""
    running = (Job.id == job_id, Job.status == Status.RUNNING)
    db.execute(update(Job).where(*running).values(film=film))


def wanted(db: Session, job_id: str) -> bool:
    """Say whether the job is RUNNING and nobody has cancelled or deleted it."""
    running = (Job.id == job_id, Job.status == Status.RUNNING)
    return db.scalar(select(Job.cancel_requested).where(*running)) is False


def fail(db: Session, job_id: str, reason: str) -> None:
    """End the job as FAILED with a sentence for its owner; a job that has ended stays as it is."""
    still_open = (Job.id == job_id, Job.status.in_([Status.PENDING, Status.RUNNING]))
    values = {"status": Status.FAILED, "error": reason, "ended_at": func.now()}
    db.execute(update(Job).where(*still_open).values(values))


def finish(
    db: Session, job_id: str, sections: Sequence[tuple[Section, int]], note: str | None = None
) -> bool:
    """Store the lesson, end the job as DONE and say True; False when it is wanted no more.

    Args:
        db: the session.
        job_id: the job.
        sections: each section with the size of its clip's file in bytes.
        note: what the owner should know of how it was made.

    """
    running = (Job.id == job_id, Job.status == Status.RUNNING, Job.cancel_requested.is_(False))
    if db.scalar(select(Job.id).where(*running).with_for_update()) is None:
        return False
    lessons.store(db, job_id, sections)
    done = {"status": Status.DONE, "progress": 100, "error": None, "ended_at": func.now()}
    db.execute(update(Job).where(Job.id == job_id).values(**done, note=note))
    return True


def back_to_pending(db: Session, job_id: str) -> bool:
    """Make a RUNNING job PENDING again; say whether it was RUNNING."""
    running = (Job.id == job_id, Job.status == Status.RUNNING)
    values = {"status": Status.PENDING, "progress": 0, "started_at": None}
    changed = db.execute(update(Job).where(*running).values(values).returning(Job.id))
    return changed.first() is not None


def count_by_status(db: Session) -> dict[Status, int]:
    """Return how many jobs there are of each status, zeros included."""
    rows = db.execute(select(Job.status, func.count()).group_by(Job.status)).all()
    return dict.fromkeys(Status, 0) | {Status(status): count for status, count in rows}


def expire_uploads(db: Session, before: datetime) -> tuple[list[str], int]:
    """Give up the uploads of jobs created before a time.

    Jobs that have not ended by then fail: their films are about to go.

    Returns:
        ids of all jobs whose uploads are given up (now or earlier), and how many jobs failed.

    """
    waiting = (
        Job.created_at < before,
        Job.upload_removed_at.is_(None),
        Job.status == Status.PENDING,
        Job.source == Source.UPLOAD,
    )
    reason = "no worker took the job before its upload expired"
    failed = db.execute(
        update(Job)
        .where(*waiting)
        .values(status=Status.FAILED, error=reason, ended_at=func.now())
        .returning(Job.id)
    ).all()
    ended = (
        Job.created_at < before,
        Job.upload_removed_at.is_(None),
        Job.status.in_([Status.DONE, Status.FAILED]),
        Job.source == Source.UPLOAD,
    )
    db.execute(update(Job).where(*ended).values(upload_removed_at=func.now()))
    gone = db.scalars(select(Job.id).where(Job.upload_removed_at.is_not(None)))
    return list(gone), len(failed)


def known(db: Session, ids: Sequence[str]) -> set[str]:
    """Return those of ``ids`` that are jobs."""
    return set(db.scalars(select(Job.id).where(Job.id.in_(ids))))
