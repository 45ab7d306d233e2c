"""The tables.  Ids are UUIDs as text; times are UTC with zone; file names are never paths."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    false,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Status(StrEnum):
    """What a job is doing; it moves down this list and ends in one of the last two."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"

    @property
    def ended(self) -> bool:
        """Say whether nothing more will happen to the job."""
        return self in (Status.DONE, Status.FAILED)


class Source(StrEnum):
    """Where a job's film comes from."""

    UPLOAD = "upload"
    MEDIA = "media"


class Base(DeclarativeBase):
    """Base of all tables; names every constraint so that migrations can speak of them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Job(Base):
    """One film and subtitle to make a lesson of."""

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint("progress BETWEEN 0 AND 100", name="progress"),
        CheckConstraint("status IN ('PENDING', 'RUNNING', 'DONE', 'FAILED')", name="status"),
        Index(None, "created_at", "id"),
        Index(None, "status"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    status: Mapped[str] = mapped_column(String(16), default=Status.PENDING)
    progress: Mapped[int] = mapped_column(Integer, default=0)
    error: Mapped[str | None] = mapped_column(Text)
    video_name: Mapped[str] = mapped_column(Text)
    subtitle_name: Mapped[str] = mapped_column(Text)
    upload_bytes: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    #: When the uploaded files were given up; set before they are removed.
    upload_removed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    title: Mapped[str] = mapped_column(Text)
    #: The learner: level of the Common European Framework, and the language they speak.
    level: Mapped[str] = mapped_column(String(2), default="B1", server_default="B1")
    language: Mapped[str] = mapped_column(String(8), default="ko", server_default="ko")
    source: Mapped[str] = mapped_column(
        String(16), default=Source.UPLOAD, server_default=Source.UPLOAD.value
    )
    #: Paths below the media share, for jobs whose source it is.
    media_video: Mapped[str | None] = mapped_column(Text)
    media_subtitle: Mapped[str | None] = mapped_column(Text)
    #: What the owner of a job that succeeded should know of how it was made.
    note: Mapped[str | None] = mapped_column(Text)
    #: Set while RUNNING, the worker ends the job; a FAILED job with it was cancelled.
    cancel_requested: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    idempotency_key: Mapped[str | None] = mapped_column(String(200), unique=True)
    #: SHA-256 of what was sent under the key.
    request_digest: Mapped[str | None] = mapped_column(String(64))
    #: What the worker found the film to be, as :meth:`langflix.media.film.Film.to_json` tells it.
    film: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))


class ApiToken(Base):
    """A token with a name; it is revoked by taking its row away."""

    __tablename__ = "tokens"
    __table_args__ = (CheckConstraint("scope IN ('read', 'upload', 'admin')", name="scope"),)

    #: How sessions that began with it call it, as they do :func:`langflix.api.who.fingerprint`.
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    #: A :class:`langflix.domain.scope.Scope`.
    scope: Mapped[str] = mapped_column(String(8))
    #: SHA-256 of the token: who reads the table can't show it.
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    last_used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    #: Lets in for ever without one.
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class WebSession(Base):
    """A browser that has shown a token; it is ended by taking its row away."""

    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    #: SHA-256 of what the cookie holds: who reads the table can't be the browser.
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    #: Which token it was, as :func:`langflix.api.who.fingerprint` names it.
    token: Mapped[str] = mapped_column(String(16))
    #: Of the browser when it signed in.
    address: Mapped[str] = mapped_column(Text)
    agent: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    last_used_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now()
    )
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class MediaFilm(Base):
    """A film on the media share, as the last scan saw it; no ``film`` nor ``problem``: not yet."""

    __tablename__ = "media_films"
    __table_args__ = (Index(None, "first_seen_at"),)

    #: Paths are relative to the share.
    path: Mapped[str] = mapped_column(Text, primary_key=True)
    subtitle: Mapped[str | None] = mapped_column(Text)
    bytes: Mapped[int] = mapped_column(BigInteger)
    modified_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    film: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    #: Why the film cannot be read.
    problem: Mapped[str | None] = mapped_column(Text)
    first_seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    last_seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Expression(Base):
    """An expression that the lesson teaches, where it was said."""

    __tablename__ = "expressions"
    __table_args__ = (UniqueConstraint("job_id", "position"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(Integer)
    phrase: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(String(32))
    level: Mapped[str] = mapped_column(String(2))
    said: Mapped[str] = mapped_column(Text)
    dialogue: Mapped[str] = mapped_column(Text)
    start_ms: Mapped[int] = mapped_column(Integer)
    end_ms: Mapped[int] = mapped_column(Integer)
    score: Mapped[float] = mapped_column(Float)
    score_parts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    translation: Mapped[str | None] = mapped_column(Text)
    meaning: Mapped[str | None] = mapped_column(Text)
    similar: Mapped[list[str]] = mapped_column(
        JSONB, default=list, server_default=text("'[]'::jsonb")
    )
    difficulty: Mapped[float | None] = mapped_column(Float)


class Clip(Base):
    """The piece of film that shows an expression; its file is ``clips/<job_id>/<id>.mp4``."""

    __tablename__ = "clips"
    __table_args__ = (Index(None, "job_id"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    expression_id: Mapped[str] = mapped_column(
        ForeignKey("expressions.id", ondelete="CASCADE"), unique=True
    )
    start_ms: Mapped[int] = mapped_column(Integer)
    end_ms: Mapped[int] = mapped_column(Integer)
    bytes: Mapped[int] = mapped_column(BigInteger)
    expression: Mapped[Expression] = relationship(lazy="joined", innerjoin=True)
