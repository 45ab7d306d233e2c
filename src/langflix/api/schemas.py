"""The shapes of answers; times are ISO 8601 with zone, media times milliseconds."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from langflix.data import models

StatusName = Literal["PENDING", "RUNNING", "DONE", "FAILED"]


class Job(BaseModel):
    """A job and what has become of it."""

    id: str
    status: StatusName
    progress: int
    error: str | None
    video_name: str
    subtitle_name: str
    upload_bytes: int
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None

    @classmethod
    def of(cls, row: models.Job) -> Job:
        """Return the row as an answer."""
        return cls.model_validate(row, from_attributes=True)


class JobPage(BaseModel):
    """Some jobs, newest first, and how many there are in all."""

    jobs: list[Job]
    total: int
    limit: int
    offset: int


class Expression(BaseModel):
    """An expression of a lesson."""

    id: str
    position: int
    phrase: str
    kind: str
    level: str
    said: str
    dialogue: str
    start_ms: int
    end_ms: int
    score: float
    score_parts: dict[str, float]

    @classmethod
    def of(cls, row: models.Expression) -> Expression:
        """Return the row as an answer."""
        return cls.model_validate(row, from_attributes=True)


class Clip(BaseModel):
    """A clip of a lesson; ``url`` is relative to the site."""

    id: str
    expression_id: str
    position: int
    phrase: str
    start_ms: int
    end_ms: int
    bytes: int
    url: str

    @classmethod
    def of(cls, row: models.Clip) -> Clip:
        """Return the row as an answer."""
        return cls(
            id=row.id,
            expression_id=row.expression_id,
            position=row.expression.position,
            phrase=row.expression.phrase,
            start_ms=row.start_ms,
            end_ms=row.end_ms,
            bytes=row.bytes,
            url=f"/api/v1/clips/{row.id}/file",
        )


class Expressions(BaseModel):
    """A job's expressions, in the film's order."""

    expressions: list[Expression]


class Clips(BaseModel):
    """A job's clips, in the film's order."""

    clips: list[Clip]
