"""Dates as notes write them, moved by a number of days and written the same way."""

from __future__ import annotations

import datetime
import re

_DIGITS = "〇一二三四五六七八九"
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d{2})(?=[年\-/.])")
_FULL = re.compile(r"(\d{4}|\d{2})(\s*[年\-/.]\s*)(\d{1,2})(\s*[月\-/.]\s*)(\d{1,2})(?!\d)")
_PACKED = re.compile(r"((?:19|20)\d{2})(\d{2})(\d{2})")
_BACKWARDS = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2((?:19|20)\d{2})")
_MONTH = re.compile(r"(\d{4})(年|[-/.])(\d{1,2})(?!\d)")
_DAY = re.compile(r"(\d{1,2})(月)(\d{1,2})(?!\d)")
_PART = re.compile(r"(\d{1,2})(月)(?=初|底|末|[上中下]旬|份)")
_HAN = re.compile(
    rf"([{_DIGITS}零○]{{4}})年(?:([{_DIGITS}十]{{1,3}})月)?(?:([{_DIGITS}十]{{1,3}})([日号]))?"
)
_HAN_DAY = re.compile(rf"([{_DIGITS}十]{{1,3}})月([{_DIGITS}十]{{1,3}})([日号])")
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_ENGLISH = re.compile(r"([A-Z][a-z]{2,8})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})")
_ENGLISH_DAY = re.compile(r"(\d{1,2})(?:st|nd|rd|th)? ([A-Z][a-z]{2,8})\.?(?:,? (\d{4}))?")
_USUAL_YEAR = 2022


def first_year(text: str) -> int | None:
    """The first year that a date of ``text`` names: that of its dates without one."""
    match = _YEAR.search(text)
    return int(match[1]) if match else None


def moved(text: str, days: int, year: int | None) -> str | None:
    """The date that ``text`` is (and what stands around it), ``days`` later; None if it is none.

    ``year``: that of a date without one.  The time of day stays.
    """
    usual = year or _USUAL_YEAR
    for pattern, write in (
        (_FULL, _full),
        (_PACKED, _packed),
        (_BACKWARDS, _backwards),
        (_MONTH, _month),
        (_DAY, _day),
        (_PART, _part),
        (_HAN, _han),
        (_HAN_DAY, _han_day),
        (_ENGLISH, _english),
        (_ENGLISH_DAY, _english_day),
    ):
        match = pattern.search(text)
        if match is None:
            continue
        try:
            made = write(match, datetime.timedelta(days), usual)
        except (ValueError, OverflowError):
            return None
        return text[: match.start()] + made + text[match.end() :]
    return None


def _two(number: int, model: str, other: str, padded: bool = False) -> str:
    """``number``, with a leading zero where the date had one."""
    padded = model.startswith("0") or other.startswith("0") or padded
    return f"{number:02d}" if padded else str(number)


def _full(m: re.Match[str], by: datetime.timedelta, usual: int) -> str:
    short = len(m[1]) == 2
    year = int(m[1]) + (2000 if short else 0)
    day = datetime.date(year, int(m[3]), int(m[5])) + by
    digits = f"{day.year % 100:02d}" if short else str(day.year)
    # 2023-11-14 would have had a zero, 2023年11月14日 perhaps not.
    padded = len(m[3]) == len(m[5]) == 2 and m[2].strip() in "-/."
    months, number = _two(day.month, m[3], m[5], padded), _two(day.day, m[5], m[3], padded)
    return f"{digits}{m[2]}{months}{m[4]}{number}"


def _packed(m: re.Match[str], by: datetime.timedelta, usual: int) -> str:
    return (datetime.date(int(m[1]), int(m[2]), int(m[3])) + by).strftime("%Y%m%d")


def _backwards(m: re.Match[str], by: datetime.timedelta, usual: int) -> str:
    first, second = int(m[1]), int(m[3])
    day_first = first > 12
    month, number = (second, first) if day_first else (first, second)
    day = datetime.date(int(m[4]), month, number) + by
    parts = (day.day, day.month) if day_first else (day.month, day.day)
    return f"{_two(parts[0], m[1], m[3])}{m[2]}{_two(parts[1], m[3], m[1])}{m[2]}{day.year}"


def _month(m: re.Match[str], by: datetime.timedelta, usual: int) -> str:
    day = datetime.date(int(m[1]), int(m[3]), 15) + by
    return f"{day.year}{m[2]}{_two(day.month, m[3], m[3])}"


def _day(m: re.Match[str], by: datetime.timedelta, usual: int) -> str:
    day = datetime.date(usual, int(m[1]), int(m[3])) + by
    return f"{_two(day.month, m[1], m[3])}{m[2]}{_two(day.day, m[3], m[1])}"


def _part(m: re.Match[str], by: datetime.timedelta, usual: int) -> str:
    day = datetime.date(usual, int(m[1]), 15) + by
    return f"{day.month}{m[2]}"


def _han(m: re.Match[str], by: datetime.timedelta, usual: int) -> str:
    year = int("".join("0" if c in "零○" else str(_DIGITS.index(c)) for c in m[1]))
    month, number = _value(m[2] or "六"), _value(m[3] or "十五")
    day = datetime.date(year, month, number) + by
    digits = "".join(_DIGITS[int(c)] for c in str(day.year)) + "年"
    digits += f"{_written(day.month)}月" if m[2] else ""
    return digits + (f"{_written(day.day)}{m[4]}" if m[3] else "")


def _han_day(m: re.Match[str], by: datetime.timedelta, usual: int) -> str:
    day = datetime.date(usual, _value(m[1]), _value(m[2])) + by
    return f"{_written(day.month)}月{_written(day.day)}{m[3]}"


def _english(m: re.Match[str], by: datetime.timedelta, usual: int) -> str:
    day = datetime.date(int(m[3]), _named(m[1]), int(m[2])) + by
    return f"{day:%B} {day.day}, {day.year}"


def _english_day(m: re.Match[str], by: datetime.timedelta, usual: int) -> str:
    day = datetime.date(int(m[3] or usual), _named(m[2]), int(m[1])) + by
    return f"{day.day} {day:%B}" + (f" {day.year}" if m[3] else "")


def _named(month: str) -> int:
    return _MONTHS.index(month[:3]) + 1


def _value(numeral: str) -> int:
    tens, ten, ones = numeral.rpartition("十")
    value = 10 * (_DIGITS.index(tens) if tens else 1) if ten else 0
    return value + (_DIGITS.index(ones) if ones else 0)


def _written(number: int) -> str:
    tens, ones = divmod(number, 10)
    lead = "" if not tens else ("十" if tens == 1 else f"{_DIGITS[tens]}十")
    return lead + (_DIGITS[ones] if ones else "")
