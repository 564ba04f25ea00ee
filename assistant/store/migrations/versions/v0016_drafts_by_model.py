"""The drafts of a model by kind, the newest first: floors read the last ones only."""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

INDEX = "ix_drafts_model"


def upgrade() -> None:
    """Create the index."""
    op.create_index(INDEX, "drafts", ["model", "kind", "id"])


def downgrade() -> None:
    """Remove it."""
    op.drop_index(INDEX, table_name="drafts")
