"""Facts that must agree exactly: quantities with units, dates, laterality.

Everything here works on one text and gives offsets into it.  `fold` maps full-width digits, letters
and punctuation to half width one code point for one code point, so offsets survive it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_WIDE = {code: code - 0xFEE0 for code in range(0xFF10, 0xFF5B)} | {
    ord("％"): ord("%"),
    ord("／"): ord("/"),
    ord("．"): ord("."),
    ord("－"): ord("-"),
    ord("～"): ord("~"),
    ord("—"): ord("-"),
    ord("–"): ord("-"),
    ord("μ"): ord("u"),
    ord("µ"): ord("u"),
    ord("×"): ord("*"),
    ord("\u00a0"): ord(" "),
}


def fold(text: str) -> str:
    """The same text in half width; the length never changes."""
    return text.translate(_WIDE)


_UNITS: dict[str, str] = {
    "℃": "℃",
    "°c": "℃",
    "摄氏度": "℃",
    "度": "℃",
    "mmhg": "mmHg",
    "毫米汞柱": "mmHg",
    "kpa": "kPa",
    "mg/kg": "mg/kg",
    "mg/dl": "mg/dL",
    "mg/l": "mg/L",
    "mg/d": "mg/d",
    "毫克": "mg",
    "mg": "mg",
    "微克": "ug",
    "mcg": "ug",
    "ug": "ug",
    "ug/l": "ug/L",
    "ng/ml": "ng/mL",
    "ng/l": "ng/L",
    "pg/ml": "pg/mL",
    "g/l": "g/L",
    "克": "g",
    "g": "g",
    "kg": "kg",
    "公斤": "kg",
    "千克": "kg",
    "ml": "mL",
    "毫升": "mL",
    "l/min": "L/min",
    "升": "L",
    "l": "L",
    "mmol/l": "mmol/L",
    "umol/l": "umol/L",
    "iu/l": "IU/L",
    "u/l": "U/L",
    "万u": "万U",
    "万单位": "万U",
    "iu": "IU",
    "u": "U",
    "单位": "U",
    "10^9/l": "10^9/L",
    "*10^9/l": "10^9/L",
    "*109/l": "10^9/L",
    "10^12/l": "10^12/L",
    "*10^12/l": "10^12/L",
    "*1012/l": "10^12/L",
    "%": "%",
    "次/分钟": "次/分",
    "次/分": "次/分",
    "次/min": "次/分",
    "bpm": "次/分",
    "cm": "cm",
    "厘米": "cm",
    "mm": "mm",
    "毫米": "mm",
    "小时": "h",
    "h": "h",
    "分钟": "min",
    "min": "min",
    "天": "d",
    "日": "d",
    "d": "d",
    "周期": "周期",
    "疗程": "疗程",
    "周岁": "岁",
    "周": "周",
    "个月": "月",
    "月": "月",
    "年": "年",
    "岁": "岁",
    "片": "片",
    "粒": "粒",
    "支": "支",
    "袋": "袋",
    "级": "级",
    "期": "期",
    "枚": "枚",
    "次": "次",
    "分": "分",
}
_UNIT = "|".join(sorted((re.escape(u) for u in _UNITS), key=len, reverse=True))
_COUNTED = "小时|分钟|周期|疗程|个月|天|日|周|月|年|岁|次|片|粒|支|袋|级|期|枚"
_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_NUMBER = r"\d+(?:\.\d+)?"
_QUANTITY = re.compile(
    rf"(?P<num>{_NUMBER}(?:\s*[*/~\-至x]\s*(?!10\^|10(?:9|12)/){_NUMBER})*)\s*(?:余|多)?\s*(?P<unit>{_UNIT})?"
    rf"|(?P<zh>[一二两三四五六七八九十]{{1,3}})(?P<zhunit>{_COUNTED})",
    re.IGNORECASE,
)
_LIST = re.compile(
    rf"(?:\d+(?:\.\d+)?\s*[、,，]\s*)+\d+(?:\.\d+)?\s*(?P<unit>{_UNIT})", re.IGNORECASE
)
_RELATIVE = re.compile(
    r"(?<=[前后同当隔第])[一二两]?[天日周次]|(?<=第)[一二三四五六七八九十]+[天日周次]"
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its canonical unit ("" when none is written) at ``[start, end)``.

    A compound (``5*4*2cm``, ``2/8``, ``160/95mmHg``, ``10-15mg``) is one quantity whose value is
    written ``5*4*2``; ``parts`` are its numbers.  ``near`` are the bigrams just before and after.
    """

    value: str
    unit: str
    start: int
    end: int
    parts: tuple[str, ...]
    near: frozenset[str]


