"""Quantities of a text: numbers with their units, ranges, sizes, comparators, read in one pass.

A quantity is exact: values are Decimals, units convert by fractions, and two quantities are the
same when everything that is said of them is (`Quantity.same`).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from functools import cache
from importlib.resources import files

from knowledge.text.amount import Comparator, Quantity, Series, Shape
from knowledge.text.changes import changes
from knowledge.text.comparator import sign_after, sign_before
from knowledge.text.folding import SUPERSCRIPTS, fold
from knowledge.text.frequency import frequencies
from knowledge.text.number import Number, read_number
from knowledge.text.times import clocks, dates, impossible_dates
from knowledge.text.units import NONE, Unit, read_unit

__all__ = ["Comparator", "Quantity", "Series", "changes", "quantities"]

_START = re.compile(r"\d|[零〇一二两三四五六七八九十百千半]|[Ⅱ-Ⅻⅱ-ⅻ]|(?<![a-z0-9])[ivx]")
_SPACE = re.compile(r"[ \t]{0,2}")
_SIZE = re.compile(r"[ \t]?[x×*][ \t]?(?=\d)")
_RANGE = re.compile(r"[ \t]?(?:--?|~|至|到)[ \t]?(?=[\d一二两三四五六七八九十百])")
_SLASH = re.compile(r"/(?=\d)")
_WEEKS = re.compile(r"\+(?=[0-6]\s?(?:周|w))")
_COLON = re.compile(r":(?=\d)")
_JOINT_PATTERNS: tuple[tuple[Shape, re.Pattern[str]], ...] = (
    ("size", _SIZE), ("range", _RANGE), ("pair", _SLASH), ("ratio", _COLON), ("sum", _WEEKS),
)  # fmt: skip
_FROM = re.compile(r"(?:由|从|自)[^,。;\n\d]{0,4}\Z")
_HALF_MORE = re.compile(r"半(?![径侧身球夏])")
_AND_HALF = re.compile(r"个半(?=[月小钟星])")
_HALVES = ("months", "time", "tablets", "capsules", "ampoules", "bags", "sachets")
_AMOUNTS = ("mass", "volume", "units", "international units", "amount")
_NO_COUNT = re.compile(
    r"一个|一度(?![房烧烫冻窦脱压])|一次性|十分(?!钟)|一点(?![零一二三四五六七八九])|百日咳|半月板"
)
_LETTER = re.compile(r"[a-zα-ω]")
_SUFFIX = re.compile(r"[abc]\d?(?=[级期型])")
_ROMAN = re.compile(r"[Ⅱ-Ⅻⅱ-ⅻivx]")
_TYPE = re.compile(r"型")
_LISTED = re.compile(r"\s?(?:[、,，/和及与])\s?")
_ABOUT = re.compile(r"(?:大?约|约为|近|大概|左右约)[ \t]?\Z")
_ABOUT_AFTER = re.compile(r"[ \t]?(?:左右|上下)")
_MORE_AFTER = re.compile(r"[余多](?![次发个处形])")
_MINUS = re.compile(r"(?:^|[ \t:(=值酸剩])-\Z")
_ORDINAL = re.compile(r"第\Z")
_SOME = re.compile(r"[几数]")
_BESIDE = re.compile(r"(?:前|后|同|当|隔|每|次)\Z")
# 12.3 ↑ 10^9/L: what is left of a unit, no number.
_BARE_POWER = re.compile(rf"10(?:[\^{SUPERSCRIPTS}]|\*\*|(?<=[x×*]10)\s?\d{{1,2}}/)")
_PERCENT = re.compile(r"百分之")
_TEMPERATURES = range(34, 44)
_GRADE_UNITS = {"级": "grade", "期": "stage", "型": "type", "度": "degree"}


@cache
def _names() -> re.Pattern[str]:
    """Names that hold digits: CA125, SpO2, T2N1M0."""
    text = (files("knowledge.text") / "data" / "numbered_names.tsv").read_text(encoding="utf-8")
    rows = [line.split("\t")[0] for line in text.splitlines() if line and line[0] != "#"]
    return re.compile(rf"(?<![a-z0-9])(?:{'|'.join(rows)})(?![a-z\d]|\.\d|次)")


def quantities(text: str) -> list[Quantity]:
    """Every quantity of ``text`` in its order, outside dates, clock times and frequencies."""
    folded = fold_for_numbers(text)
    taken = [(one.start, one.end) for one in (*dates(text), *impossible_dates(text))]
    taken += [(clock.start, clock.end) for clock in clocks(text)]
    taken += [(frequency.start, frequency.end) for frequency in frequencies(text)]
    taken = _merged([*taken, *(name.span() for name in _names().finditer(folded))])
    starts = [start for start, _ in taken]
    found: list[Quantity] = []
    at = 0
    while start := _START.search(folded, at):
        at = start.start()
        index = bisect_right(starts, at) - 1
        if index >= 0 and at < taken[index][1]:
            at = taken[index][1]
            continue
        if power := _BARE_POWER.match(folded, at):
            at = _past(folded, power.end() - 1)
            continue
        quantity = read_quantity(folded, at)
        if quantity is not None:
            found.append(quantity)
            at = quantity.end
        else:
            at = _past(folded, at)
    return [_told_before(folded, q) for q in _with_carried_units(folded, found)]


_PER = re.compile(
    r"(?:每(?P<body>公斤|千克|kg)(?:体重)?)?(?:每(?P<time>分钟|分|min|小时|h))?(?:体重)?[ \t:]*\Z"
)
_PERS = {"分钟": "min", "分": "min", "小时": "h"}


def _told_before(folded: str, quantity: Quantity) -> Quantity:
    """每公斤每分钟5μg is 5μg/kg/min."""
    if (
        not quantity.unit.measures(*_AMOUNTS)
        or "每" not in folded[max(0, quantity.start - 12) : quantity.start]
    ):
        return quantity
    per = _PER.search(folded, max(0, quantity.start - 12), quantity.start)
    if per is None or not (per["body"] or per["time"]):
        return quantity
    unit = fold(quantity.unit.shown) + ("/kg" if per["body"] else "")
    if per["time"]:
        unit += f"/{_PERS.get(per['time'], per['time'])}"
    composed = read_unit(unit, 0)
    if composed is None:
        return quantity
    return replace(quantity, start=per.start(), unit=composed[0])


def fold_for_numbers(text: str) -> str:
    """``text`` folded, the full-width comma between digits left: it parts, where ',' groups."""
    folded = fold(text)
    if "，" not in text:
        return folded
    return "".join(a if a == "，" and _between_digits(folded, n) else b for n, (a, b) in
                   enumerate(zip(text, folded, strict=True)))  # fmt: skip


def _between_digits(folded: str, at: int) -> bool:
    return folded[at - 1 : at].isdecimal() and folded[at + 1 : at + 2].isdecimal()


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _past(folded: str, at: int) -> int:
    """Where to read on behind what is no quantity."""
    at += not folded[at : at + 1].isdecimal()
    while at < len(folded) and folded[at].isdecimal():
        at += 1
    return at


def read_quantity(folded: str, at: int) -> Quantity | None:
    """The quantity that begins at ``at`` of folded text (see `fold_for_numbers`)."""
    if folded[at] == "半":
        return _half(folded, at)
    if percent := _PERCENT.match(folded, at):
        return _percent(folded, at, percent.end())
    first = read_number(folded, at)
    if first is None:
        return None
    if half := _AND_HALF.match(folded, first.end):
        # 两个半月, 1个半小时.
        first = replace(first, end=half.end(), written=first.written + Decimal("0.5"))
    unit, end = _unit_after(folded, first)
    in_words = not folded[at].isdecimal()
    if in_words and not _is_number_word(folded, first, unit):
        return None
    if not unit and folded[end : end + 1].isascii() and _is_code(folded, end):
        return None
    quantity = _joined(folded, Quantity(at, end, (first,), unit, more=first.more))
    return _qualified(folded, _completed(folded, quantity))


_CODE = re.compile(r"[a-z]+")
_GLUED = re.compile(r"(?:q\d{0,2}[dnwhom]d?|[bt]i[dw]|qid|po|iv|im|ih|sc|prn|st|x\d|l\b)(?![a-z])")


def _is_code(folded: str, end: int) -> bool:
    """Whether letters go on right behind a number without a unit: 19del is a mutation."""
    return _CODE.match(folded, end) is not None and not _GLUED.match(folded, end)


def _is_number_word(folded: str, number: Number, unit: Unit) -> bool:
    """Whether a number in words is one: with a unit, or long enough to be nothing else."""
    if _NO_COUNT.match(folded, number.start) or _SOME.match(
        folded[number.start - 1 : number.start]
    ):
        return False
    if unit:
        return not (
            _BESIDE.search(folded, max(0, number.start - 1), number.start)
            and number.end - number.start == 1
        )
    if _SUFFIX.match(folded, number.end) or _TYPE.match(folded, number.end):
        return True
    if _ROMAN.match(folded, number.start) and _SLASH.match(folded, number.end):
        return True
    return number.end - number.start > 2 or (
        number.high is None and "点" in folded[number.start : number.end]
    )


def _unit_after(folded: str, number: Number) -> tuple[Unit, int]:
    """The unit behind a number, with where it ends; `NONE` and the number's end without one."""
    space = _SPACE.match(folded, number.end)
    at = space.end() if space else number.end
    suffix = _SUFFIX.match(folded, at)
    found = read_unit(folded, suffix.end() if suffix else at)
    if found is None:
        if _TYPE.match(folded, suffix.end() if suffix else at):
            return _grade("型"), (suffix.end() if suffix else at) + 1
        return NONE, number.end
    unit, end = found
    if unit.code == "{度}" and number.value.is_finite() and int(number.value) in _TEMPERATURES:
        found = read_unit("℃", 0)
        unit = found[0] if found else unit
    return unit, end


