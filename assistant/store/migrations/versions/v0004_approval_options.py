"""Approvals are for all options that an engine runs with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; approvals from before have none, and hold for nothing until given again."""
    op.add_column("approvals", sa.Column("options", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    """Not offered: restore a backup instead."""
    raise NotImplementedError("restore a backup made before the upgrade")
