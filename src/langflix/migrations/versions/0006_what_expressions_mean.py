"""Expand: what an expression means, in English."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision: str | None = "0005"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Add the column; lessons made before have nothing in it."""
    op.add_column("expressions", sa.Column("meaning", sa.Text()))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("expressions", "meaning")
