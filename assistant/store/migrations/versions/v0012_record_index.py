"""The index over structured notes, and who may search which groups of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, _NUMBER, autoincrement=False, nullable=False)


def _text(name: str, length: int | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=length) if length else sa.Text(), nullable=False)


def _where() -> list[sa.Column[str] | sa.Column[int]]:
    """What facts and results have in common: whose they are, and where they stand."""
    return [
        _text("standing", 5),
        _text("on_date", 10),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
    ]


def _of_note() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["note_no"], ["record_notes.no"], ondelete="CASCADE")


def upgrade() -> None:
    """Create the tables and their indexes."""
    op.create_table(
        "record_patients",
        _number("no"),
        _text("patient_id"),
        sa.PrimaryKeyConstraint("no"),
        sa.UniqueConstraint("patient_id", name="uq_record_patients_id"),
    )
    op.create_table(
        "record_notes",
        _number("no"),
        _number("patient_no"),
        *map(_text, ("encounter_id", "note_id", "access", "title")),
        _text("written_on", 10),
        _text("digest", 64),
        *map(_text, ("made_of", "actor_id")),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        _text("text"),
        sa.PrimaryKeyConstraint("no"),
        sa.ForeignKeyConstraint(["patient_no"], ["record_patients.no"], ondelete="CASCADE"),
        sa.UniqueConstraint("patient_no", "note_id", name="uq_record_notes_note"),
    )
    op.create_table(
        "record_terms",
        _number("no"),
        _text("name"),
        _text("concept"),
        sa.PrimaryKeyConstraint("no"),
        sa.UniqueConstraint("name", name="uq_record_terms_name"),
    )
    op.create_table(
        "record_facts",
        *map(_number, ("no", "term_no", "patient_no", "note_no")),
        _text("access"),
        _text("type", 16),
        *_where(),
        sa.PrimaryKeyConstraint("no"),
        _of_note(),
    )
    op.create_table(
        "record_results",
        *map(_number, ("no", "term_no", "patient_no", "note_no")),
        _text("access"),
        *_where(),
        sa.Column("number", sa.Float(precision=53), nullable=True),
        _text("dimensions", 64),
        _text("comparator", 4),
        _text("outcome", 8),
        _text("value"),
        _text("unit"),
        sa.PrimaryKeyConstraint("no"),
        _of_note(),
    )
    op.create_table(
        "record_grants",
        *map(_text, ("actor_id", "access", "granted_by")),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("actor_id", "access"),
    )
    _create_indexes()


def _create_indexes() -> None:
    whose = ["standing", "on_date", "access", "patient_no", "note_no"]
    op.create_index("ix_record_notes_day", "record_notes", ["written_on", "access", "patient_no"])
    op.create_index("ix_record_facts_term", "record_facts", ["term_no", *whose, "type"])
    op.create_index("ix_record_facts_note", "record_facts", ["note_no"])
    op.create_index(
        "ix_record_results_term",
        "record_results",
        ["term_no", "dimensions", "number", "comparator", *whose],
    )
    op.create_index("ix_record_results_outcome", "record_results", ["term_no", "outcome", *whose])
    op.create_index("ix_record_results_note", "record_results", ["note_no"])


def downgrade() -> None:
    """Not offered: restore a backup instead."""
    raise NotImplementedError("restore a backup made before the upgrade")
