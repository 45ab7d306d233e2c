"""Jobs, their expressions and clips."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("progress", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text()),
        sa.Column("video_name", sa.Text(), nullable=False),
        sa.Column("subtitle_name", sa.Text(), nullable=False),
        sa.Column("upload_bytes", sa.BigInteger(), nullable=False),
        sa.Column("created_at", _time(), server_default=sa.func.now(), nullable=False),
        sa.Column("started_at", _time()),
        sa.Column("ended_at", _time()),
        sa.Column("upload_removed_at", _time()),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
        sa.CheckConstraint("progress BETWEEN 0 AND 100", name="ck_jobs_progress"),
        sa.CheckConstraint(
            "status IN ('PENDING', 'RUNNING', 'DONE', 'FAILED')", name="ck_jobs_status"
        ),
    )
    op.create_index("ix_jobs_created_at_id", "jobs", ["created_at", "id"])
    op.create_index("ix_jobs_status", "jobs", ["status"])
    op.create_table(
        "expressions",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("job_id", sa.String(36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("phrase", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("level", sa.String(2), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("dialogue", sa.Text(), nullable=False),
        sa.Column("start_ms", sa.Integer(), nullable=False),
        sa.Column("end_ms", sa.Integer(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("score_parts", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_expressions"),
        sa.UniqueConstraint("job_id", "position", name="uq_expressions_job_id_position"),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name="fk_expressions_job_id_jobs", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "clips",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("job_id", sa.String(36), nullable=False),
        sa.Column("expression_id", sa.String(36), nullable=False),
        sa.Column("start_ms", sa.Integer(), nullable=False),
        sa.Column("end_ms", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_clips"),
        sa.UniqueConstraint("expression_id", name="uq_clips_expression_id"),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name="fk_clips_job_id_jobs", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["expression_id"],
            ["expressions.id"],
            name="fk_clips_expression_id_expressions",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_clips_job_id", "clips", ["job_id"])


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("clips")
    op.drop_table("expressions")
    op.drop_table("jobs")


def _time() -> sa.DateTime:
    return sa.DateTime(timezone=True)
