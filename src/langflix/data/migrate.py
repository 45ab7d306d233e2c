"""Moves the database from one revision to another; only one process does so at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine, text

import langflix.migrations
from langflix.data.engine import LOCK_MIGRATIONS, reaching_database
from langflix.errors import LangflixError, SettingsError

#: A migration waits this long for other sessions' locks, then gives up and changes nothing.
LOCK_TIMEOUT_MS = 10_000


@dataclass(frozen=True, slots=True)
class Step:
    """One revision on the way, with its first line of text."""

    revision: str
    message: str


@dataclass(frozen=True, slots=True)
class Move:
    """What a migration does: where from, where to, and every step between."""

    before: str | None
    after: str | None
    direction: str
    steps: tuple[Step, ...]


def plan(engine: Engine, target: str = "head") -> Move:
    """Return what :func:`migrate` would do, changing nothing.

    Raises:
        SettingsError: when ``target`` is no revision of ours.
        UnavailableError: when the database cannot be reached.
        LangflixError: when the database is at a revision that this release does not know.

    """
    with reaching_database(), engine.connect() as connection:
        return _plan(connection, target)


def migrate(engine: Engine, target: str = "head") -> Move:
    """Bring the database to ``target`` and return what was done; raises as :func:`plan` does."""
    with reaching_database(), engine.connect() as connection, _alone(connection):
        move = _plan(connection, target)
        connection.rollback()  # Alembic opens a transaction for each migration only outside one
        config = _config()
        config.attributes["connection"] = connection
        if move.direction == "up":
            command.upgrade(config, move.after or "head")
        elif move.direction == "down":
            command.downgrade(config, move.after or "base")
        connection.commit()
        return move


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """Hold the migrations' lock for the block; a second process waits for the first one."""
    key = {"space": LOCK_MIGRATIONS}
    connection.execute(text("SET statement_timeout = 0"))
    connection.execute(text(f"SET lock_timeout = {LOCK_TIMEOUT_MS}"))
    connection.execute(text("SELECT pg_advisory_lock(:space, 0)"), key)
    connection.commit()
    try:
        yield
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:space, 0)"), key)
        connection.commit()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(langflix.migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    return config


def _plan(connection: Connection, target: str) -> Move:
    scripts = ScriptDirectory.from_config(_config())
    current = MigrationContext.configure(connection).get_current_revision()
    history = [script.revision for script in scripts.walk_revisions()][::-1]
    if current is not None and current not in history:
        raise LangflixError(
            f"the database is at revision {current}, which this release does not know: "
            "it was migrated by a newer one"
        )
    wanted = _resolve(scripts, target)
    before = history.index(current) + 1 if current else 0
    after = history.index(wanted) + 1 if wanted else 0
    steps = history[before:after] if after >= before else history[after:before][::-1]
    direction = "up" if after > before else "down" if after < before else "none"
    return Move(current, wanted, direction, tuple(_step(scripts, name) for name in steps))


def _resolve(scripts: ScriptDirectory, target: str) -> str | None:
    if target == "base":
        return None
    try:
        script = scripts.get_revision(target)
    except CommandError:
        script = None
    if script is None:
        raise SettingsError([f"there is no revision {target!r}"])
    return script.revision


def _step(scripts: ScriptDirectory, revision: str) -> Step:
    script = scripts.get_revision(revision)
    return Step(revision, script.doc)
