"""Alembic runs this file; the connection comes from :mod:`langflix.data.migrate`."""

from __future__ import annotations

from alembic import context

from langflix.data.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
