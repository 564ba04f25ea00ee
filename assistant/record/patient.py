"""The patient, and an age as a ward writes it."""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from typing import Literal

from pydantic import Field

from assistant.record.fields import Identifier, ShortText, Strict

Sex = Literal["male", "female"]
OLDEST = 150
"""Years that nobody outlives."""

SEX_ZH = {"male": "男", "female": "女"}


def _months_and_days(birth: date, when: date) -> tuple[int, int]:
    """Completed months, and the days since the last of them."""
    months = (when.year - birth.year) * 12 + when.month - birth.month - (when.day < birth.day)
    year, month = divmod(birth.month - 1 + months, 12)
    last = monthrange(birth.year + year, month + 1)[1]
    since = date(birth.year + year, month + 1, min(birth.day, last))
    return months, (when - since).days


def _may_live(birth: date, when: date) -> bool:
    """Whether somebody born on ``birth`` may be alive on ``when``; else the birth date is a slip
    of the pen and tells no age."""
    return birth <= when and when.year - birth.year <= OLDEST


def age_in_words(birth: date, when: date) -> str:
    """Age on ``when`` as a ward writes it: ``64岁`` in completed years, ``1岁8个月`` under three
    years, ``12天`` under one month; "" before the birth."""
    if not _may_live(birth, when):
        return ""
    months, days = _months_and_days(birth, when)
    return _age_words(months, days)


def _age_words(months: int, days: int) -> str:
    if months < 1:
        return f"{days}天"
    years, rest = divmod(months, 12)
    if years >= 3:
        return f"{years}岁"
    return (f"{years}岁" if years else "") + (f"{rest}个月" if rest else "")


class Patient(Strict):
    """Who the record is about."""

    id: Identifier
    name: ShortText = ""
    sex: Sex | None = None
    birth_date: date | None = None
    age_text: ShortText = ""
    age_years: float | None = Field(default=None, ge=0, le=OLDEST)

    def age_at(self, when: date) -> float | None:
        """Age in years on ``when``; None when neither age nor birth date is known."""
        if self.age_years is not None:
            return self.age_years
        if self.birth_date is None or not _may_live(self.birth_date, when):
            return None
        months, days = _months_and_days(self.birth_date, when)
        return months / 12 + days / 372

    def age_words(self, when: date) -> str:
        """The age as written in the record, else from the birth date or the years; "" if none."""
        if self.age_text:
            return self.age_text
        if self.birth_date is not None:
            return age_in_words(self.birth_date, when)
        if self.age_years is None:
            return ""
        months = int(self.age_years * 12 + 1e-6)
        return _age_words(months, int(self.age_years * 365.2425 + 1e-6))
