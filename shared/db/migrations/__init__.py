"""Alembic's migration environment."""
