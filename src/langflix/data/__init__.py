"""Rows: what is kept in PostgreSQL, and the only code that asks for it."""
