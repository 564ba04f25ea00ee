"""Notes of one patient → entities, relations, codes, a feature table, the patient's view."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime

from langchain_core.runnables import Runnable, RunnableLambda

from assistant.tasks.structuring.draft import StructuredNotes
from assistant.tasks.structuring.features import FeatureTable, extract_features, new_table
from assistant.tasks.structuring.note import NoteText
from assistant.tasks.structuring.patient import patient_view
from assistant.tasks.structuring.pipeline import Structurer
from assistant.tasks.structuring.request import NotesToStructure, NoteToStructure
from assistant.tasks.structuring.template import Template, load_template


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
