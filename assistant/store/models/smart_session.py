"""Sessions from the hospital's log-in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from assistant.store.models.base import Base


class SmartSessionRow(Base):
    """A doctor's session from the hospital's log-in, sealed; ``key`` is the hash of its cookie."""

    __tablename__ = "smart_sessions"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    content: Mapped[bytes]
    expires_at: Mapped[datetime]
