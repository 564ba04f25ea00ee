"""What rules ask of a record, each fact with the place that tells it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from assistant.alerts.base import shipped_base
from assistant.alerts.reading import Asserted, reading_of
from assistant.alerts.renal import Renal, renal_function
from assistant.alerts.tables import Allergen, Problem, allergens, classes_of, problems
from assistant.record.encounter import Encounter
from assistant.record.evidence import TextSpan
from assistant.record.measurement import concept_of, in_unit, quantity_of
from assistant.record.medication import Medication
from assistant.record.note import Note
from assistant.record.observation import Observation
from knowledge.text.amount import Quantity
from knowledge.text.assertion.status import Assertion
from knowledge.text.document import Document
from knowledge.text.drugs import generic_name
from knowledge.text.finding import Certainty, Experiencer, Polarity, Temporality
from knowledge.text.folding import fold
from knowledge.text.synonyms import TermKind

if TYPE_CHECKING:
    from knowledge.clinical.base import ClinicalBase

_ALLERGIC = re.compile(r"过敏|皮试[^,。;阴]{0,3}(?:阳性|\(\+\)|\+)")
_NO_ALLERGEN = re.compile(
    r"皮试[^,。;]{0,6}(?:阴性|\(-\)|-)|过敏性(?!休克|皮炎|皮疹|反应)|抗过敏|过敏原"
)
_TOLD_BY = ("过敏", "皮试", "allerg")
_SKIN_TEST = re.compile(r"皮试[^,。;]{0,6}(?:阴性|\(-\)|-)")
_HEADED = re.compile(r"过敏(?:史|药物|原|药)?(?:有|为|是|:|包括|\()[^,。;]{0,24}\Z")
_ENGLISH = re.compile(r"\ballerg(?:y|ies|ic)\b(?: to)?\s*[:(]?[^,.。;]{0,24}\Z")
_ENGLISH_DENIED = re.compile(r"\b(?:no|not|nil|denies|denied|without|nkda|nka|negative)\b")
_ONCE = re.compile(
    r"首剂|立即|即刻|临时|术前|术中|切皮|化疗前|第\d天|(?<![a-z])st(?![a-z])|^(?:1|一)次"
)
_STOPPED = re.compile(r"已停(?:用|药|止)?")
"""What a row from elsewhere says (as FHIR's status ``stopped``) that has no day of stopping."""
_LOCAL = re.compile(r"外用|滴眼|滴耳|滴鼻|眼用|眼膏|软膏|乳膏|乳胶剂|贴膏|搽剂|洗剂|含漱|漱口|阴道")
_THROUGH_THE_SKIN = re.compile(r"透皮|芬太尼|硝酸甘油|雌二醇|丁丙诺啡")
_AGAIN = re.compile(r"每|q\d|[qbt]id|qd")


@dataclass(frozen=True, slots=True)
class Drug:
    """A drug that is ordered, taken home, or given by a note (``row`` is None then)."""

    name: str
    generic: str
    classes: frozenset[str]
    evidence: TextSpan
    row: Medication | None = None
    home: bool = False

    def is_over(self, at: datetime | None) -> bool:
        """Whether it was stopped on a day before this moment."""
        stop = self.row.stop if self.row is not None else None
        return stop is not None and at is not None and stop < at.date()

    @property
    def is_local(self) -> bool:
        """Whether it acts where it is put, and hardly elsewhere: eye drops, an ointment."""
        if self.row is None:
            return False
        words = f"{self.row.name} {self.row.route}"
        return bool(_LOCAL.search(words)) and not _THROUGH_THE_SKIN.search(words)

    def overlaps(self, other: Drug) -> bool:
        """Whether both are given at one time, as far as their rows tell; what is taken home is
        not given together with what the ward gave."""
        if self.row is None or other.row is None:
            return True
        if self.home != other.home:
            return False
        first, second = (d.start for d in (self.row, other.row))
        last, end = (d.stop for d in (self.row, other.row))
        return not (
            (first is not None and end is not None and end < first)
            or (second is not None and last is not None and last < second)
        )

    @property
    def is_once(self) -> bool:
        """Whether it is one dose, such as a loading dose."""
        if self.row is None or self.home:
            return False
        often = self.row.frequency.lower()
        alone = self.row.start is not None and self.row.start == self.row.stop
        return alone or bool(_ONCE.search(often) and not _AGAIN.search(often))


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


_SALT = re.compile(r"(?<=..)(?:[钙钠镁钾锌]|氯化钠|叔丁胺|精氨酸)\Z")


def ingredient(name: str) -> str:
    """The ingredient of a product: notes leave out its salt (阿托伐他汀钙片: 阿托伐他汀)."""
    generic = generic_name(name)
    return generic if "氯化" in generic or "酸" in generic else _SALT.sub("", generic)


class _Text:
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


class Facts:
    """One record, each of its facts read when it is first asked for."""

    def __init__(
        self,
        encounter: Encounter,
        *,
        drafts: Collection[str] = (),
        base: ClinicalBase | None = None,
    ) -> None:
        self.encounter = encounter
        self._base = base
        self.drafts = frozenset(drafts)
        """The ids of medication rows that are not signed yet."""

        self.texts = [_Text(note) for note in encounter.all_notes() if note.kind != "structured"]
        self._tables = {note.id: note for note in encounter.structured_notes()}
        self._rows: dict[str, list[TextSpan]] = {}
        self._problems: dict[str, Told | None] = {}
        self._latest: dict[tuple[tuple[str, ...], str], tuple[float, Result] | None] = {}

    @property
    def base(self) -> ClinicalBase:
        """The clinical base: the one given, else the one that ships."""
        return self._base or shipped_base()

    def row(self, table: str, number: int) -> TextSpan:
        """A line of a structured table as evidence."""
        rows = self._rows.get(table)
        if rows is None:
            rows = self._rows[table] = list(_lines(self._tables[f"table:{table}"]))
        return rows[number]

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

    @property
    def is_leaving(self) -> bool:
        """Whether the stay ends, or what is taken home is ordered."""
        return self.encounter.discharged_at is not None or any(
            row.discharge for row in self.encounter.medications
        )

    @cached_property
    def drugs(self) -> list[Drug]:
        """The rows of medication, without those that are said to be stopped though no day is."""
        return [
            Drug(
                row.name,
                ingredient(row.name),
                classes_of(row.name),
                self.row("medications", number),
                row,
                row.discharge,
            )
            for number, row in enumerate(self.encounter.medications)
            if row.stop is not None or not _STOPPED.search(row.frequency)
        ]

    @cached_property
    def classes(self) -> frozenset[str]:
        """The classes of all rows of medication."""
        return frozenset().union(*(drug.classes for drug in self.drugs))

    def gives(self, classes: frozenset[str]) -> bool:
        """Whether a row of medication is of one of the classes."""
        return not self.classes.isdisjoint(classes)

    @cached_property
    def noted(self) -> list[Drug]:
        """The drugs that notes of this stay say are given."""
        found = []
        for text in self.texts:
            if text.note.kind in ("admission", "nursing"):
                continue
            for mention, meant in text.reading.given:
                if _is_now(meant):
                    found.append(
                        Drug(
                            mention.name,
                            ingredient(mention.name),
                            classes_of(mention.name),
                            text.span(mention.start, mention.end),
                        )
                    )
        return found

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
        return renal_function(self)

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


def _lines(note: Note) -> Iterator[TextSpan]:
    """The lines of a table, each as a place."""
    start = 0
    for line in note.text.split("\n"):
        yield TextSpan(note_id=note.id, start=start, end=start + len(line), quote=line)
        start += len(line) + 1


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
