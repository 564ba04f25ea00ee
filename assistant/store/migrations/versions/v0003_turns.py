"""Requests say where they came from, whether somebody waits, and whether they are the record."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

UNBOUND = ("chat", "structured_notes")
"""The kinds of that time whose requests were a question or some notes, not the whole record."""


def upgrade() -> None:
    """Add the columns; what was there before is bound to its record unless its kind says not."""
    op.add_column("requests", sa.Column("source", sa.Text(), nullable=False, server_default=""))
    for name, value in (("batch", sa.false()), ("bound", sa.true())):
        op.add_column(
            "requests", sa.Column(name, sa.Boolean(), nullable=False, server_default=value)
        )
    for name in ("started_at", "asked_at"):
        op.add_column("requests", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    requests = sa.table("requests", sa.column("kind", sa.Text()), sa.column("bound", sa.Boolean()))
    op.execute(requests.update().where(requests.c.kind.in_(UNBOUND)).values(bound=False))


def downgrade() -> None:
    """Not offered: restore a backup instead."""
    raise NotImplementedError("restore a backup made before the upgrade")
