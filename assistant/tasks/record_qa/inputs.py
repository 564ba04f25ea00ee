"""What a calculator needs, from the record: each value with its place, nothing assumed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date

from assistant.calculators.catalogue import Calculator, Input
from assistant.calculators.compute import Given
from assistant.record.evidence import TextSpan
from assistant.record.patient import SEX_ZH
from assistant.tasks.record_qa.mentions import mentions
from assistant.tasks.record_qa.points import Point
from assistant.tasks.record_qa.reading import RecordReading
from assistant.tasks.record_qa.series import series

_PERIOD = re.compile(r"末次月经[^0-9。；]{0,6}(\d{4})[-年/.](\d{1,2})[-月/.](\d{1,2})")


@dataclass
class Taken:
    """Inputs by their keys, what each was read from, and what to be careful with."""

    given: dict[str, Given] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    places: list[TextSpan] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def take(self, key: str, given: Given, words: str, *places: TextSpan) -> None:
        """Keep one input."""
        self.given[key], self.words[key] = given, words
        self.places.extend(places)


def inputs(calculator: Calculator, reading: RecordReading, day: date | None = None) -> Taken:
    """The inputs that the record has; with ``day`` only results of that day count."""
    taken = Taken()
    for one in calculator.inputs:
        if one.ask:
            continue
        if one.kind == "age" and reading.age is not None:
            age = float(int(reading.age)) if reading.age >= 3 else round(reading.age, 2)
            taken.take(one.key, Given(age, "岁"), f"年龄 {age:g}岁", *_age_place(reading, age))
        elif one.kind == "sex" and reading.sex:
            sex = reading.sex
            taken.take(
                one.key, Given(sex), f"性别 {SEX_ZH[sex]}", *_place(reading, SEX_ZH[sex] + "性")
            )
        elif one.kind == "date":
            _date(one, reading, taken)
        elif one.kind == "criterion" and one.terms:
            _criterion(one, reading, taken)
        elif one.analyte or one.vital:
            _number(one, reading, day, taken)
    return taken


def _place(reading: RecordReading, words: str) -> list[TextSpan]:
    for note in reading.notes:
        at = note.text.find(words)
        if at >= 0:
            return [note.span(at, at + len(words))]
    return []


def _age_place(reading: RecordReading, age: float) -> list[TextSpan]:
    return _place(reading, f"{age:g}岁")


def _number(one: Input, reading: RecordReading, day: date | None, taken: Taken) -> None:
    found = series(reading, one.analyte or one.vital)
    points = [p for p in found.points if p.number is not None and not p.comparator]
    if day is not None:
        points = [p for p in points if p.day == day]
    if not points:
        return
    point = points[-1]
    value = point.pair if one.part == "low" else point.number
    if value is None:
        return
    if one.unit and not point.unit.strip():
        taken.warnings.append(f"{point.name} {point.shown} 未写单位，未用于计算。")
        return
    same = [p for p in points if p.at == point.at and p.number != point.number]
    if same and point.exact:
        taken.warnings.append(
            f"{point.name} 同一时间有不同结果（{point.shown}、{same[0].shown}），请核对。"
        )
    taken.take(one.key, Given(value, point.unit), _words(point), point.evidence)


def _words(point: Point) -> str:
    return f"{point.name} {point.shown}（{point.when}）"


def _criterion(one: Input, reading: RecordReading, taken: Taken) -> None:
    """Told of the patient it holds, only denied it does not; else it stays open."""
    found = [m for term in one.terms for m in mentions(reading, term)]
    holds = [m for m in found if m.status in ("present", "past")]
    denied = [m for m in found if m.status == "denied"]
    if holds:
        place = holds[0]
        taken.take(one.key, Given(True), f"{one.title}：有（“{place.words}”）", place.place)
    elif denied and not any(m.status == "uncertain" for m in found):
        place = denied[0]
        taken.take(one.key, Given(False), f"{one.title}：否认（“{place.words}”）", place.place)


def _date(one: Input, reading: RecordReading, taken: Taken) -> None:
    if one.key == "today" and reading.admitted is not None:
        day = reading.admitted.date()
        taken.take(one.key, Given(day), f"入院日 {day.isoformat()}")
        return
    for note in reading.notes:
        hit = _PERIOD.search(note.text)
        if hit is None:
            continue
        try:
            day = date(int(hit[1]), int(hit[2]), int(hit[3]))
        except ValueError:
            taken.warnings.append(f"末次月经“{hit[0]}”不是有效日期，未用于计算。")
            return
        taken.take(one.key, Given(day), f"末次月经 {day.isoformat()}", note.span(*hit.span()))
        return
