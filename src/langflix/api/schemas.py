"""The shapes of answers; times are ISO 8601 with zone, media times milliseconds."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from langflix.data import models

StatusName = Literal["PENDING", "RUNNING", "DONE", "FAILED"]

SourceName = Literal["upload", "media"]
Level = Literal["A1", "A2", "B1", "B2", "C1", "C2"]
VideoKind = Literal["lesson", "short"]
KindName = Literal["folder", "video", "subtitle"]
ScopeName = Literal["read", "upload", "admin"]

#: The largest number that PostgreSQL takes as an offset without complaint, and more than enough.
MAX_OFFSET = 2**31 - 1
Limit = Annotated[int, Query(ge=1, le=200)]
Offset = Annotated[int, Query(ge=0, le=MAX_OFFSET)]
#: A text to search for; the database knows no zero byte.
SearchText = Annotated[str, Query(max_length=200, pattern=r"^[^\x00]*$")]


def _printable(value: object) -> object:
    """Take out of a text what neither a person nor the database could do anything with."""
    if not isinstance(value, str):
        return value
    return "".join(char for char in value if char.isprintable()).strip()


class Wishes(BaseModel):
    """What the owner of a job wants of its lesson."""

    model_config = ConfigDict(extra="forbid")

    title: Annotated[str, BeforeValidator(_printable), Field(max_length=200)] = ""
    level: Level = "B1"
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")] = "ko"


class FromMedia(Wishes):
    """A job whose files lie on the media share; paths are relative to it."""

    video: Annotated[str, Field(min_length=1, max_length=1024)]
    subtitle: Annotated[str, Field(min_length=1, max_length=1024)]


class Film(BaseModel):
    """What a film is: size in pixels, rates per second (of bits, thousands)."""

    duration_ms: int
    width: int
    height: int
    video_codec: str
    audio_codec: str | None = None
    container: str = ""
    bit_rate_kbps: int | None = None
    frame_rate: float | None = None
    sample_rate: int | None = None
    channels: str | None = None
    languages: list[str] = []


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
    title: str
    level: str
    language: str
    source: SourceName
    note: str | None
    cancel_requested: bool
    #: None until a worker has looked at it.
    film: Film | None
    #: Whether the films are still there, so that the job can be tried again.
    retryable: bool

    @classmethod
    def of(cls, row: models.Job) -> Job:
        """Return the row as an answer."""
        names = [name for name in cls.model_fields if name != "retryable"]
        there = row.upload_removed_at is None
        retryable = row.status == models.Status.FAILED and there
        return cls(**{name: getattr(row, name) for name in names}, retryable=retryable)


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
    translation: str | None
    #: Of the phrase, in English.
    meaning: str | None
    similar: list[str]
    difficulty: float | None

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
            url=clip_url(row.id),
        )


def clip_url(clip_id: str) -> str:
    """Return where a clip's file is, relative to the site."""
    return f"/api/v1/clips/{clip_id}/file"


class Expressions(BaseModel):
    """A job's expressions, in the film's order."""

    expressions: list[Expression]


class Clips(BaseModel):
    """A job's clips, in the film's order."""

    clips: list[Clip]


class Found(Expression):
    """An expression that a search found, with where it is said."""

    job_id: str
    title: str
    clip_url: str | None


class FoundPage(BaseModel):
    """Some of the expressions that a search found, newest lesson first."""

    expressions: list[Found]
    total: int
    limit: int
    offset: int


class MediaEntry(BaseModel):
    """A folder, film or subtitle on the media share."""

    name: str
    path: str
    kind: KindName
    bytes: int


class MediaFolder(BaseModel):
    """What lies in a folder of the media share, folders first."""

    path: str
    entries: list[MediaEntry]
    truncated: bool


class MediaJob(BaseModel):
    """The newest job made of a film."""

    id: str
    status: StatusName


class MediaFilm(BaseModel):
    """A film of the media share; neither ``film`` nor ``problem`` before it was looked at."""

    path: str
    subtitle: str | None
    bytes: int
    modified_at: datetime
    first_seen_at: datetime
    last_seen_at: datetime
    film: Film | None
    #: Why it cannot be read.
    problem: str | None
    job: MediaJob | None

    @classmethod
    def of(cls, row: models.MediaFilm, job: models.Job | None) -> MediaFilm:
        """Return the row as an answer."""
        values = {name: getattr(row, name) for name in cls.model_fields if name != "job"}
        made = None if job is None else MediaJob.model_validate(job, from_attributes=True)
        return cls(**values, job=made)


class MediaFilmPage(BaseModel):
    """Some films of the media share, newest first, and how many there are in all."""

    films: list[MediaFilm]
    total: int
    limit: int
    offset: int


class Video(BaseModel):
    """A whole lesson in one video; ``url`` is relative to the site."""

    kind: VideoKind
    bytes: int
    url: str


class Videos(BaseModel):
    """A lesson's videos; none before the job is DONE."""

    videos: list[Video]
