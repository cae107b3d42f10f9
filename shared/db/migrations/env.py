"""Alembic's entry point: runs inside the transaction ``shared.db.migrate`` opened."""

from alembic import context

from shared.db.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
