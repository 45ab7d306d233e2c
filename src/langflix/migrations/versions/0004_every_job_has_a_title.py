"""Contract: every job has a title.

Safe beside code of revision 0001: the trigger of 0002 stays and gives its inserts a title.  The
trigger goes with a later revision, when no release that old can be rolled back to any more.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision: str | None = "0003"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Forbid jobs without a title."""
    op.alter_column("jobs", "title", existing_type=sa.Text(), nullable=False)


def downgrade() -> None:
    """Allow them again."""
    op.alter_column("jobs", "title", existing_type=sa.Text(), nullable=True)
