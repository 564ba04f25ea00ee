"""The drugs of a stay: courses from the rows of the medication, and what notes tell of drugs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, lru_cache
from weakref import WeakKeyDictionary

from assistant.grounding.known_drugs import drug_names
from assistant.record.evidence import TextSpan
from assistant.record.medication import Medication
from assistant.tasks.record_qa.reading import RecordReading
from assistant.tasks.record_qa.tests import table
from assistant.tasks.record_qa.told_drugs import told_courses
from knowledge.text.drugs import generic_name, shipped_drug
from knowledge.text.folding import fold


@dataclass(frozen=True, slots=True)
class DrugClass:
    """A class: the words that ask for it, and what its drugs are called."""

    name: str
    asked: re.Pattern[str]
    drugs: re.Pattern[str]
    example: str


@dataclass(frozen=True, slots=True)
class Course:
    """One row of the medication, or what the notes tell of one where there are no rows.

    ``also`` are further places that show it; ``told``: from the notes.
    """

    drug: str
    row: Medication
    evidence: TextSpan
    also: tuple[TextSpan, ...] = ()
    told: bool = False

    @property
    def places(self) -> tuple[TextSpan, ...]:
        """All places that show it."""
        return (self.evidence, *self.also)

    @property
    def start(self) -> date | None:
        """The first day."""
        return self.row.start

    @property
    def stop(self) -> date | None:
        """The last day, from the row or its number of days."""
        if self.row.stop is not None:
            return self.row.stop
        if self.row.start is not None and self.row.days:
            return self.row.start + timedelta(days=self.row.days - 1)
        return None

    @property
    def regimen(self) -> str:
        """Dose, route and frequency as they are written."""
        return " ".join(p for p in (self.row.dose, self.row.route, self.row.frequency) if p)

    def covers(self, day: date) -> bool:
        """Whether the drug was ordered on that day."""
        if self.start is None:
            return False
        return self.start <= day and (self.stop is None or day <= self.stop)


@cache
def classes() -> list[DrugClass]:
    """The classes in the order of their table."""
    return [
        DrugClass(name, re.compile(asked), re.compile(drugs), example)
        for name, asked, drugs, example in table("drug_classes.tsv")
    ]


_SALT = re.compile(r"(?:复方)?(?:氯化|硫酸|碳酸|碳酸氢|葡萄糖酸|枸橼酸|磷酸)[钠钾钙镁锌]")
"""Salts that are the drug themselves."""


@lru_cache(maxsize=4096)
def drug_of(name: str) -> str:
    """The drug behind a product: 注射用头孢曲松钠 → 头孢曲松."""
    bare = re.sub(r"[（(].*?[)）]|^吸入用", "", name).strip()
    generic = generic_name(bare)
    found = shipped_drug(bare) or shipped_drug(generic)
    if found is not None:
        return found
    if _SALT.fullmatch(generic):
        return generic
    if generic in ("氯化", "复方氯化") or re.fullmatch(r"[\d.%]+", generic):
        return re.sub(r"(?:注射液|缓释片|片|口服溶液)$", "", bare)
    return re.sub(r"(?<=..)(?:琥珀酸|枸橼酸)?[钠钾钙镁]?$", "", generic)


def courses(reading: RecordReading) -> list[Course]:
    """The rows of the medication, or what the notes tell where there are none, in the order of
    their first days."""
    found = [
        Course(drug_of(row.name), row, reading.row("medications", number))
        for number, row in enumerate(reading.encounter.medications)
    ]
    found = found or _told(reading)
    return sorted(found, key=lambda c: c.start or c.stop or date.max)


_KEPT: WeakKeyDictionary[RecordReading, list[Course]] = WeakKeyDictionary()


def _told(reading: RecordReading) -> list[Course]:
    kept = _KEPT.get(reading)
    if kept is None:
        kept = [
            Course(
                drug_of(one.name),
                Medication(
                    id=f"told-{number}", name=one.name, dose=one.dose, route=one.route,
                    frequency=one.frequency, days=one.days, start=one.start, stop=one.stop,
                    discharge=one.home,
                ),
                one.places[0],
                one.places[1:],
                told=True,
            )
            for number, one in enumerate(told_courses(reading, drug_names(()), drug_of))
        ]  # fmt: skip
        _KEPT[reading] = kept
    return kept


def is_drug(course: Course, wanted: str) -> bool:
    """Whether a row is of a drug as it is asked for."""
    asked, own = fold(wanted), fold(course.row.name)
    return (
        course.drug == wanted
        or drug_of(wanted) == course.drug
        or (len(asked) >= 2 and asked in own)
    )


def is_class(course: Course, wanted: str) -> bool:
    """Whether a row is of a class."""
    found = next((c for c in classes() if c.name == wanted), None)
    return found is not None and found.drugs.search(course.drug) is not None


def days_of(rows: Sequence[Course], until: date | None = None) -> int | None:
    """How many days the rows cover together; None where a day is not known.

    A row without an end goes on until ``until``.
    """
    days: set[date] = set()
    for row in rows:
        end = row.stop or until
        if row.start is None or end is None or end < row.start:
            return None
        days |= {row.start + timedelta(days=n) for n in range((end - row.start).days + 1)}
    return len(days)
