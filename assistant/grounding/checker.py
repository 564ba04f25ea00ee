"""Statements of any origin, held one by one against one record."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Literal

from pydantic import BaseModel

from assistant.draft import Problem
from assistant.grounding.grounder import Grounder
from assistant.grounding.known_drugs import drug_names
from assistant.grounding.segments import segment_notes
from assistant.record.case import Case
from assistant.record.encounter import Encounter
from assistant.record.evidence import Evidence
from assistant.record.note import Note
from knowledge.text.finding import Finding

RECORD = "record"
"""The id of the note that a plain text becomes."""

FindingsOf = Callable[[str, str], list[Finding]]


class CheckedStatement(BaseModel):
    """One statement with what supports it, or with what is wrong with it."""

    statement: str
    status: Literal["supported", "unsupported"]
    problems: list[Problem]
    evidence: list[Evidence]


class Checker:
    """Checks statements against one record."""

    def __init__(self, grounder: Grounder) -> None:
        self._grounder = grounder

    def check(self, statement: str) -> CheckedStatement:
        """Whether the record supports ``statement``; an empty one has nothing to support it."""
        found = self._grounder.ground(RECORD, statement)
        return CheckedStatement(
            statement=statement,
            status=found.status,
            problems=found.problems,
            evidence=found.evidence,
        )


def checker(record: str | Case | Encounter | Sequence[Note], findings_of: FindingsOf) -> Checker:
    """A checker of statements about ``record``: a text, notes, a case or an encounter."""
    names: Collection[str] = ()
    drugs: Collection[str] = ()
    sex: str | None = None
    admitted = None
    if isinstance(record, str):
        # Not validated: a text may be longer than the notes that the store takes.
        notes: Sequence[Note] = [Note.model_construct(id=RECORD, kind="other", text=record)]
    elif isinstance(record, Encounter):
        notes, drugs = record.all_notes(), [m.name for m in record.medications]
        admitted = record.admitted_at.date() if record.admitted_at else None
    elif isinstance(record, Case):
        notes = record.notes()
    else:
        notes = record
    if isinstance(record, (Case, Encounter)):
        names, sex = [record.patient.name], record.patient.sex
    return Checker(
        Grounder(
            segment_notes(notes, admitted),
            findings_of=findings_of,
            drugs_of=drug_names(drugs),
            patient_names=names,
            patient_sex=sex,
        )
    )
