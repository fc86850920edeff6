"""Run by Alembic on the connection that ``dti.warehouse.migrate`` hands over, inside its transaction."""

from __future__ import annotations

from alembic import context

context.configure(
    connection=context.config.attributes["connection"], target_metadata=None, version_table_schema="public"
)
with context.begin_transaction():
    context.run_migrations()
