"""Times as they are written: dates, times before or after something, durations, ages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from knowledge.text.dates import (
    HAN,
    YEAR_WORDS,
    WrittenDate,
    clocks,
    dates,
    figure_of,
    impossible_dates,
    written_dates,
)
from knowledge.text.folding import fold
from knowledge.text.number import read_number

__all__ = ["Anchors", "Time", "WrittenDate", "clocks", "dates", "impossible_dates", "times"]

TimeKind = Literal["date", "relative", "duration", "age"]
Anchor = Literal["admission", "operation", "onset", "note", "discharge", ""]

_YEAR = re.compile(rf"(?<!\d)(?P<y>(?:19|20)\d{{2}}|{YEAR_WORDS})年(?!\s*[\d{HAN}]{{1,2}}\s*月)")
_OF_YEAR = re.compile(
    r"(?P<word>去年|前年|今年|本年)(?P<m>\d{1,2}|[一二三四五六七八九十]{1,2})月份?"
    r"(?:(?P<d>\d{1,2})[日号])?"
)
_OF_MONTH = re.compile(r"(?P<word>[本当上])个?月(?P<d>\d{1,2})[日号]")
_DAYS = {
    "年": 365.25, "月": 30.44, "周": 7.0, "星期": 7.0, "天": 1.0, "日": 1.0, "小时": 1 / 24,
    "h": 1 / 24, "分钟": 1 / 1440, "min": 1 / 1440, "d": 1.0,
}  # fmt: skip
_LENGTH_START = re.compile(r"\d|[一二两三四五六七八九十百半数几]")
_TIME_UNIT = re.compile(
    r"[ \t]?个?(?P<half>半)?(?P<unit>年|月|周|星期|天|日|小时|h(?![a-z])|分钟|min|d(?![a-z]))"
)
_SOME = re.compile(r"[余多来几+]")
_RANGE_JOINT = re.compile(r"[-~至到]")
_HALF_AFTER = re.compile(r"半(?!径|侧|身|球)")
_AGO = re.compile(r"[余多]?(?:之|以)?前(?![列臂额胸壁庭降])")
_RECENT = re.compile(r"(?:最近|近|这|过去|既往)的?约?\Z")
_SINCE = re.compile(r"[余多]?(?:以)?来(?!院|我|诊)")
_NO_DURATION = re.compile(r"[余多]?(?:前|后|龄)|[a-z0-9]")
_ANCHORS: dict[str, Anchor] = {
    "入院": "admission", "住院": "admission", "来院": "admission", "就诊": "admission",
    "手术": "operation", "术": "operation", "伤": "", "产": "", "发病": "onset",
    "起病": "onset", "出院": "discharge", "服药": "", "用药": "", "化疗": "", "放疗": "",
}  # fmt: skip
_OF_PATTERN = re.compile(rf"(?P<of>{'|'.join(_ANCHORS)})(?P<way>(?:后)?的?第|后约?|前约?)\Z")
_AGE = re.compile(r"(?:周)?岁(?:余|多)?(?:半)?(?:时)?")
_WORD = re.compile(
    r"大前天|今[日天晨晚早]|昨[日天晚夜晨]|昨(?=起|开始)|前[天日](?!列)|当[日天晚](?!归)|次日|第二天"
    r"|去年|前年|上个?(?:周|星期|礼拜)(?P<weekday>[一二三四五六日天])?|上个?月"
)
_WORDS = {"大前": -3, "今": 0, "昨": -1, "前": -2, "当": 0, "次日": 1}
_WEEKDAYS = {character: day for day, character in enumerate("一二三四五六日")} | {"天": 6}


@dataclass(frozen=True, slots=True)
class Time:
    """When, at ``[start, end)``.

    ``value`` is an ISO date as far as it is known, else "".  ``days`` counts from ``anchor``,
    negative before it; for a duration it is its length.  ``recent``: the duration is the last one
    before now (近3天, 1周来).  ``exact`` is false for what is only about then (上周).
    """

    start: int
    end: int
    kind: TimeKind
    value: str = ""
    days: float | None = None
    anchor: Anchor = ""
    recent: bool = False
    exact: bool = True


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
        return (self.note - self.admission).days > 1

    def of(self, anchor: Anchor) -> date | None:
        """The date of an anchor, or None."""
        return {"admission": self.admission, "note": self.note}.get(anchor)


def times(text: str, anchors: Anchors | None = None) -> list[Time]:
    """All times of ``text`` in its order, none overlapping another."""
    anchors = anchors or Anchors()
    folded = fold(text)
    taken = bytearray(len(text))
    found: list[Time] = []

    def keep(time: Time) -> None:
        if not any(taken[time.start : time.end]):
            found.append(time)
            taken[time.start : time.end] = b"\1" * (time.end - time.start)

    for one in written_dates(folded):
        if one.is_possible:
            keep(Time(one.start, one.end, "date", one.iso))
        else:
            taken[one.start : one.end] = b"\1" * (one.end - one.start)
    for match in _YEAR.finditer(folded):
        keep(Time(*match.span(), "date", str(figure_of(match["y"]))))
    for time in _of_year(folded, anchors):
        keep(time)
    for time in _lengths(folded, anchors):
        keep(time)
    for match in _WORD.finditer(folded):
        keep(_word(match, anchors))
    return sorted(found, key=lambda time: time.start)


def _of_year(folded: str, anchors: Anchors) -> Iterator[Time]:
    """去年3月, 前年5月12日, 本月5日."""
    for match in _OF_YEAR.finditer(folded):
        back = {"去": -1, "前": -2}.get(match["word"][0], 0)
        base = anchors.note or anchors.admission
        one = WrittenDate(
            base.year + back if base else None,
            figure_of(match["m"]) or 0,
            figure_of(match["d"]),
            0,
            0,
        )
        if one.is_possible:
            value = one.iso if base else ""
            yield Time(*match.span(), "relative", value, back * 365.25, "note", exact=False)
    for match in _OF_MONTH.finditer(folded):
        base = anchors.note or anchors.admission
        month = base.replace(day=1) if base else None
        if month and match["word"] == "上":
            month = (month - timedelta(days=1)).replace(day=1)
        day = WrittenDate(month.year, month.month, int(match["d"]), 0, 0) if month else None
        value = day.iso if day and day.is_possible else ""
        yield Time(*match.span(), "relative", value, None, "note", exact=False)


def _lengths(folded: str, anchors: Anchors) -> Iterator[Time]:
    """Durations, with what they are counted from: 3天前, 术后第3天, 近1月, 10余年, 58岁."""
    at = 0
    while start := _LENGTH_START.search(folded, at):
        begin = start.start()
        found = _length(folded, begin)
        at = found[2] if found else _skip(folded, begin)
        if found is None:
            continue
        days, unit, end = found
        yield _length_time(folded, begin, end, days, unit, anchors)


def _skip(folded: str, at: int) -> int:
    end = at + 1
    while folded[at].isdecimal() and end < len(folded) and folded[end].isdecimal():
        end += 1
    return end


def _length(folded: str, at: int) -> tuple[float | None, str, int] | None:
    """(days, unit, end) of the length of time at ``at``; 岁 counts in years."""
    character = folded[at]
    count: float | None = None
    end = at + 1
    if character == "半":
        count = 0.5
    elif character not in "数几":
        number = read_number(folded, at)
        if number is None or number.scale or number.ambiguous or number.value >= 10_000:
            return None
        count, end = float(number.value), number.end
        joint = _RANGE_JOINT.match(folded, end)
        other = read_number(folded, joint.end()) if joint and joint.end() < len(folded) else None
        end = other.end if other else end
    while _SOME.match(folded, end):
        end += 1
    if age := _AGE.match(folded, end):
        half = 0.5 if "半" in age[0] else 0
        return (None if count is None else (count + half) * _DAYS["年"]), "岁", age.end()
    unit = _TIME_UNIT.match(folded, end)
    if unit is None:
        return None
    end, half = unit.end(), 0.5 if unit["half"] else 0.0
    if not half and _HALF_AFTER.match(folded, end):
        end, half = end + 1, 0.5
    if (more := _SOME.match(folded, end)) and more[0] in "余多":
        end += 1
    days = None if count is None else round((count + half) * _DAYS[unit["unit"]], 3)
    return days, unit["unit"] + ("半" if half or character == "半" else ""), end


def _length_time(
    folded: str, begin: int, end: int, days: float | None, unit: str, anchors: Anchors
) -> Time:
    if unit == "岁":
        return Time(begin, end, "age", "", days)
    before = folded[max(0, begin - 6) : begin]
    if of := _OF_PATTERN.search(before):
        start = begin - len(of[0])
        anchor, way = _ANCHORS[of["of"]], of["way"]
        if "第" in way:
            # The first day in hospital is the day of admission itself; 术后第1天 the day after it.
            days = None if days is None else days - (anchor == "admission")
        elif "前" in way:
            days = None if days is None else -days
        value = _placed(unit, days, anchor, anchors)
        return Time(start, end, "relative", value, days, anchor)
    if ago := _AGO.match(folded, end):
        start = begin - 1 if before.endswith(("约", "近", "于")) else begin
        days = None if days is None else -days
        anchor = "note" if anchors.is_later else "admission"
        value = _placed(unit, days, anchor, anchors)
        return Time(start, ago.end(), "relative", value, days, "admission")
    if _NO_DURATION.match(folded, end) or before.endswith("第"):
        return Time(begin, end, "duration", "", days, exact=False)
    recent = _RECENT.search(before)
    since = _SINCE.match(folded, end)
    return Time(begin, end, "duration", "", days, recent=bool(recent or since))


def _placed(unit: str, days: float | None, anchor: Anchor, anchors: Anchors) -> str:
    """The date that a relative time comes to, as exactly as it is said."""
    base = anchors.of(anchor)
    if base is None and anchor in ("admission", "note"):
        base = anchors.admission or anchors.note
    if base is None or days is None:
        return ""
    try:
        day = base + timedelta(days=days)
    except OverflowError:
        return ""
    if unit == "年":
        return f"{day.year:04}"
    return f"{day.year:04}-{day.month:02}" if unit[0] in "月年" else day.isoformat()


def _word(match: re.Match[str], anchors: Anchors) -> Time:
    word = match[0]
    base = anchors.note or anchors.admission
    if word in ("去年", "前年"):
        days = -365.25 if word == "去年" else -730.5
        value = _placed("年", days, "note", anchors)
        return Time(*match.span(), "relative", value, days, "note", exact=False)
    if word.startswith("上"):
        return _last_week(match, base) if word[-1] != "月" else _last_month(match, base)
    known = next((n for beginning, n in _WORDS.items() if word.startswith(beginning)), None)
    if known is None:
        return Time(*match.span(), "relative", "", None, "note")
    value = _placed("天", known, "note", anchors)
    return Time(*match.span(), "relative", value, float(known), "note")


def _last_week(match: re.Match[str], base: date | None) -> Time:
    """上周三 is a day, 上周 only about one."""
    if base is None:
        return Time(*match.span(), "relative", "", -7.0, "note", exact=False)
    monday = base - timedelta(days=base.weekday() + 7)
    if match["weekday"]:
        day = monday + timedelta(days=_WEEKDAYS[match["weekday"]])
        days = float((day - base).days)
        return Time(*match.span(), "relative", day.isoformat(), days, "note")
    sunday = monday + timedelta(days=6)
    value = monday.isoformat()[:7] if monday.month == sunday.month else ""
    return Time(*match.span(), "relative", value, -7.0, "note", exact=False)


def _last_month(match: re.Match[str], base: date | None) -> Time:
    value = (base.replace(day=1) - timedelta(days=1)).isoformat()[:7] if base else ""
    return Time(*match.span(), "relative", value, -30.0, "note", exact=False)
