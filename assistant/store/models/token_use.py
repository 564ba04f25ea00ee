"""Tokens of clients that were used."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from assistant.store.models.base import Base


class TokenUseRow(Base):
    """The id of a client's token that was used, kept until the token expires."""

    __tablename__ = "token_uses"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[datetime]
