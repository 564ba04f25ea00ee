"""Numbers with their units, grades and frequencies, as facts that must agree exactly.

Everything works in one pass over the text and gives offsets into it.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass

from assistant.grounding.facts import dates
from assistant.grounding.wording import bigrams, fold

_UNITS: dict[str, str] = {
    "℃": "℃",
    "°c": "℃",
    "摄氏度": "℃",
    "度": "℃",
    "mmhg": "mmHg",
    "毫米汞柱": "mmHg",
    "kpa": "kPa",
    "mg/kg": "mg/kg",
    "iu/kg": "IU/kg",
    "u/kg": "U/kg",
    "ug/kg": "ug/kg",
    "g/kg": "g/kg",
    "ml/kg": "mL/kg",
    "g/dl": "g/dL",
    "/hp": "/HP",
    "个/hp": "/HP",
    "/lp": "/LP",
    "个/lp": "/LP",
    "/ul": "/uL",
    "万/ul": "万/uL",
    "10^6/l": "10^6/L",
    "*10^6/l": "10^6/L",
    "x10^6/l": "10^6/L",
    "*106/l": "10^6/L",
    "x106/l": "10^6/L",
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
    "ng/dl": "ng/dL",
    "ug/ml": "ug/mL",
    "ug/dl": "ug/dL",
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
    "mmol": "mmol",
    "umol": "umol",
    "nmol": "nmol",
    "pmol": "pmol",
    "mmol/24h": "mmol/24h",
    "mmol/d": "mmol/d",
    "umol/l": "umol/L",
    "nmol/l": "nmol/L",
    "pmol/l": "pmol/L",
    "meq/l": "mEq/L",
    "miu/l": "mIU/L",
    "miu/ml": "mIU/mL",
    "uiu/ml": "uIU/mL",
    "iu/ml": "IU/mL",
    "u/ml": "U/mL",
    "mm/h": "mm/h",
    "ml/min": "mL/min",
    "g/24h": "g/24h",
    "mg/24h": "mg/24h",
    "cmh2o": "cmH2O",
    "kg/m2": "kg/m2",
    "iu/l": "IU/L",
    "u/l": "U/L",
    "万u": "万U",
    "万单位": "万U",
    "iu": "IU",
    "axaiu": "AxaIU",
    "u": "U",
    "单位": "U",
    "10^9/l": "10^9/L",
    "*10^9/l": "10^9/L",
    "x10^9/l": "10^9/L",
    "*109/l": "10^9/L",
    "x109/l": "10^9/L",
    "10^12/l": "10^12/L",
    "*10^12/l": "10^12/L",
    "x10^12/l": "10^12/L",
    "*1012/l": "10^12/L",
    "x1012/l": "10^12/L",
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
_TIMES = {
    "min": "min", "分钟": "min", "分": "min", "h": "h", "小时": "h",
    "d": "d", "日": "d", "天": "d",
}  # fmt: skip
RATES: dict[str, str] = {
    f"{base}{weight}/{per}": base
    for base in ("mg", "g", "ug", "mL", "U", "IU")
    for weight in ("", "/kg")
    for per in ("min", "h", "d")
} | {"mL/min": "mL/min", "mg/d": "mg/d"}
"""Units of what is given in a time → what is given."""
_UNITS |= {
    f"{written}{weight}/{time}": f"{base}{weight}/{per}"
    for written, base in (
        ("mg", "mg"), ("毫克", "mg"), ("g", "g"), ("克", "g"), ("ug", "ug"), ("mcg", "ug"),
        ("微克", "ug"), ("ml", "mL"), ("毫升", "mL"), ("u", "U"), ("单位", "U"), ("iu", "IU"),
    )
    for weight in ("", "/kg")
    for time, per in _TIMES.items()
}  # fmt: skip
_UNIT = "|".join(sorted((re.escape(u) for u in _UNITS), key=len, reverse=True))
_COUNTED = "小时|分钟|周期|疗程|个月|天|日|周|月|年|岁|次|片|粒|支|袋|级|期|枚"
_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_NUMBER = r"\d{1,12}(?:\.\d{1,6})?"
_QUANTITY = re.compile(
    rf"(?P<num>{_NUMBER}(?:\s?[*/~\-至x]\s?(?!10\^|10(?:6|9|12)/l){_NUMBER}){{0,4}})"
    rf"\s?(?P<more>[余多+]?)\s?(?P<unit>{_UNIT})?"
    rf"|(?P<zh>[一二两三四五六七八九十]{{1,3}})(?P<zhmore>[余多]?)(?P<zhunit>{_COUNTED})"
    r"|(?P<roman>[ⅠⅡⅢⅣⅤⅥ]{1,3}|(?<![A-Za-z])[IVX]{1,4})[ABCabc]?(?P<grade>[级期度型])",
    re.IGNORECASE,
)
_ROMAN = {"Ⅰ": "1", "Ⅱ": "2", "Ⅲ": "3", "Ⅳ": "4", "Ⅴ": "5", "Ⅵ": "6", "I": "1", "II": "2"} | {
    "III": "3",
    "IV": "4",
    "V": "5",
    "VI": "6",
    "VII": "7",
    "VIII": "8",
    "IX": "9",
    "X": "10",
}
_RELATIVE = re.compile(
    r"(?<=[前后同当隔第])[一二两]?[天日周次]|(?<=第)[一二三四五六七八九十]{1,3}[天日周次]"
)
_IN_A_NAME = re.compile(r"(?<=[A-Za-z]o)2(?![\d.])", re.IGNORECASE)
"""The 2 of SpO2 and its like is no quantity."""
_LISTED = re.compile(r"\s?[、,，]\s?")
_BOUNDARY = re.compile(r"[，,、；;：:。\n]")

_FREQUENCY = re.compile(
    r"(?P<code>(?<![A-Za-z])(?:q\d{1,2}h|qod|qd|bid|tid|qid|qn|qw|biw|prn)(?![A-Za-z]))"
    r"|(?P<every>每\s?(?:(?P<hours>\d{1,2})\s?小时|[日天晚早晨周月])|隔日)"
    r"\s?(?:(?P<count>\d{1,2}|[一二两三四五六])\s?次)?",
    re.IGNORECASE,
)
_CODES = {"qd": "日1", "bid": "日2", "tid": "日3", "qid": "日4", "qn": "晚1", "qw": "周1"} | {
    "biw": "周2",
    "qod": "隔日1",
    "prn": "prn",
}
_ROUTE = re.compile(
    r"口服|静脉滴注|静滴|静脉泵入|泵入|静脉注射|静推|静注|皮下注射|皮下|肌内注射|肌注|肌肉注射|雾化吸入|雾化"
    r"|吸入|含服|舌下|外用|外敷|鼻饲|灌肠|直肠|滴眼|滴鼻"
    r"|(?<![A-Za-z])(?i:iv\s?gtt|iv\s?drip|iv|im|po|ih|sc)(?![A-Za-z])"
)
_ROUTES = {
    "静滴": "静脉滴注", "泵入": "静脉泵入", "静推": "静脉注射", "静注": "静脉注射",
    "皮下": "皮下注射", "肌注": "肌内注射", "肌肉注射": "肌内注射", "雾化": "吸入",
    "雾化吸入": "吸入", "舌下": "含服", "ivgtt": "静脉滴注", "ivdrip": "静脉滴注",
    "iv": "静脉注射", "im": "肌内注射", "po": "口服", "ih": "皮下注射", "sc": "皮下注射",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its canonical unit ("" when none is written) at ``[start, end)``.

    A compound (``5*4*2cm``, ``2/8``, ``160/95mmHg``, ``10-15mg``) is one quantity whose value is
    written ``5*4*2``; ``parts`` are its numbers.  ``before`` are the bigrams of its clause before
    it, back to the number before; ``after`` those up to the next boundary.
    """

    value: str
    unit: str
    start: int
    end: int
    parts: tuple[str, ...]
    before: frozenset[str]
    after: frozenset[str]


