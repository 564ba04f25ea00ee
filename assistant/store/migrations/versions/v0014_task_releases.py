"""Which imaging tasks' results may be filled in, and who said so."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# As for approvals: rows are only added.
SQLITE_TRIGGERS = (
    """
    CREATE TRIGGER task_releases_no_update BEFORE UPDATE ON task_releases
    BEGIN SELECT RAISE(ABORT, 'task_releases are append-only'); END
    """,
    """
    CREATE TRIGGER task_releases_no_delete BEFORE DELETE ON task_releases
    BEGIN SELECT RAISE(ABORT, 'task_releases are append-only'); END
    """,
    """
    CREATE TRIGGER task_releases_no_replace BEFORE INSERT ON task_releases
    WHEN EXISTS (SELECT 1 FROM task_releases WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'task_releases are append-only'); END
    """,
)
POSTGRESQL_TRIGGERS = (
    """
    CREATE TRIGGER task_releases_no_change BEFORE UPDATE OR DELETE ON task_releases
    FOR EACH ROW EXECUTE FUNCTION approvals_refuse()
    """,
    """
    CREATE TRIGGER task_releases_no_truncate BEFORE TRUNCATE ON task_releases
    FOR EACH STATEMENT EXECUTE FUNCTION approvals_refuse()
    """,
)


def upgrade() -> None:
    """Create the table and the triggers that keep its rows as they are."""
    op.create_table(
        "task_releases",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("switched_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in SQLITE_TRIGGERS if is_sqlite else POSTGRESQL_TRIGGERS:
        op.execute(statement)


def downgrade() -> None:
    """Not offered: restore a backup instead."""
    raise NotImplementedError("restore a backup made before the upgrade")
