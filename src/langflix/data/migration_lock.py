"""Only one process migrates; who else wants to waits for a while, and knows for whom."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Row, text

from langflix.data.engine import LOCK_MIGRATIONS
from langflix.errors import BusyError

#: What PostgreSQL's views call the sessions of migrations.
SESSION = "langflix migrate"
_LOOK_S = 0.2
#: The server notices within this time that whoever migrated was killed, and undoes it.
_DEAD_CLIENT_MS = 1000

_HOLDER = """
SELECT activity.pid, activity.application_name, activity.client_addr, activity.xact_start
FROM pg_locks AS held JOIN pg_stat_activity AS activity USING (pid)
WHERE held.locktype = 'advisory' AND held.granted AND held.classid::bigint = :space
AND held.objid = 0 AND activity.datname = current_database()
"""
_OTHERS = """
SELECT pid, application_name, client_addr, xact_start FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
AND application_name <> :session AND backend_type = 'client backend' ORDER BY xact_start LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a migration waits, in seconds.

    Attributes:
        wait_s: for another process that migrates.
        lock_s: for a lock that another session holds on a table.
        statement_s: for one statement to end; 0 for as long as it takes.

    """

    wait_s: float = 60.0
    lock_s: float = 10.0
    statement_s: float = 300.0


def limit(connection: Connection, limits: Limits) -> None:
    """Let the connection's transaction end rather than wait for ever."""
    for name, value in (
        ("application_name", f"'{SESSION}'"),
        ("lock_timeout", f"{limits.lock_s * 1000:.0f}"),
        ("statement_timeout", f"{limits.statement_s * 1000:.0f}"),
        ("client_connection_check_interval", f"{_DEAD_CLIENT_MS}"),
    ):
        connection.execute(text(f"SET LOCAL {name} = {value}"))


def hold(connection: Connection, wait_s: float, waiting: Callable[[str], None]) -> None:
    """Be the one that migrates until the connection's transaction ends, however it does.

    Args:
        connection: in a transaction.
        wait_s: how long to wait for another.
        waiting: told once for whom.

    Raises:
        BusyError: another one was not done by then.

    """
    deadline = time.monotonic() + wait_s
    told = False
    while not connection.execute(
        text("SELECT pg_try_advisory_xact_lock(:space, 0)"), {"space": LOCK_MIGRATIONS}
    ).scalar():
        holder = connection.execute(text(_HOLDER), {"space": LOCK_MIGRATIONS}).first()
        who = f"another migration is under way ({_named(holder)})" if holder else ""
        if time.monotonic() >= deadline:
            other = who or "another migration was under way"
            raise BusyError(f"{other}; waited {wait_s:g} s for it and changed nothing")
        if who and not told:
            waiting(f"{who}; waiting up to {wait_s:g} s for it")
            told = True
        time.sleep(_LOOK_S)


def longest_other(engine: Engine) -> str:
    """Name the session that has been in a transaction for longest; empty when there is none."""
    with engine.connect() as connection:
        found = connection.execute(text(_OTHERS), {"session": SESSION}).first()
    return _named(found) if found else ""


def _named(row: Row[Any]) -> str:
    place = f" at {row.client_addr}" if row.client_addr else ""
    name = row.application_name or "nameless"
    return f"session {row.pid}, {name}{place}, since {row.xact_start:%Y-%m-%d %H:%M:%S %Z}"
