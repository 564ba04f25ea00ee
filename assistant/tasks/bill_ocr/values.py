"""What was read, as a value: amounts with two decimals, days as YYYY-MM-DD, numbers, names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from assistant.tasks.bill_ocr.chinese_amount import FIGURES, capital_figures, find_words, read_words
from assistant.tasks.bill_ocr.labels import folded
from knowledge.text.dates import dates
from knowledge.text.number import plain as plain_number
from knowledge.text.number import read_number

_AMOUNT = re.compile(r"(?P<sign>-?)[¥Y]?(?P<minus>-?)(?P<number>\d[\d,]*(?:\.\d+)?)元?")
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")
# A reader of pages may lose marks and spaces: 202412-07, 2024-03-0508:12.
_COMPACT = re.compile(
    r"(?<!\d)((?:19|20)\d{2})[-/.年]?(0[1-9]|1[0-2])[-/.月]?([0-2]\d|3[01])(?!\d(?!\d?:))"
)
_POINTS = re.compile(
    r"(?<![\d.,])(?P<sign>[-¥]{0,2})(?P<number>\d{1,3}(?:(?:[.,]\d{3})+[.,:]|[,:])\d{2})(?!\d)"
)
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")
_NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-]*")
_PERSON = re.compile(r"[\u4e00-\u9fff·]{2,12}")
_LATIN_PERSON = re.compile(r"[A-Z][A-Za-z.'\-]*(?:[ ,]{1,2}[A-Za-z][A-Za-z.'\-]*){0,5}")
_SEXES = {"male": "男", "m": "男", "female": "女", "f": "女"}
_AGE = re.compile(r"\d{1,3}\s*(?:周?岁|个?月|天|日)?(?:\s*\d{1,2}\s*(?:个?月|天))?")
_FIGURE = re.compile(f"[{FIGURES}]")
_EDGES = ":;,.-_|/ "
UNREADABLE = "无法识别为金额"
NO_POINT = "可能漏读小数点"
LOST_COMMA = "千位分隔符可能误读"


@dataclass(frozen=True, slots=True)
class Value:
    """A value, where it stands in the text it was read from, and what speaks against it."""

    value: str
    start: int
    end: int
    doubt: str = ""


def money(value: Decimal) -> str:
    """With two decimals, or as many as there are where they are more."""
    exponent = value.as_tuple().exponent
    return str(value) if isinstance(exponent, int) and exponent < -2 else f"{value:.2f}"


def decimal_of(text: str) -> Decimal | None:
    """A plain number (12.50, 1,234.5) as a whole; None for anything else."""
    number = text.strip()
    sign = -1 if number.startswith("-") else 1
    number = number.removeprefix("-")
    if not _GROUPED.fullmatch(number):
        return None
    digits = number.replace(",", "")
    read = read_number(digits, 0)
    if read is None or read.end != len(digits):
        return None
    return sign * read.value


def read_value(kind: str, text: str) -> Value | None:
    """The first value of this type in ``text``; None where there is none."""
    return _READERS[kind](folded(text))


def _amount(text: str) -> Value | None:
    if points := _POINTS.search(text):
        # 1.015.55 and 4,556:88: a comma that was read as a point, a point as a colon.
        amount = Decimal(re.sub(r"[.,:]", "", points["number"])) / 100
        amount = -amount if "-" in points["sign"] else amount
        doubt = "" if _GROUPED.fullmatch(points["number"]) else LOST_COMMA
        return Value(money(amount), points.start(), points.end(), doubt)
    found = _AMOUNT.search(text)
    if found is None:
        return None
    number = found["number"]
    value = decimal_of(number)
    sign = "-" if found["sign"] or found["minus"] else ""
    if value is None:
        return Value(text.strip(_EDGES), found.start(), found.end(), UNREADABLE)
    around = text[: found.start()].strip(_EDGES + "¥Y") + text[found.end() :].strip(_EDGES + "元")
    doubt = UNREADABLE if around and not find_words(around) else ""
    doubt = doubt or ("" if "." in number else NO_POINT)
    return Value(sign + money(value), found.start(), found.end(), doubt)


def _words(text: str) -> Value | None:
    text = capital_figures(text)
    found = find_words(text)
    if found is None:
        return None
    value = read_words(found[0])
    # 抬伍元 behind 叁佰捌: what a seal spoiled is a part of the amount.
    spoiled = bool(_FIGURE.search(text[: found.start()]))
    if value is None or spoiled:
        return Value(found[0], found.start(), found.end(), "大写金额无法识别")
    return Value(money(value), found.start(), found.end())


def _date(text: str) -> Value | None:
    for one in dates(text):
        if one.day is not None and one.year is not None:
            return Value(one.iso, one.start, one.end)
    found = _COMPACT.search(text)
    if found is None:
        return None
    year, month, day = found.groups()
    written = dates(f"{year}-{month}-{day}")
    if not written:
        return Value(found[0], found.start(), found.end(), "日期无效")
    return Value(written[0].iso, found.start(), found.end())


def _time(text: str) -> Value | None:
    day = _date(text)
    if day is None:
        return None
    clock = _CLOCK.search(text, day.end)
    if clock is None or text[day.end : clock.start()].strip(_EDGES):
        return day
    seconds = f":{clock[3]}" if clock[3] else ""
    return Value(
        f"{day.value} {int(clock[1]):02}:{clock[2]}{seconds}", day.start, clock.end(), day.doubt
    )


def _sex(text: str) -> Value | None:
    found = re.search("[男女]", text)
    if found is None and text.strip(_EDGES).lower() in _SEXES:
        word = text.strip(_EDGES)
        start = text.index(word)
        return Value(_SEXES[word.lower()], start, start + len(word))
    return Value(found[0], found.start(), found.end()) if found else None


def _age(text: str) -> Value | None:
    found = _AGE.search(text)
    return Value(found[0].strip(), found.start(), found.end()) if found else _text(text)


def _number(text: str) -> Value | None:
    found = _NUMBER.search(text)
    return Value(found[0].strip("-"), found.start(), found.end()) if found else None


def _code(text: str) -> Value | None:
    found = _NUMBER.search(text)
    return Value(found[0], found.start(), found.end()) if found else None


def _name(text: str) -> Value | None:
    found = _PERSON.search(text)
    if found is None and (found := _LATIN_PERSON.fullmatch(text.strip(_EDGES))) is not None:
        start = text.index(found[0])
        return Value(found[0], start, start + len(found[0])) if len(found[0]) > 2 else None
    return Value(found[0], found.start(), found.end()) if found else None


def _text(text: str) -> Value | None:
    stripped = text.strip(_EDGES)
    if not stripped:
        return None
    start = text.index(stripped)
    return Value(stripped, start, start + len(stripped))


_READERS = {
    "amount": _amount,
    "words": _words,
    "date": _date,
    "time": _time,
    "sex": _sex,
    "age": _age,
    "department": _text,
    "bed": _text,
    "number": _number,
    "code": _code,
    "name": _name,
    "text": _text,
    "skip": _text,
}


def quantity_of(text: str) -> str | None:
    """A count without needless zeros; None where it is no number."""
    value = decimal_of(folded(text))
    return None if value is None else plain_number(value)
