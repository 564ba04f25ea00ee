"""What all tables share."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Integer
from sqlalchemy.orm import DeclarativeBase

from assistant.store.column_types import StorableJson, StorableText, UtcTime

BigNumber = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    """The metadata that the migrations are checked against."""

    type_annotation_map = {  # noqa: RUF012 - read by SQLAlchemy, never changed
        datetime: UtcTime,
        dict[str, Any]: StorableJson,
        str: StorableText,
    }
