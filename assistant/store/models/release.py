"""Which tasks may be filled in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from assistant.store.models.base import Base


class TaskReleaseRow(Base):
    """That the results of an imaging task were switched on or off for filling in; rows are only
    ever added."""

    __tablename__ = "task_releases"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    kind: Mapped[str] = mapped_column(String(64))
    is_on: Mapped[bool]
    switched_by: Mapped[str]
    reason: Mapped[str]
    created_at: Mapped[datetime]