@cache
def _grade(word: str) -> Unit:
    return Unit(f"{{{word}}}", word, ((_GRADE_UNITS[word], 1),))


def _half(folded: str, at: int) -> Quantity | None:
    """半年, 半片: half of one."""
    if _NO_COUNT.match(folded, at):
        return None
    end = at + 2 if folded.startswith("个", at + 1) else at + 1
    number = Number(at, end, Decimal("0.5"))
    unit, stop = _unit_after(folded, number)
    if not unit.measures(*_HALVES):
        return None
    return _qualified(folded, Quantity(at, stop, (number,), unit))


def _percent(folded: str, at: int, start: int) -> Quantity | None:
    number = read_number(folded, start)
    unit = read_unit("%", 0)
    if number is None or unit is None:
        return None
    return _qualified(folded, Quantity(at, number.end, (number,), unit[0]))


def _joined(folded: str, first: Quantity) -> Quantity:
    """The quantity with the numbers that belong to it: the sides of a size, the end of a range."""
    for shape, joint in _JOINT_PATTERNS:
        found = joint.match(folded, first.end)
        if found is None or (first.shape == "pair" and shape != "pair"):
            continue
        if shape == "size":
            return _size(folded, first, found.end())
        following = read_number(folded, found.end())
        if following is None:
            return first
        unit, end = _unit_after(folded, following)
        if shape == "range":
            return _range(folded, first, following, unit, end)
        if first.unit and first.unit != unit:
            return first
        numbers = (*first.numbers, following)
        joined = replace(first, end=end, numbers=numbers, unit=unit, shape=shape)
        # 80mg/5mg/12.5mg, 80/5/12.5mg.
        return _joined(folded, joined) if shape == "pair" and len(numbers) < 4 else joined
    return first


