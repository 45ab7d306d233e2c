"""Expand: what a lesson is asked for, and more about each expression.

Code of revision 0001 goes on working beside newer code: every column has a default or may be
missing, and a trigger gives the jobs that old code inserts the title that new code would give.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision: str | None = "0001"
branch_labels: str | None = None
depends_on: str | None = None

#: The video's name without its ending, or all of it when nothing would be left.
FUNCTION = """
CREATE FUNCTION langflix_title() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.title := coalesce(
        NEW.title,
        nullif(regexp_replace(NEW.video_name, '(.)\\.[^.]*$', '\\1'), ''),
        NEW.video_name
    );
    RETURN NEW;
END $$
"""
TRIGGER = """
CREATE TRIGGER jobs_title BEFORE INSERT OR UPDATE ON jobs
FOR EACH ROW EXECUTE FUNCTION langflix_title()
"""


def upgrade() -> None:
    """Add the columns and the trigger, and fill in the titles that are missing."""
    op.add_column("jobs", sa.Column("title", sa.Text()))
    op.add_column("jobs", _text("level", 2, "B1"))
    op.add_column("jobs", _text("language", 8, "ko"))
    op.add_column("jobs", _text("source", 16, "upload"))
    op.add_column("jobs", sa.Column("media_video", sa.Text()))
    op.add_column("jobs", sa.Column("media_subtitle", sa.Text()))
    op.add_column("jobs", sa.Column("note", sa.Text()))
    op.add_column("expressions", sa.Column("translation", sa.Text()))
    op.add_column(
        "expressions",
        sa.Column("similar", JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False),
    )
    op.add_column("expressions", sa.Column("difficulty", sa.Float()))
    op.execute(FUNCTION)
    op.execute(TRIGGER)
    op.execute("UPDATE jobs SET title = NULL")  # the trigger has the title


def downgrade() -> None:
    """Drop the trigger and the columns."""
    op.execute("DROP TRIGGER jobs_title ON jobs")
    op.execute("DROP FUNCTION langflix_title()")
    for name in ("difficulty", "similar", "translation"):
        op.drop_column("expressions", name)
    for name in ("note", "media_subtitle", "media_video", "source", "language", "level", "title"):
        op.drop_column("jobs", name)


def _text(name: str, length: int, default: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), server_default=default, nullable=False)
