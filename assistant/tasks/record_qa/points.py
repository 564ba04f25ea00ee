"""Results over time: the rows of a test, and what notes tell of it that no row has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from assistant.calculators.conversion import UnitMismatch, convert, read
from assistant.grounding.measured import Measured
from assistant.grounding.segments import Scope
from assistant.grounding.stance import stances
from assistant.record.evidence import TextSpan
from assistant.tasks.record_qa.days import days_in
from assistant.tasks.record_qa.head import naive
from assistant.tasks.record_qa.reading import NoteReading, RecordReading
from assistant.tasks.record_qa.tests import test_of
from assistant.tasks.record_qc.results import one_quantity
from knowledge.text.quantity import Quantity
from knowledge.text.term_table import shipped_test

_FLAGS = {"high": "↑", "low": "↓", "abnormal": "异常", "normal": "正常"}


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a test.

    ``number`` is None for what is no number (阴性) or is several; ``pair`` is the lower one of a
    blood pressure.  ``earlier``: of a time before this stay.  ``exact``: ``at`` is the hour of the
    test itself, not of the note that tells it.
    """

    test: str
    name: str
    shown: str
    number: float | None
    unit: str
    at: datetime | None
    evidence: TextSpan
    flag: str = ""
    reference: str = ""
    pending: bool = False
    of_note: str = ""
    earlier: bool = False
    exact: bool = True
    pair: float | None = None
    comparator: str = ""

    @property
    def day(self) -> date | None:
        """The day of the value."""
        return self.at.date() if self.at else None

    @property
    def when(self) -> str:
        """``2025年6月12日 06:00``, as exactly as it is known."""
        if self.at is None:
            return "时间未记载"
        day = f"{self.at.year}年{self.at.month}月{self.at.day}日"
        if not self.exact:
            return day
        return f"{day} {self.at:%H:%M}"


def rows(reading: RecordReading) -> list[Point]:
    """The rows of all tests in the order of their times."""
    found = []
    for number, row in enumerate(reading.encounter.observations):
        written = f"{row.value}{'×' if row.unit.startswith('10') else ''}{row.unit}"
        quantity = one_quantity(written) if row.value.strip() else None
        bare = one_quantity(row.value.strip()) if row.value.strip() else None
        value = bare if bare is not None and not bare.unit else quantity
        pending = row.status == "pending"
        at = naive(row.at)
        joint = "×" if row.value[-1:].isdigit() and row.unit[:1].isdigit() else ""
        found.append(
            Point(
                test=test_of(row.name),
                name=row.name,
                shown="结果未回" if pending else f"{row.value}{joint}{row.unit}" or "未填写",
                number=float(value.low) if value is not None and not pending else None,
                unit=row.unit,
                at=at,
                evidence=reading.row("observations", number),
                flag=_FLAGS.get(row.flag or "", ""),
                reference=row.reference,
                pending=pending,
                # A row without an hour is written as midnight.
                exact=at is None or (at.hour, at.minute) != (0, 0),
                comparator=value.comparator if value is not None else "",
            )
        )
    return sorted(found, key=lambda p: (p.at is None, p.at or datetime.min))


def told(reading: RecordReading) -> list[Point]:
    """The values that the notes tell, in the order of the notes."""
    return [point for note in reading.notes for point in _of_note(note, reading)]


def _of_note(note: NoteReading, reading: RecordReading) -> Iterable[Point]:
    written = naive(note.note.written_at)
    admitted = reading.admitted.date() if reading.admitted else None
    for one in note.measured:
        quantity = one.quantity
        if not one.concept or one.reference or not _is_value(note.text, one):
            continue
        if _is_aim(note, one):
            continue
        name = note.text[one.name_start : one.name_end].strip() or one.concept
        if of_day := _OF_DAY.search(note.text[: one.name_start]):
            name = of_day[0] + name
        test = _with_specimen(note.text, one, test_of(name))
        place = note.sentence(quantity.start)
        before = note.text[place.start : quantity.start]
        dated = days_in(before, note.day, admitted)
        at = datetime.combine(dated[-1].day, datetime.min.time()) if dated else written
        whole = quantity.shape in ("one", "pair") and not quantity.suffix
        pair = quantity.shape == "pair" and len(quantity.numbers) == 2
        yield Point(
            test=test,
            name=name,
            shown=note.text[quantity.lead or quantity.start : _end_of(note.text, quantity)],
            # As written: the unit_text has the power of ten of 10^9/L.
            number=float(quantity.numbers[0].written) if whole else None,
            unit=quantity.unit_text,
            at=at,
            evidence=place,
            of_note=note.name,
            earlier=note.scope(quantity.start) is Scope.PRIOR,
            exact=False,
            pair=float(quantity.numbers[1].written) if pair else None,
            comparator=quantity.comparator,
        )


