"""Questions about jobs and changes to them; each function runs inside the caller's session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from langflix.data.models import Clip, Expression, Job, Status
from langflix.domain.lesson import Section

_NAMESPACE = uuid5(NAMESPACE_URL, "urn:langflix")


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the jobs, newest first, and how many there are in all."""

    jobs: Sequence[Job]
    total: int


def add(db: Session, job_id: str, video_name: str, subtitle_name: str, upload_bytes: int) -> Job:
    """Insert a PENDING job and return it with the database's own values."""
    job = Job(
        id=job_id,
        status=Status.PENDING,
        progress=0,
        video_name=video_name,
        subtitle_name=subtitle_name,
        upload_bytes=upload_bytes,
    )
    db.add(job)
    db.flush()
    db.refresh(job)
    return job


def get(db: Session, job_id: str) -> Job | None:
    """Return the job, or None."""
    return db.get(Job, job_id)


def page(db: Session, limit: int, offset: int) -> Page:
    """Return ``limit`` jobs from the ``offset``-th newest on."""
    newest = select(Job).order_by(Job.created_at.desc(), Job.id).limit(limit).offset(offset)
    total = db.scalar(select(func.count()).select_from(Job)) or 0
    return Page(db.scalars(newest).all(), total)


def remove(db: Session, job_id: str) -> None:
    """Delete the job with its expressions and clips."""
    db.execute(delete(Job).where(Job.id == job_id))


def start(db: Session, job_id: str) -> Job | None:
    """Mark the job RUNNING and return it; None when it is gone or has ended already."""
    job = db.get(Job, job_id, with_for_update=True)
    if job is None or Status(job.status).ended:
        return None
    job.status, job.progress, job.started_at = Status.RUNNING, 0, func.now()
    db.flush()
    db.refresh(job)
    return job


def set_progress(db: Session, job_id: str, per_cent: int) -> None:
    """Record how far a RUNNING job is (0 to 100)."""
    running = (Job.id == job_id, Job.status == Status.RUNNING)
    db.execute(update(Job).where(*running).values(progress=per_cent))


def fail(db: Session, job_id: str, reason: str) -> None:
    """End the job as FAILED with a sentence for its owner; a job that has ended stays as it is."""
    still_open = (Job.id == job_id, Job.status.in_([Status.PENDING, Status.RUNNING]))
    values = {"status": Status.FAILED, "error": reason, "ended_at": func.now()}
    db.execute(update(Job).where(*still_open).values(values))


def finish(db: Session, job_id: str, sections: Sequence[tuple[Section, int]]) -> None:
    """Store the lesson and end the job as DONE.

    Ids are computed from job and position, and what was there is replaced, so a job that runs
    twice leaves the same rows as one that runs once.

    Args:
        db: the session.
        job_id: the job.
        sections: each section with the size of its clip's file in bytes.

    """
    db.execute(delete(Expression).where(Expression.job_id == job_id))
    for section, size in sections:
        expression_id = expression_id_of(job_id, section.position)
        db.add(_expression(expression_id, job_id, section))
        db.flush()
        db.add(
            Clip(
                id=clip_id_of(job_id, section.position),
                job_id=job_id,
                expression_id=expression_id,
                start_ms=section.clip_start_ms,
                end_ms=section.clip_end_ms,
                bytes=size,
            )
        )
    done = {"status": Status.DONE, "progress": 100, "error": None, "ended_at": func.now()}
    db.execute(update(Job).where(Job.id == job_id).values(done))


def back_to_pending(db: Session, job_id: str) -> bool:
    """Make a RUNNING job PENDING again; say whether it was RUNNING."""
    running = (Job.id == job_id, Job.status == Status.RUNNING)
    values = {"status": Status.PENDING, "progress": 0, "started_at": None}
    changed = db.execute(update(Job).where(*running).values(values).returning(Job.id))
    return changed.first() is not None


def expressions(db: Session, job_id: str) -> Sequence[Expression]:
    """Return the job's expressions in the film's order."""
    of_job = select(Expression).where(Expression.job_id == job_id)
    return db.scalars(of_job.order_by(Expression.position)).all()


def clips(db: Session, job_id: str) -> Sequence[Clip]:
    """Return the job's clips, each with its expression, in the film's order."""
    of_job = select(Clip).join(Clip.expression).where(Clip.job_id == job_id)
    return db.scalars(of_job.order_by(Expression.position)).all()


def clip(db: Session, clip_id: str) -> Clip | None:
    """Return the clip, or None."""
    return db.get(Clip, clip_id)


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
    )
    db.execute(update(Job).where(*ended).values(upload_removed_at=func.now()))
    gone = db.scalars(select(Job.id).where(Job.upload_removed_at.is_not(None)))
    return list(gone), len(failed)


def known(db: Session, ids: Sequence[str]) -> set[str]:
    """Return those of ``ids`` that are jobs."""
    return set(db.scalars(select(Job.id).where(Job.id.in_(ids))))


def expression_id_of(job_id: str, position: int) -> str:
    """Return the id of a job's expression."""
    return str(uuid5(_NAMESPACE, f"expression:{job_id}:{position}"))


def clip_id_of(job_id: str, position: int) -> str:
    """Return the id of a job's clip."""
    return str(uuid5(_NAMESPACE, f"clip:{job_id}:{position}"))


def _expression(expression_id: str, job_id: str, section: Section) -> Expression:
    found = section.expression
    return Expression(
        id=expression_id,
        job_id=job_id,
        position=section.position,
        phrase=found.phrase,
        kind=found.kind,
        level=found.level,
        said=found.said,
        dialogue=found.dialogue,
        start_ms=found.start_ms,
        end_ms=found.end_ms,
        score=found.score,
        score_parts=dict(found.score_parts),
    )
