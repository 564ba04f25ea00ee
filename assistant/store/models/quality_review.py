"""Reviews of drafts on a form."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from assistant.store.models.base import Base


class QualityReviewRow(Base):
    """A person's scores of one draft on a form: item → score.  One a draft and reviewer."""

    __tablename__ = "quality_reviews"
    __table_args__ = (
        UniqueConstraint("draft_id", "reviewer", "form", name="uq_quality_reviews_place"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    draft_id: Mapped[str] = mapped_column(String(36), ForeignKey("drafts.id", ondelete="CASCADE"))
    form: Mapped[str] = mapped_column(String(32))
    kind: Mapped[str]
    model: Mapped[str]
    reviewer: Mapped[str]
    scores: Mapped[dict[str, Any]]
    comment: Mapped[str]
    created_at: Mapped[datetime]
