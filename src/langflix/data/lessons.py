"""The rows of lessons: expressions and clips; each function runs inside the caller's session."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from langflix.data.models import Clip, Expression, Job
from langflix.domain.lesson import Section

_NAMESPACE = uuid5(NAMESPACE_URL, "urn:langflix")


def store(db: Session, job_id: str, sections: Sequence[tuple[Section, int]]) -> None:
    """Store a job's lesson: each section with the size of its clip's file in bytes.

    Ids are computed from job and position, and what was there is replaced, so a job that runs
    twice leaves the same rows as one that runs once.
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


def search(
    db: Session, text: str, level: str | None, limit: int, offset: int
) -> tuple[list[tuple[Expression, str, str | None]], int]:
    """Return expressions in which ``text`` occurs, each with its job's title and its clip's id.

    Returns:
        the rows from the ``offset``-th on, newest lesson first, and how many there are in all.

    """
    holds = {"other": text, "autoescape": True}
    said = or_(
        Expression.phrase.icontains(**holds),
        Expression.dialogue.icontains(**holds),
        Expression.translation.icontains(**holds),
        Expression.meaning.icontains(**holds),
    )
    conditions = (said, *(() if level is None else (Expression.level == level,)))
    rows = (
        select(Expression, Job.title, Clip.id)
        .join(Job, Job.id == Expression.job_id)
        .outerjoin(Clip, Clip.expression_id == Expression.id)
        .where(*conditions)
        .order_by(Job.created_at.desc(), Job.id, Expression.position)
    )
    total = db.scalar(select(func.count()).select_from(Expression).where(*conditions)) or 0
    found = db.execute(rows.limit(limit).offset(offset)).all()
    return [(expression, title, clip_id) for expression, title, clip_id in found], total


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
        translation=found.translation,
        meaning=found.meaning,
        similar=list(found.similar),
        difficulty=found.difficulty,
    )
