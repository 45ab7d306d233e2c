"""Moves the database from one revision to another: all the way, or not at all.

Every step is taken in one transaction, so one that fails, hangs or is killed leaves the database as
it was, and nothing to clean up. A migration therefore can't use what PostgreSQL refuses in a
transaction, such as ``CREATE INDEX CONCURRENTLY``.

The code of the release before runs on while its successor migrates. A migration that it could not
live with says so in a line of its file, ``# slipway: downtime``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

import langflix.migrations
from langflix.data import grants, history
from langflix.data.engine import reaching_database
from langflix.data.migration_lock import Limits, hold, limit, longest_other
from langflix.data.revisions import REVISIONS, problem
from langflix.errors import LangflixError, SettingsError

_DOWNTIME = re.compile(r"^# slipway: downtime\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Step:
    """One revision on the way, with its first line of text.

    ``compatible`` says whether code of the revision before can go on once it is taken.
    """

    revision: str
    message: str
    compatible: bool


@dataclass(frozen=True, slots=True)
class Move:
    """What a migration does: where from, where to, and every step between."""

    before: str | None
    after: str | None
    direction: str
    steps: tuple[Step, ...]


def plan(engine: Engine, target: str = "head") -> Move:
    """Return what :func:`migrate` would do, changing nothing.

    A database that a newer release has migrated is left where it is, if this code may run on it.

    Raises:
        SettingsError: when ``target`` is no revision of ours.
        UnavailableError: when the database cannot be reached.
        LangflixError: when the database is at a revision that this release cannot run on.

    """
    with reaching_database(), engine.connect() as connection:
        return _plan(connection, target)


def migrate(
    engine: Engine,
    target: str = "head",
    limits: Limits | None = None,
    waiting: Callable[[str], None] = lambda _: None,
) -> Move:
    """Bring the database to ``target`` and return what was done.

    Args:
        engine: where.
        target: a revision, ``head`` or ``base``.
        limits: how long to wait for what.
        waiting: told when another process migrates, and this one waits for it.

    Raises:
        BusyError: when another process was still migrating.
        LangflixError: when a step failed, and all were undone; and as :func:`plan` does.

    """
    bounds = limits or Limits()
    with reaching_database(), engine.connect() as connection, connection.begin():
        limit(connection, bounds)
        hold(connection, bounds.wait_s, waiting)
        move = _plan(connection, target)
        if move.steps:
            _take(engine, connection, move, bounds)
        known = _history()
        if move.after is None or move.after in known:
            history.record(connection, _up_to(move.after, known))
            grants.give(connection)
        return move


def _take(engine: Engine, connection: Connection, move: Move, bounds: Limits) -> None:
    taken: list[object] = []
    config = _config()
    config.attributes["connection"] = connection
    config.attributes["on_version_apply"] = lambda **step: taken.append(step)
    go = command.upgrade if move.direction == "up" else command.downgrade
    try:
        go(config, move.after or "base")
    except Exception as error:  # a migration is any code
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            raise
        connection.rollback()
        step = move.steps[min(len(taken), len(move.steps) - 1)]
        raise LangflixError(
            f"migration {step.revision} ({step.message}) failed: {_reason(engine, error, bounds)}; "
            f"all was undone, the database is at {move.before or 'no revision'} as before"
        ) from error


def _reason(engine: Engine, error: Exception, bounds: Limits) -> str:
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, psycopg.errors.LockNotAvailable):
        other = longest_other(engine)
        held = f"; the oldest transaction is that of {other}" if other else ""
        return f"it waited {bounds.lock_s:g} s for a lock that another session holds{held}"
    if isinstance(cause, psycopg.errors.QueryCanceled):
        return f"a statement took longer than {bounds.statement_s:g} s"
    lines = str(cause).strip().splitlines() or [""]
    is_databases = isinstance(error, SQLAlchemyError)
    return lines[0] if is_databases else f"{type(cause).__name__}: {lines[0]}"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(langflix.migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    return config


def _plan(connection: Connection, target: str) -> Move:
    scripts = ScriptDirectory.from_config(_config())
    wanted = _resolve(scripts, target)
    current = MigrationContext.configure(connection).get_current_revision()
    known = list(_history())
    if current is not None and current not in known:
        oldest = history.oldest_code(connection, current)
        if why := problem(current, oldest):
            raise LangflixError(why)
        if target != "head":
            raise LangflixError(
                f"the database is at revision {current}, and only a release that knows it can "
                f"bring it to {target}"
            )
        return Move(current, current, "none", ())
    before = known.index(current) + 1 if current else 0
    after = known.index(wanted) + 1 if wanted else 0
    up = after > before
    steps = known[before:after] if up else known[after:before][::-1]
    direction = "up" if up else "down" if after < before else "none"
    return Move(current, wanted, direction, tuple(_step(scripts, name, up) for name in steps))


def _history() -> dict[str, bool]:
    """Revision to whether code of the one before can go on, oldest first."""
    scripts = ScriptDirectory.from_config(_config())
    found = {one.revision: _is_compatible(one) for one in [*scripts.walk_revisions()][::-1]}
    if tuple(found) != REVISIONS:
        raise LangflixError(
            f"this release is not whole: its migrations are {', '.join(found)}, and its code knows "
            f"{', '.join(REVISIONS)}; the database was left as it is"
        )
    return found


def _up_to(last: str | None, known: dict[str, bool]) -> dict[str, str]:
    names = list(known)
    applied = names[: names.index(last) + 1] if last else []
    floors = history.floors(known)
    return {name: floors[name] for name in applied}


def _is_compatible(script: Script) -> bool:
    return not _DOWNTIME.search(Path(script.path).read_text("utf-8"))


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


def _step(scripts: ScriptDirectory, revision: str, up: bool) -> Step:
    script = scripts.get_revision(revision)
    return Step(revision, script.doc, up and _is_compatible(script))