def _canonical(number: str) -> str:
    whole, _, fraction = number.partition(".")
    fraction = fraction.rstrip("0")
    whole = whole.lstrip("0") or "0"
    return f"{whole}.{fraction}" if fraction else whole


def _chinese_number(text: str) -> int:
    tens, found, ones = text.partition("十")
    if not found:
        return int("".join(str(_DIGITS[c]) for c in text))
    return (_DIGITS[tens] if tens else 1) * 10 + (_DIGITS[ones] if ones else 0)


def quantities(text: str) -> list[Quantity]:
    """Every number of the text outside dates; the numbers of ``1、5、10分钟`` share their unit."""
    folded = _RELATIVE.sub(lambda m: " " * len(m[0]), fold(text))
    taken = [(d.start, d.end) for d in dates(text)]
    shared: dict[int, str] = {}
    for listed in _LIST.finditer(folded):
        for number in re.finditer(r"\d+(?:\.\d+)?", listed[0]):
            shared.setdefault(listed.start() + number.start(), _UNITS[listed["unit"].lower()])
    found: list[Quantity] = []
    for match in _QUANTITY.finditer(folded):
        start, end = match.span()
        if any(left <= start < right for left, right in taken):
            continue
        if match["num"]:
            parts = tuple(_canonical(n) for n in re.findall(r"\d+(?:\.\d+)?", match["num"]))
            joint = re.search(r"[*/~\-至x]", match["num"])
            value = ("-" if joint and joint[0] in "~-至" else joint[0] if joint else "").join(parts)
            unit = _UNITS[match["unit"].lower()] if match["unit"] else shared.get(start, "")
        else:
            parts = (str(_chinese_number(match["zh"])),)
            value, unit = parts[0], _UNITS[match["zhunit"]]
        near = frozenset(
            bigrams(folded[max(0, start - 10) : start]) | bigrams(folded[end : end + 6])
        )
        found.append(Quantity(value, unit, start, end, parts, near))
    return found


@dataclass(frozen=True, slots=True)
class WrittenDate:
    """A date as written; the parts that are not written are None."""

    year: int | None
    month: int
    day: int | None
    start: int
    end: int

    def agrees(self, other: WrittenDate) -> bool:
        """True when no part that both write differs."""
        pairs = ((self.year, other.year), (self.month, other.month), (self.day, other.day))
        return all(a == b for a, b in pairs if a is not None and b is not None)


_DATE = re.compile(
    r"(?P<y>(?:19|20)\d{2})\s*[年\-/.]\s*(?P<m>\d{1,2})(?:\s*[月\-/.]\s*(?P<d>\d{1,2})\s*日?|\s*月)"
    r"|(?P<m2>\d{1,2})\s*月\s*(?P<d2>\d{1,2})\s*日"
)


