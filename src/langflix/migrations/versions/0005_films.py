"""Expand: what the film of a job is, and the films of the media share.

Older code goes on working beside it: it neither names the column nor the table.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision: str | None = "0004"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Add the column and create the table."""
    op.add_column("jobs", sa.Column("film", JSONB()))
    op.create_table(
        "media_films",
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("subtitle", sa.Text()),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("modified_at", _time(), nullable=False),
        sa.Column("film", JSONB()),
        sa.Column("problem", sa.Text()),
        sa.Column("first_seen_at", _time(), nullable=False),
        sa.Column("last_seen_at", _time(), nullable=False),
        sa.PrimaryKeyConstraint("path", name="pk_media_films"),
    )
    op.create_index("ix_media_films_first_seen_at", "media_films", ["first_seen_at"])


def downgrade() -> None:
    """Drop the table and the column."""
    op.drop_table("media_films")
    op.drop_column("jobs", "film")


def _time() -> sa.DateTime:
    return sa.DateTime(timezone=True)
