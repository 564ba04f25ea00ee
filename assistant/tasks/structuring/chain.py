"""Notes of one patient → entities, relations, codes, a feature table, the patient's view."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from datetime import datetime
from typing import Annotated, Literal

from langchain_core.runnables import Runnable, RunnableLambda
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from assistant.draft import DISCLAIMER_ZH
from assistant.record.record import Identifier, ShortText
from assistant.record.rows import Moment
from assistant.tasks.structuring.entity import StructuredNote
from assistant.tasks.structuring.features import FeatureTable, extract_features, new_table
from assistant.tasks.structuring.note import NoteText
from assistant.tasks.structuring.patient import PatientView, patient_view
from assistant.tasks.structuring.pipeline import Structurer
from assistant.tasks.structuring.template import Template, load_template

LongText = Annotated[str, StringConstraints(max_length=1_100_000)]


class NoteToStructure(BaseModel):
    """One note.  ``text`` is never changed: offsets point into it."""

    model_config = ConfigDict(extra="forbid")

    id: Identifier = "note"
    text: LongText
    title: ShortText = ""
    written_at: Moment | None = None


class NotesToStructure(BaseModel):
    """Notes of one patient; ``template`` names a shipped template for a table of features."""

    model_config = ConfigDict(extra="forbid")

    patient_id: Identifier | None = None
    encounter_id: Identifier | None = None
    admitted_at: Moment | None = None
    notes: list[NoteToStructure] = Field(min_length=1, max_length=500)
    template: ShortText = ""

    def record_hash(self) -> str:
        """SHA-256 (hex) over the canonical JSON of the notes."""
        body = json.dumps(self.model_dump(mode="json"), ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(body.encode()).hexdigest()


class StructuredNotes(BaseModel):
    """What the chain gives: a draft like every other."""

    kind: Literal["structured_notes"] = "structured_notes"
    notes: list[StructuredNote]
    patient: PatientView
    table: FeatureTable | None = None
    model: str
    prompt_version: str = ""
    knowledge_version: str = ""
    warnings: list[str] = Field(default_factory=list)
    seconds: float = 0.0
    disclaimer: str = DISCLAIMER_ZH

    def plain_text(self) -> str:
        """The entities as lines."""
        return "\n".join(f"{e.type_zh}：{e.text}" for note in self.notes for e in note.entities)


def structuring_chain(structurer: Structurer) -> Runnable[NotesToStructure, StructuredNotes]:
    """The chain over one structurer; it computes in a thread of its own.

    Raises (when invoked) `TemplateError` for a template that is not known.
    """

    async def answer(request: NotesToStructure) -> StructuredNotes:
        return await asyncio.to_thread(structure, structurer, request)

    return RunnableLambda(answer, name="structuring")


def structure(structurer: Structurer, request: NotesToStructure) -> StructuredNotes:
    """The work of the chain, in the calling thread."""
    started = time.perf_counter()
    template = load_template(request.template) if request.template else None
    notes = [structurer.structure(_note(note, request.admitted_at)) for note in request.notes]
    return StructuredNotes(
        notes=notes,
        patient=patient_view(request.patient_id or "", notes),
        table=feature_table(template, request.notes) if template is not None else None,
        model=structurer.model,
        knowledge_version=notes[0].knowledge_version,
        seconds=time.perf_counter() - started,
    )


def feature_table(template: Template, notes: list[NoteToStructure]) -> FeatureTable:
    """The features of a template from every note, in their order."""
    table = new_table(template)
    for note in notes:
        table.rows += extract_features(note.text, note.id, template)
    return table


def _note(note: NoteToStructure, admitted_at: datetime | None) -> NoteText:
    return NoteText(
        id=note.id,
        text=note.text,
        title=note.title,
        written_at=note.written_at,
        admitted_on=admitted_at.date() if admitted_at else None,
    )