def _range(folded: str, first: Quantity, following: Number, unit: Unit, end: int) -> Quantity:
    start = first.numbers[0]
    told = _FROM.search(folded, max(0, first.start - 6), first.start)
    apart = bool(first.unit) and not first.unit.converts_to(unit)
    if told or apart or _raised(start, following, unit) >= following.value:
        return first
    if start.scale == "" and following.scale:
        # 3-5万 is from 30,000 on.
        start = replace(start, power=following.power, scale=following.scale)
    ranged = replace(
        first, end=end, numbers=(start, following), unit=unit, shape="range", more=following.more
    )
    return ranged if unit else _ranges(folded, ranged)


def _ranges(folded: str, first: Quantity) -> Quantity:
    """血压130-150/80-95mmHg: the range with the one behind the stroke."""
    at = first.end + 1
    following = read_number(folded, at) if _SLASH.match(folded, first.end) else None
    if following is None:
        return first
    second = _joined(folded, Quantity(at, following.end, (following,)))
    if second.shape != "range":
        return first
    return replace(
        second, start=first.start, numbers=(*first.numbers, *second.numbers), shape="ranges"
    )


def _raised(start: Number, following: Number, unit: Unit) -> Decimal:
    return start.value.scaleb(following.power) if not start.scale else start.value