_OF_DAY = re.compile(r"24(?:h|H|小时)\Z")
_AIMED = re.compile(r"目标|要求|争取|力争|应[<>≤≥低高控维]")
# 维持SpO2 92%以上 is a bound to keep to, 维持SpO2 96% what was measured.
_KEPT = re.compile(r"维持|控制|保持")
_BOUND = re.compile(r"[<>≤≥＜＞]|以[上下内]|不[超低高][过于]")
_IN_CASE = re.compile(r"(?:以[上下])?(?:时(?!间)|则|者)")


def _is_aim(note: NoteReading, one: Measured) -> bool:
    """Whether a clause aims at a value, or says what is to be done at one: 目标LDL-C<1.4."""
    sentence = note.sentence(one.name_start)
    at = one.name_start - sentence.start
    start = max(sentence.quote.rfind(mark, 0, at) for mark in "，,；;") + 1
    end = (one.quantity.tail or one.quantity.end) - sentence.start
    clause, behind = sentence.quote[start:end], sentence.quote[end : end + 3]
    if _KEPT.search(clause) and _BOUND.search(clause + behind):
        return True
    if _IN_CASE.match(behind):
        return True
    return _AIMED.search(clause) is not None or "thought" in stances(clause)


_GRADE = re.compile(r"[+-]?级|[+-](?=[，。；、）)]|\Z)")


def _end_of(text: str, quantity: Quantity) -> int:
    """Where a value ends: 5-级 is no 5."""
    end = quantity.tail or quantity.end
    grade = _GRADE.match(text, end)
    return grade.end() if grade else end


_NO_VALUE = re.compile(
    r"[,，。;；、\n]|下降约?$|减[轻少]约?$|增[加长]约?$|升高约?$|监测|复查\d*$|用|予|每日$"
)
_UNITS = {
    "体温": "℃", "脉搏": "次/分", "呼吸频率": "次/分", "血压": "mmHg", "血氧饱和度": "%",
    "体重": "kg", "身高": "cm", "尿量": "ml", "NIHSS评分": "分", "视觉模拟评分": "分",
    "体重指数": "kg/m2",
}  # fmt: skip
_BARE = {
    "体温": (34, 43), "脉搏": (20, 250), "呼吸频率": (5, 90), "血压": (40, 260),
    "血氧饱和度": (40, 100), "视觉模拟评分": (0, 10),
}  # fmt: skip
"""Between what a number without a unit behind the name of a sign is its value."""

_FAR = 14


def _is_value(text: str, one: Measured) -> bool:
    """Whether a quantity stands behind the test that it is read for, as its value."""
    quantity = one.quantity
    if not quantity.values or quantity.start < one.name_end:
        return False
    between = text[one.name_end : quantity.start]
    if len(between) > _FAR or _NO_VALUE.search(between):
        return False
    # 尿微量白蛋白/肌酐 26mg/g is a ratio.
    if text[max(0, one.name_start - 1) : one.name_start] in ("/", "／"):
        return False
    expected = _UNITS.get(one.concept)
    if expected is None:
        return not (quantity.unit and quantity.unit.measures("time", "times"))
    if not quantity.unit and (bounds := _BARE.get(one.concept)):
        # BP 92/58, HR 118: vital signs are written without their units.
        return bounds[0] <= float(quantity.values[0]) <= bounds[1]
    unit = read(expected)
    return unit is not None and quantity.unit.converts_to(unit[0])


def _with_specimen(text: str, one: Measured, test: str) -> str:
    """The test of another specimen than blood, where the words beside the value say so."""
    said = next((q[9:] for q in one.qualifiers if q.startswith("specimen:")), "")
    if said in ("", "血") or test.startswith(said):
        return test
    clause = re.split(r"[,，;；。\n]", text[max(0, one.name_start - 30) : one.name_start])[-1]
    return said + test if said in clause or shipped_test(said + test) else test


def of_test(points: Sequence[Point], test: str) -> list[Point]:
    """The points of one test."""
    return [point for point in points if point.test == test]


def number_in(point: Point, unit: str) -> float | None:
    """The number in another unit; None where it has none or cannot be told in it."""
    if point.number is None:
        return None
    if point.unit.strip() == unit.strip():
        return point.number
    try:
        return convert(point.number, point.unit, unit, point.test)
    except UnitMismatch:
        return None
