"""The database's history (Alembic); run by ``langflix migrate``, never at start-up."""
