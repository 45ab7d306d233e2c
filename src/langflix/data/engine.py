"""Connections to PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import InterfaceError, OperationalError, TimeoutError
from sqlalchemy.orm import Session

from langflix.errors import UnavailableError
from langflix.settings import Endpoint

CONNECT_TIMEOUT_S = 5
STATEMENT_TIMEOUT_S = 30
#: As long as the longest query: when all connections are in use, one is free again by then. Less
#: would refuse what a busy machine does a little later.
POOL_TIMEOUT_S = STATEMENT_TIMEOUT_S
#: First half of the two-part advisory lock keys that this application takes ("LF" and a number).
LOCK_JOBS = 0x4C460001
LOCK_MIGRATIONS = 0x4C460002
LOCK_SCAN = 0x4C460003


def connect(endpoint: Endpoint, pool_size: int = 5) -> Engine:
    """Return an engine for ``endpoint``; no connection is made before the first query.

    Connections are tried before use, so a restarted database costs no request.
    """
    return create_engine(
        endpoint.with_password(),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=POOL_TIMEOUT_S,
        pool_pre_ping=True,
        pool_recycle=1800,
        hide_parameters=True,
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT_S,
            "application_name": "langflix",
            "options": f"-c statement_timeout={STATEMENT_TIMEOUT_S}s",
        },
    )


@contextmanager
def reaching_database() -> Iterator[None]:
    """Turn errors of the pool and the driver inside the block into UnavailableError."""
    try:
        yield
    except TimeoutError as error:
        reason = f"all connections to the database were in use for {POOL_TIMEOUT_S:g} s"
        raise UnavailableError(reason) from error
    except (OperationalError, InterfaceError) as error:
        lines = str(getattr(error, "orig", None) or error).strip().splitlines()
        reason = lines[0] if lines else "connection lost"
        raise UnavailableError(f"the database does not answer: {reason}") from error


@contextmanager
def session(engine: Engine) -> Iterator[Session]:
    """Give a session that commits at the end of the block, or rolls back on an error.

    Raises:
        UnavailableError: when the database cannot be reached.

    """
    with reaching_database(), Session(engine, expire_on_commit=False) as opened, opened.begin():
        yield opened


@contextmanager
def sole_worker_of(engine: Engine, job_id: str) -> Iterator[bool]:
    """Give True when nobody else holds the job, and hold it for the block; see :func:`_sole`."""
    with _sole(engine, LOCK_JOBS, job_id) as mine:
        yield mine


@contextmanager
def sole_scanner(engine: Engine) -> Iterator[bool]:
    """Give True when nobody else scans the media share, and keep it so; see :func:`_sole`."""
    with _sole(engine, LOCK_SCAN, "") as mine:
        yield mine


@contextmanager
def _sole(engine: Engine, space: int, name: str) -> Iterator[bool]:
    """Give True when nobody else holds what is called ``name``, and hold it for the block.

    The hold is an advisory lock on a connection of its own: PostgreSQL drops it the moment the
    holder dies, so what a killed worker held is free at once and no time-out has to be guessed.
    """
    key = {"space": space, "name": name}
    with reaching_database(), engine.connect() as held:
        held = held.execution_options(isolation_level="AUTOCOMMIT")
        query = text("SELECT pg_try_advisory_lock(:space, hashtext(:name))")
        mine = bool(held.execute(query, key).scalar())
        try:
            yield mine
        finally:
            if mine and not held.invalidated:
                held.execute(text("SELECT pg_advisory_unlock(:space, hashtext(:name))"), key)


def current_revision(opened: Session) -> str | None:
    """Return the revision that the database says it is at; None when it was never migrated."""
    if opened.execute(text("SELECT to_regclass('alembic_version')")).scalar() is None:
        return None
    row = opened.execute(text("SELECT version_num FROM alembic_version")).first()
    return str(row[0]) if row else None
