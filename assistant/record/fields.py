"""The kinds of values that the parts of a record are made of."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

ZONE = timezone(timedelta(hours=8), "Asia/Shanghai")
"""Where the hospital is: an instant given with another zone is a day and an hour of this one.
A fixed offset, as China has had one time and no summer time since 1991."""


def local_time(value: datetime) -> datetime:
    """The same instant in `ZONE`; a time without a zone is local already and stays as it is."""
    try:
        return value if value.tzinfo is None else value.astimezone(ZONE)
    except OverflowError as error:
        raise ValueError("时间超出范围。(The time is out of range.)") from error


Moment = Annotated[datetime, AfterValidator(local_time)]
Identifier = Annotated[
    str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$")
]
ShortText = Annotated[str, StringConstraints(max_length=500)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"\S")]
"""A short text that must say something."""


class Strict(BaseModel):
    """A part of the record: unknown fields are refused and texts are kept as they are."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)


def written_day(value: date | datetime | None) -> str:
    """``2026年3月5日``; "" for none."""
    return f"{value.year}年{value.month}月{value.day}日" if value else ""
