"""Time expressions: dates, times before or after something, durations, ages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from assistant.grounding.facts import dates
from assistant.tasks.structuring.entity import Anchor, TimeExpression, TimeKind
from knowledge.text.folding import fold

_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"两": 2, "半": 0.5}
_DAYS = {
    "年": 365.25,
    "月": 30.44,
    "周": 7.0,
    "星期": 7.0,
    "天": 1.0,
    "日": 1.0,
    "小时": 1 / 24,
    "h": 1 / 24,
    "分钟": 1 / 1440,
    "min": 1 / 1440,
}
_OF = r"入院|住院|来院|就诊|手术|术|伤|产|发病|起病|出院|服药|用药|化疗|放疗"


def _number_and_unit(tag: str, between: str = "") -> str:
    return (
        rf"(?P<n{tag}>\d{{1,4}}(?:\.\d)?|[一二两三四五六七八九十半]{{1,3}}|[数几])"
        rf"(?:[-~至]\d{{1,3}})?\+?{between}"
        rf"(?P<unit{tag}>年|月|周|星期|天|日|小时|h(?![a-z])|分钟|min)"
    )


def _length_pattern(tag: str) -> str:
    return _number_and_unit(tag, "(?:余|多|来)?个?半?") + "(?:余|多)?"


_RELATIVE = re.compile(
    rf"(?:约|近|于)?{_length_pattern('_ago')}(?:之|以)?前(?!列)"
    rf"|(?P<of_nth>{_OF})(?:后)?的?第{_number_and_unit('_nth')}"
    rf"|(?P<of_after>{_OF})后约?{_length_pattern('_after')}"
    rf"|(?P<of_before>{_OF})前约?{_length_pattern('_before')}"
    r"|(?P<word>今[日天晨晚早]|昨[日天晚夜晨]|前[天日](?!列)|当[日天晚](?!归)|次日|第二天"
    r"|去年|前年|上周|上个?月)",
    re.IGNORECASE,
)
_DURATION = re.compile(rf"{_length_pattern('')}(?!前|后|龄|[a-z0-9])", re.IGNORECASE)
_AGE = re.compile(r"(?P<n>\d{1,3})(?:周)?岁(?:余|多)?(?:半)?(?:时)?")
_YEAR = re.compile(r"(?P<y>(?:19|20)\d{2})年(?!\s*\d{1,2}\s*月)")
_ANCHORS: dict[str, Anchor] = {
    "入院": "admission", "住院": "admission", "来院": "admission", "就诊": "admission",
    "手术": "operation", "术": "operation", "发病": "onset", "起病": "onset", "出院": "discharge",
}  # fmt: skip
_WORDS = {"今": 0.0, "昨": -1.0, "前天": -2.0, "前日": -2.0, "当": 0.0, "次日": 1.0}
_YEARS = {"去年": -1, "前年": -2}
_FAR = {"上周": -7.0, "上月": -30.0, "上个月": -30.0}


@dataclass(frozen=True)
class Anchors:
    """Dates that relative times count from, as far as they are known."""

    admission: date | None = None
    note: date | None = None

    @property
    def is_later(self) -> bool:
        """Whether the note was written in the course of the stay: 3天前 counts from it, where
        the story of an admission note counts from the admission."""
        if self.admission is None or self.note is None:
            return False
        return self.note > self.admission + timedelta(days=1)

    def of(self, anchor: Anchor) -> date | None:
        """The date of an anchor, or None."""
        return {"admission": self.admission, "note": self.note}.get(anchor)


def time_expressions(text: str, anchors: Anchors | None = None) -> list[TimeExpression]:
    """All time expressions of ``text`` in its order, none overlapping another."""
    anchors = anchors or Anchors()
    folded = fold(text)
    found: list[TimeExpression] = []
    taken = bytearray(len(text))

    def keep(
        start: int, end: int, kind: TimeKind, value: str, days: float | None, anchor: Anchor
    ) -> None:
        if any(taken[start:end]):
            return
        taken[start:end] = b"\1" * (end - start)
        found.append(
            TimeExpression(
                start=start, end=end, text=text[start:end], kind=kind, value=value,
                days=days, anchor=anchor,
            )
        )  # fmt: skip

    for written in dates(text):
        keep(
            written.start,
            written.end,
            "date",
            _iso(written.year, written.month, written.day),
            None,
            "",
        )
    for match in _YEAR.finditer(folded):
        keep(match.start(), match.end(), "date", match["y"], None, "")
    for match in _RELATIVE.finditer(folded):
        days, anchor = _relative(match)
        value = _placed(match[0], days, anchor, anchors)
        keep(match.start(), match.end(), "relative", value, days, anchor)
    for match in _AGE.finditer(folded):
        keep(match.start(), match.end(), "age", "", float(match["n"]) * 365.25, "")
    for match in _DURATION.finditer(folded):
        keep(match.start(), match.end(), "duration", "", _length(match["n"], match["unit"]), "")
    return sorted(found, key=lambda time: time.start)


def _iso(year: int | None, month: int, day: int | None) -> str:
    """As much of an ISO date as is written; a day of no year is ``--03-05`` (ISO 8601:2000)."""
    if year is None:
        return f"--{month:02}-{day:02}"
    return f"{year}-{month:02}" + (f"-{day:02}" if day else "")


def _number(text: str) -> float | None:
    if text[0].isascii():
        return float(text)
    if text in ("数", "几"):
        return None
    tens, ten, ones = text.partition("十")
    if not ten:
        return float(sum(_DIGITS[c] * 10**i for i, c in enumerate(reversed(text))))
    return float((_DIGITS.get(tens, 1) if tens else 1) * 10 + (_DIGITS.get(ones, 0) if ones else 0))


def _length(number: str, unit: str) -> float | None:
    count = _number(number)
    return None if count is None else round(count * _DAYS[unit.lower()], 3)


def _relative(match: re.Match[str]) -> tuple[float | None, Anchor]:
    """Days from the anchor (negative before it), and the anchor.

    The first day in hospital is the day of admission itself; the first day after an operation
    (术后第1天) is the day after it.
    """
    if match["n_ago"]:
        days = _length(match["n_ago"], match["unit_ago"])
        return (None if days is None else -days), "admission"
    if match["n_nth"]:
        anchor = _ANCHORS.get(match["of_nth"], "")
        days = _length(match["n_nth"], match["unit_nth"])
        first = 1 if anchor == "admission" else 0
        return (None if days is None else days - first), anchor
    if match["n_after"]:
        days = _length(match["n_after"], match["unit_after"])
        return days, _ANCHORS.get(match["of_after"], "")
    if match["n_before"]:
        days = _length(match["n_before"], match["unit_before"])
        return (None if days is None else -days), _ANCHORS.get(match["of_before"], "")
    word = match["word"]
    if word in _YEARS:
        return _YEARS[word] * 365.25, "note"
    for words in (_FAR, _WORDS):
        for beginning, days_from in words.items():
            if word.startswith(beginning):
                return days_from, "note"
    return None, "note"


def _placed(text: str, days: float | None, anchor: Anchor, anchors: Anchors) -> str:
    """The date that a relative time comes to, as exactly as it is said."""
    if anchor == "admission" and "前" in text and anchors.is_later:
        anchor = "note"
    base = anchors.of(anchor)
    if base is None and anchor in ("admission", "note"):
        base = anchors.admission or anchors.note
    if base is None or days is None:
        return ""
    try:
        day = base + timedelta(days=days)
    except OverflowError:
        return ""
    if "年" in text and "半" not in text:
        return f"{day.year:04}"
    return f"{day.year:04}-{day.month:02}" if "月" in text or "年" in text else day.isoformat()
