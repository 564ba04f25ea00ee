"""Approvals of models for clinical use, and their revocations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KEYS = {"approvals": "id", "revocations": "approval_id"}

# As for the audit: rows are only added.  On SQLite a REPLACE deletes without firing a delete
# trigger, so an insert may not bring a key that is there.
SQLITE_TRIGGERS = (
    """
    CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table}
    BEGIN SELECT RAISE(ABORT, '{table} are append-only'); END
    """,
    """
    CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table}
    BEGIN SELECT RAISE(ABORT, '{table} are append-only'); END
    """,
    """
    CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table}
    WHEN EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key})
    BEGIN SELECT RAISE(ABORT, '{table} are append-only'); END
    """,
)
POSTGRESQL_FUNCTION = """
CREATE FUNCTION approvals_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'approvals are append-only'; END $$
"""
POSTGRESQL_TRIGGERS = (
    """
    CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION approvals_refuse()
    """,
    """
    CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION approvals_refuse()
    """,
)


def upgrade() -> None:
    """Create both tables and the triggers that keep their rows as they are."""
    op.create_table(
        "approvals",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("engine_kind", sa.String(length=16), nullable=False),
        sa.Column("files_sha256", sa.String(length=64), nullable=False),
        sa.Column("precision", sa.Text(), nullable=False),
        sa.Column("kv_cache", sa.Text(), nullable=False),
        sa.Column("prompts", sa.JSON(), nullable=False),
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("gate", sa.Text(), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "revocations",
        sa.Column("approval_id", sa.String(length=36), nullable=False),
        sa.Column("revoked_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["approval_id"], ["approvals.id"]),
        sa.PrimaryKeyConstraint("approval_id"),
    )
    if op.get_bind().dialect.name == "sqlite":
        triggers: tuple[str, ...] = SQLITE_TRIGGERS
    else:
        triggers = POSTGRESQL_TRIGGERS
        op.execute(POSTGRESQL_FUNCTION)
    for table, key in KEYS.items():
        for statement in triggers:
            op.execute(statement.format(table=table, key=key))


def downgrade() -> None:
    """Not offered: restore a backup instead."""
    raise NotImplementedError("restore a backup made before the upgrade")
