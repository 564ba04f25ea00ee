"""Approvals that are returned and given again, reviews on a form, and answers in the shadow."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TABLE = "approval_steps"

# As for the approvals themselves: rows are only added.
SQLITE_TRIGGERS = (
    """
    CREATE TRIGGER approval_steps_no_update BEFORE UPDATE ON approval_steps
    BEGIN SELECT RAISE(ABORT, 'approval_steps are append-only'); END
    """,
    """
    CREATE TRIGGER approval_steps_no_delete BEFORE DELETE ON approval_steps
    BEGIN SELECT RAISE(ABORT, 'approval_steps are append-only'); END
    """,
    """
    CREATE TRIGGER approval_steps_no_replace BEFORE INSERT ON approval_steps
    WHEN EXISTS (SELECT 1 FROM approval_steps WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'approval_steps are append-only'); END
    """,
)

# The function is that of the approvals.
POSTGRESQL_TRIGGERS = (
    """
    CREATE TRIGGER approval_steps_no_change BEFORE UPDATE OR DELETE ON approval_steps
    FOR EACH ROW EXECUTE FUNCTION approvals_refuse()
    """,
    """
    CREATE TRIGGER approval_steps_no_truncate BEFORE TRUNCATE ON approval_steps
    FOR EACH STATEMENT EXECUTE FUNCTION approvals_refuse()
    """,
)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        TABLE,
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("approval_id", sa.String(length=36), nullable=False),
        sa.Column("step", sa.String(length=16), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["approval_id"], ["approvals.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_approval_steps_approval", TABLE, ["approval_id", "id"])
    op.create_table(
        "quality_reviews",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("draft_id", sa.String(length=36), nullable=False),
        sa.Column("form", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("reviewer", sa.Text(), nullable=False),
        sa.Column("scores", sa.JSON(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["draft_id"], ["drafts.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("draft_id", "reviewer", "form", name="uq_quality_reviews_place"),
    )
    _create_shadow()
    if op.get_bind().dialect.name == "sqlite":
        for statement in SQLITE_TRIGGERS:
            op.execute(statement)
    else:
        for statement in POSTGRESQL_TRIGGERS:
            op.execute(statement)


def _create_shadow() -> None:
    op.create_table(
        "shadow_answers",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("request_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("identity", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("differences", sa.JSON(), nullable=False),
        sa.Column("failure", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("request_id", "engine", "fingerprint", name="uq_shadow_answers_place"),
    )
    op.create_index("ix_shadow_answers_status", "shadow_answers", ["status", "id"])
    op.create_table(
        "shadow_reviews",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("answer_id", sa.String(length=36), nullable=False),
        sa.Column("reviewer", sa.Text(), nullable=False),
        sa.Column("preferred", sa.String(length=16), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["answer_id"], ["shadow_answers.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("answer_id", "reviewer", name="uq_shadow_reviews_place"),
    )


def downgrade() -> None:
    """Not offered: restore a backup instead."""
    raise NotImplementedError("restore a backup made before the upgrade")
