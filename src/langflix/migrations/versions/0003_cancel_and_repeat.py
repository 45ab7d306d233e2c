"""Expand: cancelling, idempotency keys, and word of every change of a job to who listens."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision: str | None = "0002"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Add the columns, the key's uniqueness and the triggers that notify."""
    op.add_column(
        "jobs",
        sa.Column("cancel_requested", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.add_column("jobs", sa.Column("idempotency_key", sa.String(200)))
    op.add_column("jobs", sa.Column("request_digest", sa.String(64)))
    op.create_unique_constraint("uq_jobs_idempotency_key", "jobs", ["idempotency_key"])
    op.execute(
        "CREATE FUNCTION langflix_job_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "PERFORM pg_notify('langflix_jobs', coalesce(NEW.id, OLD.id)); RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER jobs_changed AFTER INSERT OR DELETE ON jobs "
        "FOR EACH ROW EXECUTE FUNCTION langflix_job_changed()"
    )
    op.execute(
        "CREATE TRIGGER jobs_updated AFTER UPDATE ON jobs FOR EACH ROW "
        "WHEN (OLD IS DISTINCT FROM NEW) EXECUTE FUNCTION langflix_job_changed()"
    )


def downgrade() -> None:
    """Drop the triggers and the columns."""
    op.execute("DROP TRIGGER jobs_updated ON jobs")
    op.execute("DROP TRIGGER jobs_changed ON jobs")
    op.execute("DROP FUNCTION langflix_job_changed()")
    op.drop_constraint("uq_jobs_idempotency_key", "jobs")
    for name in ("request_digest", "idempotency_key", "cancel_requested"):
        op.drop_column("jobs", name)
