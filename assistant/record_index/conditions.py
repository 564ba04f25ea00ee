"""What a single condition of the query language comes to."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import cast

from assistant.record_index.amounts import read_amount
from assistant.record_index.errors import QueryError
from assistant.record_index.query import (
    Coded,
    Compare,
    Contains,
    Dated,
    Has,
    Leaf,
    OfPatient,
    Operator,
    Outcome,
)
from assistant.record_index.tokens import Token
from assistant.record_index.vocabulary import Field, Status, name_of

LONGEST_NAME = 100
_DAY = re.compile(r"(\d{4})(?:[-/.年](\d{1,2})(?:[-/.月](\d{1,2})日?|月)?|年)?")
_CODE = re.compile(r"[A-Za-z0-9.+_-]{1,32}\*?")


def plain(subject: Token, words: str) -> Has:
    """A name alone: the patient has it."""
    return Has(words, _name(subject), exact=subject.kind == "quoted", at=subject.at)


def with_status(words: str, subject: Token, status: Status) -> Leaf:
    """A name with what it came to, or how it stands."""
    if status.kind == "outcome":
        return Outcome(words, _name(subject), status.means, subject.at)
    exact = subject.kind == "quoted"
    return Has(words, _name(subject), (), status.means[0], exact, subject.at)


def field_condition(words: str, field: Field, value: Token, status: Status | None) -> Leaf:
    """``field:value`` and ``field:value:status``.  Raises `QueryError`."""
    if field.kind == "date":
        return dated(words, value.at, "=", value)
    if field.kind in ("text", "title"):
        return Contains(words, _limited(value), field.kind == "title", value.at)
    if field.kind == "patient":
        return OfPatient(words, _limited(value), value.at)
    if field.kind == "code":
        if not _CODE.fullmatch(value.text):
            raise QueryError(value.at, "编码应如 C34 或 C34.9", "a code is like C34 or C34.9")
        return Coded(words, value.text.rstrip("*").lower(), value.at)
    if status is not None and status.kind == "outcome":
        return Outcome(words, _name(value), status.means, value.at)
    standing = status.means[0] if status else "present"
    return Has(words, _name(value), field.types, standing, value.kind == "quoted", value.at)


def compared(words: str, subject: Token, operator: str, value: Token) -> Compare:
    """A name against a number.  Raises `QueryError`."""
    read = read_amount(value.text)
    if read is None:
        raise QueryError(
            value.at,
            f"“{value.text[:20]}”不是数值；数值如 120umol/L 或 10×10^9/L",
            "this is no number; numbers are like 120umol/L or 10×10^9/L",
        )
    amount, end = read
    if end < len(value.text):
        raise QueryError(
            value.at + end, f"不认识的单位“{value.text[end:][:20]}”", "an unknown unit"
        )
    return Compare(
        words,
        _name(subject),
        cast(Operator, operator),
        amount.number,
        amount.dimensions,
        subject.at,
    )


def dated(words: str, at: int, operator: str, value: Token) -> Dated:
    """Days: a year and a month stand for all of their days.  Raises `QueryError`."""
    begin, after = _days(value)
    match operator:
        case ">=":
            return Dated(words, begin, "", at)
        case ">":
            return Dated(words, after, "", at)
        case "<":
            return Dated(words, "", begin, at)
        case "<=":
            return Dated(words, "", after, at)
        case "=":
            return Dated(words, begin, after, at)
    raise QueryError(at, "日期不能用 != 比较", "days are not compared with !=")


def _days(value: Token) -> tuple[str, str]:
    """The first day, and the first day after."""
    match = _DAY.fullmatch(value.text)
    if match is not None:
        year, month, day = (int(part) if part else 0 for part in match.groups())
        try:
            first = date(year, month or 1, day or 1)
            if day:
                after = first + timedelta(days=1)
            elif month:
                after = date(year + month // 12, month % 12 + 1, 1)
            else:
                after = date(year + 1, 1, 1)
            return first.isoformat(), after.isoformat()
        except (ValueError, OverflowError):
            pass
    raise QueryError(
        value.at,
        f"“{value.text[:20]}”不是日期；日期如 2025-01-01、2025-01 或 2025",
        "this is no day; days are like 2025-01-01, 2025-01 or 2025",
    )


def _name(token: Token) -> str:
    _limited(token)
    name = name_of(token.text)
    if not name:
        raise QueryError(token.at, "名称是空的", "an empty name")
    return name


def _limited(token: Token) -> str:
    if len(token.text) > LONGEST_NAME:
        raise QueryError(
            token.at,
            f"名称有 {len(token.text)} 个字符，最多 {LONGEST_NAME} 个",
            f"a name of more than {LONGEST_NAME} characters",
        )
    return token.text
