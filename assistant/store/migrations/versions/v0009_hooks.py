"""What was shown to doctors at work, tokens that were used, and events of records."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _short(length: int, *names: str, nullable: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(length=length), nullable=nullable) for name in names]


def _time(*names: str, nullable: bool = False) -> list[sa.Column[datetime]]:
    kind = sa.DateTime(timezone=True)
    return [sa.Column(name, kind, nullable=nullable) for name in names]


def upgrade() -> None:
    """Create the four tables."""
    op.create_table(
        "cards",
        *_short(36, "id"),
        *_short(64, "service"),
        *_short(16, "kind"),
        *_short(64, "rule", "key"),
        *_short(16, "severity"),
        sa.Column("interruptive", sa.Boolean(), nullable=False),
        *_short(36, "draft_id", nullable=True),
        sa.Column("suggestions", sa.JSON(), nullable=False),
        *_text("actor_id", "application", "patient_id", "encounter_id"),
        *_time("created_at"),
        sa.Column("shown", sa.Integer(), nullable=False),
        *_short(16, "outcome"),
        *_short(64, "reason"),
        *_text("comment", "answered_by"),
        *_time("answered_at", nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_cards_patient", "cards", ["patient_id", "encounter_id"])
    op.create_index("ix_cards_rule", "cards", ["rule"])
    op.create_table(
        "token_uses", *_short(64, "key"), *_time("expires_at"), sa.PrimaryKeyConstraint("key")
    )
    op.create_table(
        "record_events",
        *_short(36, "id"),
        *_short(128, "key"),
        *_short(32, "type"),
        *_text("application", "actor_id", "patient_id", "encounter_id"),
        *_short(64, "body_ref"),
        *_time("created_at"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("application", "key", name="uq_record_events_key"),
    )
    op.create_index("ix_record_events_patient", "record_events", ["patient_id"])
    op.create_table(
        "event_work",
        *_short(36, "id"),
        *_short(64, "rule", "kind"),
        *_short(16, "status"),
        *_text("actor_id", "actor_role", "application", "patient_id", "encounter_id"),
        *_text("record_hash"),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("bound", sa.Boolean(), nullable=False),
        *_short(36, "event_id"),
        *_short(36, "request_id", nullable=True),
        *_time("due_at", "updated_at"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint(
            "rule", "kind", "patient_id", "encounter_id", name="uq_event_work_place"
        ),
    )
    op.create_index("ix_event_work_due", "event_work", ["status", "due_at"])


def downgrade() -> None:
    """Not offered: restore a backup instead."""
    raise NotImplementedError("restore a backup made before the upgrade")
