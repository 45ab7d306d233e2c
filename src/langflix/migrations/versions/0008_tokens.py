"""Expand: tokens with names, which let do some things and not others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision: str | None = "0007"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Create the table; older code knows nothing of it, and lets nobody in by it."""
    op.create_table(
        "tokens",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("scope", sa.String(8), nullable=False),
        sa.Column("secret_hash", sa.String(64), nullable=False),
        sa.Column("created_at", _time(), server_default=sa.func.now(), nullable=False),
        sa.Column("last_used_at", _time(), nullable=True),
        sa.Column("expires_at", _time(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
        sa.UniqueConstraint("name", name="uq_tokens_name"),
        sa.UniqueConstraint("secret_hash", name="uq_tokens_secret_hash"),
        sa.CheckConstraint("scope IN ('read', 'upload', 'admin')", name="ck_tokens_scope"),
    )


def downgrade() -> None:
    """Drop the table: who came by such a token comes no more."""
    op.drop_table("tokens")


def _time() -> sa.DateTime:
    return sa.DateTime(timezone=True)
