"""The database's history, oldest first, known without importing the migrations.

The API compares it with what the database says it is at; a test compares it with the migrations.
"""

from __future__ import annotations

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008")
HEAD = REVISIONS[-1]


def problem(current: str | None, oldest: str | None) -> str:
    """Say why this code can't run on a database; empty when it can.

    A release newer than this one may have migrated the database. What its migrations leave for
    older code is written in the database itself, see :mod:`langflix.data.history`.

    Args:
        current: the revision that the database is at, None when it was never migrated.
        oldest: the oldest revision whose code may run on it, None when nothing tells.

    """
    if current is None or (current in REVISIONS and current != HEAD):
        return "the database is not migrated to this release; run: langflix migrate"
    if current == HEAD or oldest in REVISIONS:
        return ""
    since = f", which needs code of revision {oldest} or newer" if oldest else ""
    return (
        f"the database is at revision {current}{since}: this release ends with {HEAD} and can't "
        "run on it; deploy a newer release, or put the database back that was kept"
    )
