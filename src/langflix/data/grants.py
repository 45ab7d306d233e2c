"""The application's rights on the tables that migrations make.

The database's owner migrates; the application gets rights on rows. The start script of the image
with the database says the same (``roles.sql``), which makes the role.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

#: The role that has the application's rights; its logins are members of it.
APP = "langflix_app"
#: Tables in which the database remembers its shape: only migrations write them.
OWN = ("alembic_version", "revision_history")

_ROLE = "SELECT 1 FROM pg_roles WHERE rolname = :name"
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename = ANY(:names)"
_GRANTS = (
    f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {APP}",
    f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {APP}",
    f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {APP}",
)


def give(connection: Connection) -> None:
    """Give the role its rights on all tables; a database may do without the role.

    Args:
        connection: of the tables' owner, in the transaction that migrates.

    """
    if connection.execute(text(_ROLE), {"name": APP}).first() is None:
        return
    for statement in _GRANTS:
        connection.execute(text(statement))
    for table in connection.execute(text(_TABLES), {"names": list(OWN)}).scalars().all():
        connection.execute(text(f"REVOKE INSERT, UPDATE, DELETE ON public.{table} FROM {APP}"))
