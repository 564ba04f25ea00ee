"""What the notes, diagnoses and results of a record tell, each fact with the place that tells it.

Orders are not among it: a chart is opened once, and then orders are selected and signed, of which
each asks the same of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from assistant.alerts.drug import Drug, ingredient
from assistant.alerts.reading import Asserted, reading_of
from assistant.alerts.renal import UMOL_PER_MG_DL, Renal, renal_function
from assistant.alerts.tables import Allergen, Problem, allergens, classes_of, problems
from assistant.record.encounter import RESERVED, Encounter
from assistant.record.evidence import TextSpan
from assistant.record.measurement import concept_of, in_unit, quantity_of
from assistant.record.note import Note
from assistant.record.observation import Observation
from knowledge.text.amount import Quantity
from knowledge.text.assertion.status import Assertion
from knowledge.text.document import Document
from knowledge.text.finding import Certainty, Experiencer, Polarity, Temporality
from knowledge.text.folding import fold
from knowledge.text.synonyms import TermKind

_ALLERGIC = re.compile(r"过敏|皮试[^,。;阴]{0,3}(?:阳性|\(\+\)|\+)")
_NO_ALLERGEN = re.compile(
    r"皮试[^,。;]{0,6}(?:阴性|\(-\)|-)|过敏性(?!休克|皮炎|皮疹|反应)|抗过敏|过敏原"
)
_TOLD_BY = ("过敏", "皮试", "allerg")
_SKIN_TEST = re.compile(r"皮试[^,。;]{0,6}(?:阴性|\(-\)|-)")
_HEADED = re.compile(r"过敏(?:史|药物|原|药)?(?:有|为|是|:|包括|\()[^,。;]{0,24}\Z")
_ENGLISH = re.compile(r"\ballerg(?:y|ies|ic)\b(?: to)?\s*[:(]?[^,.。;]{0,24}\Z")
_ENGLISH_DENIED = re.compile(r"\b(?:no|not|nil|denies|denied|without|nkda|nka|negative)\b")


@dataclass(frozen=True, slots=True)
class Result:
    """A row of results with its number, ``value`` in the unit that was asked for."""

    row: Observation
    concept: str
    quantity: Quantity | None
    at: datetime | None
    evidence: TextSpan


@dataclass(frozen=True, slots=True)
class Told:
    """An allergy or a problem, and where a text tells of it."""

    name: str
    words: str
    evidence: TextSpan


class Text:
    """A note and what its text says."""

    def __init__(self, note: Note) -> None:
        self.note = note
        self.reading = reading_of(note.text)

    @property
    def document(self) -> Document:
        """The text, folded."""
        return self.reading.document

    def asserted(self, words: re.Pattern[str], kind: TermKind) -> Asserted:
        """Where the words stand, and how each place is meant."""
        return self.reading.asserted(words, kind)

    def span(self, start: int, end: int) -> TextSpan:
        """The place as evidence."""
        quote = self.note.text[start:end]
        return TextSpan(note_id=self.note.id, start=start, end=end, quote=quote)

    def clause(self, at: int) -> tuple[int, int]:
        """From the mark before ``at`` to the one behind it."""
        return self.reading.clause(at)


class Chart:
    """One record without its orders, each of its facts read when it is first asked for."""

    def __init__(self, encounter: Encounter) -> None:
        self.encounter = encounter
        self.texts = [Text(n) for n in encounter.written_notes() if n.kind != "structured"]
        self._rows: dict[str, list[TextSpan]] = {}
        self._problems: dict[str, Told | None] = {}
        self._latest: dict[tuple[tuple[str, ...], str], tuple[float, Result] | None] = {}

    @cached_property
    def at(self) -> datetime | None:
        """The last moment that the record tells of."""
        encounter = self.encounter
        moments = [encounter.discharged_at, encounter.admitted_at]
        moments += [note.written_at for note in encounter.notes]
        moments += [row.at for row in encounter.observations]
        return max((m.replace(tzinfo=None) for m in moments if m), default=None)

    @cached_property
    def age(self) -> float | None:
        """In years, at the admission where it is known."""
        when = self.encounter.admitted_at or self.at
        patient = self.encounter.patient
        return patient.age_at(when.date() if when else date.today())

    @property
    def sex(self) -> str | None:
        """``male``, ``female`` or None."""
        return self.encounter.patient.sex

    def row(self, table: str, number: int) -> TextSpan:
        """A line of the table of diagnoses or results as evidence."""
        rows = self._rows.get(table)
        if rows is None:
            rows = self._rows[table] = lines_of(self.encounter, table)
        return rows[number]

    def note(self, note_id: str) -> Note | None:
        """The written note with this id."""
        return next((text.note for text in self.texts if text.note.id == note_id), None)

    def noted(self, classes: frozenset[str]) -> list[Drug]:
        """The drugs of some classes that notes of this stay say are given."""
        return [
            Drug(
                mention.name,
                ingredient(mention.name),
                classes_of(mention.name),
                text.span(mention.start, mention.end),
            )
            for text in self.texts
            if text.note.kind not in ("admission", "nursing")
            for mention, meant in text.reading.given(classes)
            if _is_now(meant)
        ]

    @cached_property
    def allergies(self) -> list[tuple[Allergen, Told]]:
        """What the patient is told to be allergic to, each once."""
        found: dict[str, tuple[Allergen, Told]] = {}
        for text in self.texts:
            folded = text.document.folded
            if not any(word in folded for word in _TOLD_BY):
                continue
            for allergen in allergens():
                for hit, meant in text.asserted(allergen.words, TermKind.DRUG):
                    if allergen.name in found or not _is_now(meant):
                        continue
                    start, end = text.clause(hit.start())
                    if _is_allergic(folded[start:end], hit.start() - start, hit.end() - start):
                        borne = Told(allergen.name, hit[0], text.span(hit.start(), hit.end()))
                        found[allergen.name] = allergen, borne
        return list(found.values())

    def allergic_to(self, words: re.Pattern[str]) -> Told | None:
        """Where the record tells of an allergy to what ``words`` name; None where it does not."""
        for text in self.texts:
            if not any(word in text.document.folded for word in ("过敏", "allerg")):
                continue
            for hit, meant in text.asserted(words, TermKind.DRUG):
                start, end = text.clause(hit.start())
                clause = text.document.folded[start:end]
                if _is_now(meant) and _is_allergic(clause, hit.start() - start, hit.end() - start):
                    return Told(hit[0], hit[0], text.span(hit.start(), hit.end()))
        return None

    def problem(self, name: str) -> Told | None:
        """Where the record tells that the patient has a problem of the table; None where not."""
        if name not in self._problems:
            self._problems[name] = self._read_problem(name, problems()[name])
        return self._problems[name]

    def _read_problem(self, name: str, problem: Problem) -> Told | None:
        for number, row in enumerate(self.encounter.diagnoses):
            if hit := problem.words.search(fold(row.name)):
                return Told(name, hit[0], self.row("diagnoses", number))
        for text in self.texts:
            for hit, meant in text.asserted(problem.words, TermKind.DISEASE):
                if _has(meant, problem.when):
                    return Told(name, hit[0], text.span(hit.start(), hit.end()))
        return None

    @cached_property
    def results(self) -> list[Result]:
        """The rows of results, oldest first."""
        found = [
            Result(
                row,
                concept_of(row.name),
                quantity_of(row),
                row.at.replace(tzinfo=None) if row.at else None,
                self.row("observations", number),
            )
            for number, row in enumerate(self.encounter.observations)
        ]
        return sorted(found, key=lambda r: r.at or datetime.min)

    def latest(self, names: Sequence[str], unit: str) -> tuple[float, Result] | None:
        """The newest value of a test in ``unit``; None where there is none."""
        key = tuple(names), unit
        if key not in self._latest:
            self._latest[key] = self._newest(names, unit)
        return self._latest[key]

    def _newest(self, names: Sequence[str], unit: str) -> tuple[float, Result] | None:
        wanted = {concept_of(name) for name in names} | set(names)
        for result in reversed(self.results):
            if result.concept in wanted and result.quantity is not None:
                value = in_unit(result.quantity, unit)
                if value is not None:
                    return value, result
        return None

    @cached_property
    def renal(self) -> Renal:
        """Renal function by the newest creatinine."""
        newest, scale = self.latest(["肌酐"], "umol/L"), 1.0
        if newest is None:
            # Mass and amount convert by the molar mass, which no table of units has.
            newest, scale = self.latest(["肌酐"], "mg/dL"), UMOL_PER_MG_DL
        if newest is None:
            return Renal()
        value, result = newest
        return renal_function(value * scale, (result.evidence,), self.age, self.sex, self.body)

    def body(self, name: str, unit: str) -> float | None:
        """The newest 体重 or 身高, by rows, else by the notes."""
        if (found := self.latest([name], unit)) is not None:
            return found[0]
        for text in reversed(self.texts):
            if name not in text.note.text:
                continue
            if (value := text.reading.body(name, unit)) is not None:
                return value
        return None


def lines_of(encounter: Encounter, table: str) -> list[TextSpan]:
    """The lines of a structured table, each as a place."""
    found: list[TextSpan] = []
    start = 0
    for line in encounter.lines(table):
        end = start + len(line)
        found.append(TextSpan(note_id=RESERVED + table, start=start, end=end, quote=line))
        start = end + 1
    return found


def _has(meant: Assertion, when: str) -> bool:
    """Whether the patient has a problem, at the time that counts."""
    if when == "any":
        mine = meant.experiencer is Experiencer.PATIENT
        return mine and meant.polarity is Polarity.PRESENT
    if when == "now" and meant.temporality is not Temporality.CURRENT:
        return False
    return _is_now(meant) and meant.certainty is Certainty.CERTAIN


def _is_now(meant: Assertion) -> bool:
    """Whether the patient has it, now or from before."""
    return (
        meant.polarity is Polarity.PRESENT
        and meant.experiencer is Experiencer.PATIENT
        and meant.temporality is not Temporality.HYPOTHETICAL
    )


def _is_allergic(clause: str, start: int, end: int) -> bool:
    """Whether a clause says of the words at ``[start, end)`` that they are an allergen."""
    behind, before = clause[end:], clause[:start]
    if _HEADED.search(before) and not _SKIN_TEST.search(behind[:14]):
        return True
    if _ENGLISH.search(before) and not _ENGLISH_DENIED.search(before):
        return True
    if _NO_ALLERGEN.search(behind[:14]):
        return False
    hit = _ALLERGIC.search(behind[:24])
    return hit is not None and "," not in behind[: hit.start()]
