"""The records on which the checker is tried: the samples, generated encounters, plain notes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from importlib.resources import files
from itertools import islice
from pathlib import Path

import yaml

from assistant.grounding.grounder import Grounder
from assistant.grounding.known_drugs import drug_names
from assistant.grounding.segments import Segment, segment_notes
from assistant.record.encounter import Encounter
from assistant.record.note import Note
from assistant.tasks.discharge.header import admission_day
from eval.clinical.checker.elsewhere import RecordSentences
from eval.errors import InputError
from eval.json_lines import read_objects
from knowledge.base import KnowledgeBase
from knowledge.text.extraction import FindingReader


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence of an earlier stay or a relative, and the same told as of this patient's stay."""

    quote: str
    statements: tuple[str, ...]


@dataclass(frozen=True)
class Record:
    """One record with what its authors know of it."""

    id: str
    notes: tuple[Note, ...]
    admitted_on: date | None = None
    drugs: tuple[str, ...] = ()
    patient_name: str = ""
    patient_sex: str | None = None
    earlier: tuple[Claim, ...] = ()
    relatives: tuple[Claim, ...] = ()

    @cached_property
    def segments(self) -> Sequence[Segment]:
        """The sentences, as the product cuts them."""
        return segment_notes(self.notes, self.admitted_on)

    @cached_property
    def sentences(self) -> RecordSentences:
        """What the record tells, for proving that a changed statement is false."""
        return RecordSentences(self.segments)

    def grounder(self, base: KnowledgeBase, reader: FindingReader | None = None) -> Grounder:
        """The checker as the product makes it for this record; with a ``reader``, as it would be
        with other findings than the lexicon's."""
        return Grounder(
            self.segments,
            findings_of=(reader or base.extractor).extract,
            drugs_of=drug_names(self.drugs),
            patient_names=[self.patient_name],
            patient_sex=self.patient_sex,
        )


def record_of(
    encounter: Encounter,
    earlier: Iterable[Claim] = (),
    relatives: Iterable[Claim] = (),
) -> Record:
    """The record of an encounter."""
    notes = encounter.all_notes()
    return Record(
        id=encounter.id,
        notes=tuple(notes),
        admitted_on=admission_day(encounter, notes),
        drugs=tuple(m.name for m in encounter.medications),
        patient_name=encounter.patient.name,
        patient_sex=encounter.patient.sex,
        earlier=tuple(earlier),
        relatives=tuple(relatives),
    )


def sample_encounters() -> list[Encounter]:
    """The encounters that come with the product, by name."""
    folder = files("assistant") / "samples" / "encounters"
    paths = sorted((p for p in folder.iterdir() if p.name.endswith(".json")), key=lambda p: p.name)
    return [Encounter.model_validate_json(path.read_bytes()) for path in paths]


def sample_records() -> list[Record]:
    """The product's own encounters with the claims that are written for them."""
    text = (files("eval.clinical") / "data" / "checker" / "earlier_stays.yaml").read_text("utf-8")
    claims: dict[str, list[Claim]] = {}
    for row in yaml.safe_load(text):
        claim = Claim(row["quote"], tuple(row["statements"]))
        claims.setdefault(row["encounter"], []).append(claim)
    return [record_of(e, claims.get(e.id, ())) for e in sample_encounters()]


def note_records(path: Path, limit: int) -> Iterator[Record]:
    """The first ``limit`` notes of JSON lines with a field ``text``.

    Raises:
        InputError: a line has no such text.
    """
    for number, row in islice(read_objects(path), limit):
        text = row.get("text")
        if not isinstance(text, str) or not text.strip():
            raise InputError(path, number, "a text is needed.", "text")
        yield Record(f"note-{number}", (Note(id="text", text=text),))
