"""The database's history, oldest first, known without importing the migrations.

The API compares it with what the database says it is at; a test compares it with the migrations.
"""

from __future__ import annotations

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006")
HEAD = REVISIONS[-1]


def is_behind(current: str | None) -> bool:
    """Say whether a database at ``current`` lacks something that this code needs.

    An unknown revision comes from a newer release; migrations only add what old code can ignore,
    so the database is not behind.
    """
    return current is None or (current in REVISIONS and current != HEAD)
