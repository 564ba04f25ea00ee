"""Alembic's entry: runs revisions on the connection that it is handed."""

from __future__ import annotations

from alembic import context

from assistant.store.models.base import Base

connection = context.config.attributes["connection"]
# SQLite can undo DDL like anything else; Alembic assumes that it cannot.
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    transactional_ddl=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