def dates(text: str) -> list[WrittenDate]:
    """Dates with a year and a month at least, or with a month and a day."""
    found = []
    for match in _DATE.finditer(fold(text)):
        month = int(match["m"] or match["m2"])
        day = match["d"] or match["d2"]
        if not 1 <= month <= 12 or (day and not 1 <= int(day) <= 31):
            continue
        found.append(
            WrittenDate(
                year=int(match["y"]) if match["y"] else None,
                month=month,
                day=int(day) if day else None,
                start=match.start(),
                end=match.end(),
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class Side:
    """左, 右 or 双 with the body part after it (up to 3 code points, 侧 dropped)."""

    side: str
    part: str
    start: int
    end: int


_SIDE = re.compile(
    r"(?P<side>双|左(?!右|旋|氧|卡|西|甲|炔|乙|布|洛|奥)|(?<!左)右(?!旋|美|佐|雷|丙|酮|酰))"
    r"(?:侧|边)?(?P<part>[\u4e00-\u9fff]{0,3})"
)
_NOT_SIDES = re.compile(r"双(?:氯|歧|黄|胍|嘧|相|层|重|膦|肽|抗|联|向|酚)")


def sides(text: str) -> list[Side]:
    """Laterality words; drug names such as 左氧氟沙星 and 双氯芬酸 are not laterality."""
    return [
        Side(match["side"], match["part"], match.start(), match.end())
        for match in _SIDE.finditer(text)
        if not _NOT_SIDES.match(text, match.start())
    ]


_CUE = re.compile(
    r"否认|未见|未及|未闻|未触及|未诉|未发现|未查见|未出现|未行|未予|未使用|没有|不伴|阴性|排除|(?<![如若])无"
    r"(?!力|尿|菌|痛性|创|线|明显诱因|名|机|水|神|关|效)"
)
CONTENT = re.compile(r"[\u4e00-\u9fffA-Za-z]")


@dataclass(frozen=True, slots=True)
class NegatedPhrase:
    """What follows a negation cue, up to 6 code points or the next punctuation."""

    cue: str
    phrase: str
    start: int
    end: int


def negated_phrases(text: str) -> list[NegatedPhrase]:
    """Phrases after a negation cue; 阴性 takes what stands before it."""
    found = []
    for match in _CUE.finditer(text):
        if match[0] == "阴性":
            before = re.search(r"[\u4e00-\u9fffA-Za-z0-9]{2,6}$", text[: match.start()])
            if before:
                found.append(NegatedPhrase(match[0], before[0], before.start(), match.end()))
            continue
        after = re.match(r"(?:明显|任何)?([\u4e00-\u9fffA-Za-z]{1,6})", text[match.end() :])
        if after:
            end = match.end() + after.end()
            found.append(NegatedPhrase(match[0], after[1], match.start(), end))
    return found


def has_negation(text: str) -> bool:
    """True when the text has any negation cue."""
    return _CUE.search(text) is not None


_STOP = set("的了在于是为有与及和并等之给予患者目前本次")
_FILLER = re.compile(
    r"出院时|入院时|入院后|出院后|住院期间|经治疗|之后|随后|此后|降至|升至|达到|尚未|未出|发生|发现|出现|结果|进行|治疗后"
)
_ABBREVIATIONS = [
    (re.compile(r"\bspo[2₂]|指脉氧(?:饱和度)?|血氧饱和度|氧饱和度"), "血氧"),
    (re.compile(r"\bbp\b"), "血压"),
    (re.compile(r"\bt(?=\s*[::]?\s*3\d)"), "体温"),
    (re.compile(r"\bp(?=\s*[::]?\s*\d)|\bhr\b"), "脉搏"),
    (re.compile(r"\br(?=\s*[::]?\s*\d)"), "呼吸"),
    (re.compile(r"\bwbc\b"), "白细胞"),
    (re.compile(r"\bhb\b|\bhgb\b"), "血红蛋白"),
    (re.compile(r"\bplt\b"), "血小板"),
    (re.compile(r"\bcrp\b"), "c反应蛋白"),
    (re.compile(r"\bpct\b"), "降钙素原"),
]
"""Abbreviations of the ward, written out so that either wording supports the other."""


def bigrams(text: str) -> set[str]:
    """Pairs of neighbouring content characters, without function words, digits, punctuation."""
    folded = fold(text).lower()
    for pattern, written_out in _ABBREVIATIONS:
        folded = pattern.sub(written_out, folded)
    folded = _FILLER.sub(" ", folded)
    kept = "".join(c if CONTENT.match(c) and c not in _STOP else " " for c in folded)
    return {word[i : i + 2] for word in kept.split() for i in range(len(word) - 1)}
