"""Wrong values: another number, unit, date or dose in a sentence that is true otherwise."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta

from assistant.grounding.segments import Segment
from assistant.grounding.source import clause_at
from assistant.grounding.wording import fold
from eval.clinical.checker.elsewhere import DATE, dates, number_pattern, plain
from eval.clinical.checker.record import Record
from eval.clinical.checker.substitutes import DRUG
from eval.clinical.checker.trial import ErrorKind, Trial, exchanged

_NUMBER = re.compile(r"(?<![A-Za-z0-9.^:/-])[0-9]{1,5}(?:\.[0-9]{1,3})?(?![0-9:^]|\.[0-9])")
_LISTED = re.compile(r"(?:^|(?<=[：:，,。；;\s]))[（(]?\d{1,2}\s*[.、)）](?!\d)")
_FREQUENCY = re.compile(
    r"每[日天周]\s?[1-6一二三四]\s?次|每\s?\d{1,2}\s?小时\s?[1一]\s?次|每晚\s?[1一]?\s?次|每[日周天]\s?\d-\d\s?[次组]"
)
_POWER = re.compile(r"[×xX*]\s?10\s?\^?\s?(?:9|12)")
_DOSE_UNIT = re.compile(
    r"\s?(?:mg|g|μg|ug|ml|万?U|万单位|单位|IU|AxaIU|片|粒|支|袋)(?![A-Za-z/])", re.IGNORECASE
)
_REACH = 24
"""Characters in which a dose follows the name of its drug."""

UNITS: dict[str, tuple[str, ...]] = {
    "mg": ("g", "μg"),
    "g": ("mg",),
    "μg": ("mg",),
    "ml": ("L",),
    "L": ("ml",),
    "U": ("万U",),
    "g/L": ("mg/L", "g/dL"),
    "mg/L": ("g/L", "μg/L"),
    "ng/mL": ("μg/mL", "pg/mL"),
    "pg/mL": ("ng/mL",),
    "mmol/L": ("μmol/L",),
    "μmol/L": ("mmol/L",),
    "U/L": ("kU/L",),
    "10^9/L": ("10^12/L",),
    "10^12/L": ("10^9/L",),
    "mmHg": ("kPa",),
    "cm": ("mm", "m"),
    "mm": ("cm",),
    "天": ("周", "个月"),
    "周": ("天", "个月"),
    "个月": ("天", "年"),
    "年": ("个月",),
    "小时": ("天", "分钟"),
    "分钟": ("小时",),
    "岁": ("个月",),
}
_UNIT = re.compile(
    r"(?P<number>(?<![A-Za-z\d.^:/-])\d{1,5}(?:\.\d{1,3})?)(?P<gap>\s?[×x*]?\s?)"
    rf"(?P<unit>{'|'.join(sorted(map(re.escape, UNITS), key=len, reverse=True))})"
    r"(?![A-Za-z/]|前正中)",
    re.IGNORECASE,
)
_ROUTES = ("口服", "静脉滴注", "皮下注射", "肌内注射", "静脉注射")
_ROUTE = re.compile("|".join(_ROUTES))
_FREQUENCIES = ("每日1次", "每日2次", "每日3次", "每12小时1次", "每8小时1次", "每晚1次")
_SAME_FREQUENCY = ({"每日2次", "每12小时1次"}, {"每日3次", "每8小时1次"}, {"每日1次", "每晚1次"})


def _around(text: str, at: int, length: int) -> str:
    """The words of the clause about the part, the rest of the sentence where it has none."""
    clause_text = clause_at(text, at)
    start = text.find(clause_text)
    if start <= at < start + len(clause_text):
        return text[start:at] + " " + text[at + length : start + len(clause_text)]
    return text[:at] + " " + text[at + length :]


def _taken(text: str) -> set[int]:
    """Places of digits that are no quantity: dates, list numbers, frequencies, powers of ten."""
    ways = (DATE, _FREQUENCY, _POWER, _LISTED)
    spans = [m.span() for pattern in ways for m in pattern.finditer(fold(text))]
    return {at for start, end in spans for at in range(start, end)}


def _drug_before(text: str, at: int) -> str:
    """The last drug that is named shortly before, in the same sentence."""
    named = [m for m in DRUG.finditer(text) if m.end() <= at and at - m.end() <= _REACH]
    return named[-1][0] if named else ""


def _other_number(number: str, dice: random.Random, others: list[str]) -> str:
    """A number that a hurried writer might put down instead."""
    ways: list[Callable[[], str]] = [
        lambda: _digit(number, dice),
        lambda: _plus(number, dice),
        lambda: _plus(number, dice),
    ]
    digits = number.replace(".", "")
    if "." in number:
        ways.append(lambda: digits.lstrip("0") or "1")
    if len(digits) > 1 and digits[0] != digits[1] and "." not in number[:2] and digits[1] != "0":
        ways.append(lambda: number[1] + number[0] + number[2:])
    if others:
        ways += [lambda: dice.choice(others)] * 2
    return dice.choice(ways)()


def _digit(number: str, dice: random.Random) -> str:
    at = dice.choice([i for i, c in enumerate(number) if c.isdigit()])
    lowest = "1" if at == 0 else "0"
    digit = dice.choice([d for d in "0123456789" if d >= lowest and d != number[at]])
    return number[:at] + digit + number[at + 1 :]


def _plus(number: str, dice: random.Random) -> str:
    places = len(number.partition(".")[2])
    step = dice.choice((1, 2, 3, 5, 10, 20))
    return f"{float(number) + step:.{places}f}"


def wrong_numbers(record: Record, segment: Segment, dice: random.Random) -> Iterator[Trial]:
    """One number of the sentence exchanged; a dose where it follows the name of a drug."""
    text = segment.text
    taken = _taken(text)
    found = [m for m in _NUMBER.finditer(text) if m.start() not in taken]
    if not found:
        return
    match = dice.choice(found)
    others = [m[0] for s in record.segments for m in _NUMBER.finditer(s.text)]
    after = _other_number(match[0], dice, others)
    unit = _DOSE_UNIT.match(text, match.end())
    drug = _drug_before(text, match.start()) if unit else ""
    around = drug or _around(text, match.start(), len(match[0]))
    same = number_pattern(match[0]).fullmatch(plain(after))
    if same or record.sentences.may_tell(number_pattern(after), around):
        return
    kind: ErrorKind = "dose" if drug else "number"
    yield exchanged(record.id, kind, text, segment.span, match.start(), match[0], after)


def wrong_use(record: Record, segment: Segment, dice: random.Random) -> Iterator[Trial]:
    """Another frequency or route of a drug."""
    text = segment.text
    ways: list[tuple[re.Match[str], tuple[str, ...]]]
    ways = [(m, _FREQUENCIES) for m in re.finditer("|".join(_FREQUENCIES), text)]
    ways += [(m, _ROUTES) for m in _ROUTE.finditer(text)]
    ways = [(m, terms) for m, terms in ways if _drug_before(text, m.start())]
    if not ways:
        return
    match, terms = dice.choice(ways)
    alike = next((group for group in _SAME_FREQUENCY if match[0] in group), {match[0]})
    after = dice.choice([t for t in terms if t not in alike])
    drug = _drug_before(text, match.start())
    if not record.sentences.may_tell(re.compile(re.escape(after)), drug):
        yield exchanged(record.id, "dose", text, segment.span, match.start(), match[0], after)


def wrong_units(record: Record, segment: Segment, dice: random.Random) -> Iterator[Trial]:
    """One unit exchanged for another of the same kind of quantity."""
    text = segment.text
    taken = _taken(text)
    found = [m for m in _UNIT.finditer(text) if m.start() not in taken or "10^" in m["unit"]]
    if not found:
        return
    match = dice.choice(found)
    known = {unit.lower(): others for unit, others in UNITS.items()}
    after = dice.choice(known[match["unit"].lower()])
    part = number_pattern(match["number"], plain(match["gap"]) + after)
    around = _around(text, match.start(), len(match[0]))
    if not record.sentences.may_tell(part, around):
        yield exchanged(
            record.id, "unit", text, segment.span, match.start("unit"), match["unit"], after
        )


def wrong_dates(record: Record, segment: Segment, dice: random.Random) -> Iterator[Trial]:
    """One date moved by days, a month or a year, or to another date of the record."""
    text = segment.text
    found = list(DATE.finditer(fold(text)))
    if not found:
        return
    match = dice.choice(found)
    base = record.admitted_on.year if record.admitted_on else 2020
    try:
        day = _day(match, base)
        others = [date(y or base, m, d) for s in record.segments for y, m, d in dates(s.text)]
    except ValueError:
        return
    moved = [day + timedelta(days=n) for n in (-30, -7, -3, -2, -1, 1, 2, 3, 7, 30)]
    moved += [day.replace(year=day.year - 1, day=min(day.day, 28))] if match["y"] else []
    to = dice.choice([d for d in [*moved, *others] if d != day])
    if not match["y"] and (to.month, to.day) == (day.month, day.day):
        return
    after = _written(match, to)
    around = _around(text, match.start(), len(match[0]))
    wanted = (to.year if match["y"] else None, to.month, to.day)
    if not record.sentences.may_tell_on(wanted, around):
        before = text[match.start() : match.end()]
        yield exchanged(record.id, "date", text, segment.span, match.start(), before, after)


def _day(match: re.Match[str], year: int) -> date:
    if match["y"]:
        return date(int(match["y"]), int(match["m"]), int(match["d"]))
    return date(year, int(match["m2"]), int(match["d2"]))


def _written(match: re.Match[str], day: date) -> str:
    """The date in the form in which the other one is written."""
    if not match["y"]:
        return f"{day.month}月{day.day}日"
    padded = match["a"] == "-" or match["m"].startswith("0") or match["d"].startswith("0")
    month, number = (f"{day.month:02}", f"{day.day:02}") if padded else (day.month, day.day)
    return f"{day.year}{match['a']}{month}{match['b']}{number}{match['c']}"
