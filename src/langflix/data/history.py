"""What the database itself remembers of its revisions: which code may run on it.

A release that is older than the database knows nothing of the migrations that were applied since.
So each of them leaves a row with the oldest revision whose code may still run: its own, if it takes
away what older code needs, and else that of the revision before it.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

_CREATE = """
CREATE TABLE IF NOT EXISTS revision_history (
    revision varchar(32) CONSTRAINT pk_revision_history PRIMARY KEY,
    oldest varchar(32) NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""
_ADD = """
INSERT INTO revision_history (revision, oldest) VALUES (:revision, :oldest) ON CONFLICT DO NOTHING
"""


def oldest_code(opened: Session | Connection, revision: str) -> str | None:
    """Return the oldest revision whose code may run at ``revision``; None when nothing tells."""
    if opened.execute(text("SELECT to_regclass('revision_history')")).scalar() is None:
        return None
    query = text("SELECT oldest FROM revision_history WHERE revision = :revision")
    found = opened.execute(query, {"revision": revision}).scalar()
    return None if found is None else str(found)


def record(connection: Connection, applied: Mapping[str, str]) -> None:
    """Let the table hold the applied revisions and no other; a row that is there stays.

    Args:
        connection: in the transaction that migrates.
        applied: revision to the oldest whose code may run at it.

    """
    connection.execute(text("SET LOCAL client_min_messages = warning"))
    connection.execute(text(_CREATE))
    for revision, oldest in applied.items():
        connection.execute(text(_ADD), {"revision": revision, "oldest": oldest})
    gone = text("DELETE FROM revision_history WHERE NOT revision = ANY(:applied)")
    connection.execute(gone, {"applied": list(applied)})


def floors(steps: Mapping[str, bool]) -> dict[str, str]:
    """Return each revision's oldest one whose code may run at it.

    Args:
        steps: revision to whether code before it can go on, oldest first.

    """
    found: dict[str, str] = {}
    oldest = ""
    for revision, compatible in steps.items():
        oldest = oldest if compatible and oldest else revision
        found[revision] = oldest
    return found
