"""Alembic runs this file; the connection comes from :mod:`langflix.data.migrate`."""

from __future__ import annotations

from alembic import context

from langflix.data.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    on_version_apply=context.config.attributes["on_version_apply"],
)
with context.begin_transaction():
    context.run_migrations()
