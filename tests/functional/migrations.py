"""One migration more in a checkout. Those of the application begin with 0, these with 9."""

from __future__ import annotations

from pathlib import Path

from tests.functional.conftest import Site

from langflix.data import revisions

REVISIONS = "src/langflix/data/revisions.py"
VERSIONS = "src/langflix/migrations/versions"
LAST = revisions.REVISIONS[-1]
_TEXT = '''"""{about}"""
{note}
import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{last}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("stars", sa.Integer()))


def downgrade() -> None:
    op.drop_column("jobs", "stars")
'''


def add_migration(site: Site, name: str, about: str, note: str = "") -> Path:
    """Write one, and have the application expect it.

    Args:
        site: whose checkout.
        name: of the file: its revision, four digits, and a word.
        about: its first line.
        note: a comment for slipway.
    """
    revision = name[:4]
    path = site.root / VERSIONS / f"{name}.py"
    note = f"\n{note}\n" if note else ""
    text = _TEXT.format(about=about, note=note, revision=revision, last=LAST)
    path.write_text(text, "utf-8")
    site.replace(REVISIONS, f'"{LAST}")', f'"{LAST}", "{revision}")')
    return path


def remove_migration(site: Site, path: Path) -> None:
    """Take back what :func:`add_migration` did."""
    path.unlink()
    site.replace(REVISIONS, f', "{path.name[:4]}")', ")")