def _size(folded: str, first: Quantity, at: int) -> Quantity:
    """12×8×6mm, 1.2cm×0.8cm; 2.5mg×4片 is a dose and how many."""
    numbers, unit, end = list(first.numbers), first.unit, first.end
    while len(numbers) < 4:
        following = read_number(folded, at)
        if following is None:
            break
        own, stop = _unit_after(folded, following)
        if own and not own.measures("length", "area"):
            return first
        if unit and (not own or own.code != unit.code):
            break
        numbers.append(following)
        unit, end = own or unit, stop
        joint = _SIZE.match(folded, end)
        if joint is None:
            break
        at = joint.end()
    if len(numbers) == 1 or (unit and not unit.measures("length", "area")):
        return first
    return replace(first, end=end, numbers=tuple(numbers), unit=unit, shape="size")


def _completed(folded: str, quantity: Quantity) -> Quantity:
    """The quantity with what stands behind its unit: 年半, 年余, 三十八度五."""
    end, unit = quantity.end, quantity.unit
    if unit.measures("time", "months") and quantity.shape == "one":
        if _HALF_MORE.match(folded, end):
            last = quantity.numbers[-1]
            half = replace(last, written=last.written + Decimal("0.5"))
            return replace(quantity, end=end + 1, numbers=(half,))
        if _MORE_AFTER.match(folded, end):
            return replace(quantity, end=end + 1, more=True)
    if unit.code == "Cel" and folded[end - 1] == "度" and quantity.shape == "one":
        tenth = read_number(folded, end) if folded[end : end + 1] else None
        if tenth is not None and tenth.end == end + 1 and tenth.value < 10:
            number = quantity.numbers[0]
            number = replace(number, written=number.written + tenth.value / 10)
            return replace(quantity, end=tenth.end, numbers=(number,))
    suffix = _SUFFIX.match(folded, quantity.numbers[-1].end)
    return replace(quantity, suffix=suffix[0]) if suffix and unit else quantity


def _qualified(folded: str, quantity: Quantity) -> Quantity:
    """The quantity with what stands around it."""
    start, end = quantity.start, quantity.end
    comparator, lead = sign_before(folded, start)
    before = folded[max(0, start - 4) : start]
    tail = end
    if not comparator:
        comparator, tail = sign_after(folded, end)
    about = _ABOUT.search(before)
    about_after = _ABOUT_AFTER.match(folded, end)
    return replace(
        quantity,
        comparator=comparator,
        lead=lead,
        tail=tail,
        about=bool(about or about_after),
        minus=not comparator and _MINUS.search(before) is not None,
        ordinal=_ORDINAL.search(before) is not None,
        glued=_LETTER.match(folded[start - 1 : start]) is not None and folded[start].isdecimal(),
    )


def _with_carried_units(folded: str, found: list[Quantity]) -> list[Quantity]:
    """The quantities, each of a list with the unit that its last has."""
    for index in range(len(found) - 2, -1, -1):
        one, following = found[index], found[index + 1]
        apart = following.start - one.end > 3 or one.shape != following.shape
        if apart or one.unit or not following.unit:
            continue
        if _LISTED.fullmatch(folded, one.end, following.start):
            found[index] = replace(one, unit=following.unit, carried=True)
    return found


_LATE_POWER = re.compile(rf"[x×*]?[ \t]?10\^?(?P<power>\d{{1,2}}|[{SUPERSCRIPTS}]{{1,2}})(?=/)")


def with_late_unit(folded: str, quantity: Quantity, at: int) -> Quantity | None:
    """A quantity without a unit with the one that begins at ``at`` (12.3 ↑ 10^9/L, or behind the
    range in brackets); None where none does.  Its span stays that of its number."""
    power = _LATE_POWER.match(folded, at)
    found = read_unit(folded, power.end() if power else at)
    if quantity.unit or found is None:
        return None
    numbers = quantity.numbers
    if power:
        exponent = int("".join(_figure(character) for character in power["power"]))
        numbers = tuple(replace(n, power=exponent, scale=f"10^{exponent}") for n in numbers)
    return replace(quantity, numbers=numbers, unit=found[0], tail=found[1])


def _figure(character: str) -> str:
    return str(SUPERSCRIPTS.index(character)) if character in SUPERSCRIPTS else character
