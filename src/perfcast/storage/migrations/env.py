"""Alembic's entry: runs inside the transaction that `Database.migrate` (or a developer's Alembic call) hands over."""

from alembic import context

from perfcast.storage import schema

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=schema.metadata,
    render_as_batch=True,  # SQLite can't alter most things in place
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