@dataclass(frozen=True, slots=True)
class Term:
    """A frequency or a route in canonical form at ``[start, end)``."""

    value: str
    start: int
    end: int


def _canonical(number: str) -> str:
    whole, _, fraction = number.partition(".")
    fraction = fraction.rstrip("0")
    whole = whole.lstrip("0") or "0"
    return f"{whole}.{fraction}" if fraction else whole


def _chinese_number(text: str) -> int:
    tens, found, ones = text.partition("十")
    if not found:
        return int("".join(str(_DIGITS[c]) for c in text))
    return (_DIGITS[tens[0]] if tens else 1) * 10 + (_DIGITS[ones[0]] if ones else 0)


def frequencies(text: str) -> list[Term]:
    """每日2次, bid, 每12小时1次 …, each as ``日2``, ``12小时1``."""
    found = []
    for match in _FREQUENCY.finditer(fold(text)):
        if match["code"]:
            code = match["code"].lower()
            value = _CODES.get(code) or f"{code[1:-1]}小时1"
        else:
            every = f"{match['hours']}小时" if match["hours"] else match["every"].strip("每 ")
            every = {"天": "日", "早": "晨"}.get(every, every)
            count = match["count"] or "1"
            value = every + (count if count.isdigit() else str(_DIGITS[count]))
        found.append(Term(value, match.start(), match.end()))
    return found


