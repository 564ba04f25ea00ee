"""What corrections taught of the catalogue of charges."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from assistant.store.models.base import Base


class CatalogueSynonymRow(Base):
    """A wording that somebody gave an entry of the catalogue; ``key`` is the hash of the wording.

    ``core`` is its name alone, ``name`` that of the entry.
    """

    __tablename__ = "catalogue_synonyms"
    __table_args__ = (Index("ix_catalogue_synonyms_core", "core"),)

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    core: Mapped[str]
    code: Mapped[str]
    name: Mapped[str]
    actor_id: Mapped[str]
    times: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