def routes(text: str) -> list[Term]:
    """口服, 静脉滴注 …; abbreviations written out."""
    return [
        Term(_ROUTES.get(match[0].lower().replace(" ", ""), match[0]), match.start(), match.end())
        for match in _ROUTE.finditer(text)
    ]


def quantities(text: str) -> list[Quantity]:
    """Every number of the text outside dates and frequencies, in one pass."""
    folded = _IN_A_NAME.sub(" ", _RELATIVE.sub(lambda m: " " * len(m[0]), fold(text)))
    taken = bytearray(len(text))
    spans = [(d.start, d.end) for d in dates(text)] + [(f.start, f.end) for f in frequencies(text)]
    for start, end in spans:
        taken[start:end] = b"\1" * (end - start)
    matches = [m for m in _QUANTITY.finditer(folded) if not taken[m.start()]]
    boundaries = [m.end() for m in _BOUNDARY.finditer(folded)] + [len(folded)]
    found: list[Quantity] = []
    unit_ahead = ""
    left_edges = _edges_before(boundaries, [m.start() for m in matches])
    for index in range(len(matches) - 1, -1, -1):
        match = matches[index]
        following = matches[index + 1] if index + 1 < len(matches) else None
        listed = following is not None and _LISTED.fullmatch(
            folded, match.end(), min(following.start(), match.end() + 4)
        )
        if not (listed and following and following.start() - match.end() < 4):
            unit_ahead = ""
        value, unit, parts = _read(match)
        unit = unit or unit_ahead
        unit_ahead = unit
        previous = matches[index - 1].end() if index else 0
        left = max(left_edges[index], previous, match.start() - 16)
        ahead = following.start() if following else len(folded)
        right = min(ahead, match.end() + 8, _edge_after(boundaries, match.end()))
        found.append(
            Quantity(
                value,
                unit,
                match.start(),
                match.end(),
                parts,
                frozenset(bigrams(folded[left : match.start()])),
                frozenset(bigrams(folded[match.end() : right])),
            )
        )
    return found[::-1]


def _read(match: re.Match[str]) -> tuple[str, str, tuple[str, ...]]:
    """(value, unit, numbers) of one match; 余 and 多 make another value: 10余天 is not 10天."""
    if match["num"]:
        parts = tuple(_canonical(n) for n in re.findall(_NUMBER, match["num"]))
        joints = [
            "-" if joint in "~-至" else joint
            for joint in re.findall(r"[*/~\-至x]", match["num"].lower())
        ]
        value = parts[0] + "".join(f"{j}{p}" for j, p in zip(joints, parts[1:], strict=True))
        unit = _UNITS[match["unit"].lower()] if match["unit"] else ""
        return value + ("+" if match["more"] else ""), unit, parts
    if match["zh"]:
        number = str(_chinese_number(match["zh"]))
        return number + ("+" if match["zhmore"] else ""), _UNITS[match["zhunit"]], (number,)
    roman = match["roman"].upper()
    number = _ROMAN.get(roman) or "".join(_ROMAN.get(c, c) for c in roman)
    return number, match["grade"], (number,)


def _edges_before(boundaries: list[int], starts: list[int]) -> list[int]:
    """For each start (ascending) the last boundary at or before it."""
    edges, at = [], 0
    last = 0
    for start in starts:
        while at < len(boundaries) and boundaries[at] <= start:
            last = boundaries[at]
            at += 1
        edges.append(last)
    return edges


def _edge_after(boundaries: list[int], end: int) -> int:
    return boundaries[min(bisect_left(boundaries, end), len(boundaries) - 1)]
