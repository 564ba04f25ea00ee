"""How a structured note is written: one process's part of ``bedside structure``."""

from __future__ import annotations

import hashlib
import re
from concurrent.futures import ThreadPoolExecutor

from assistant.opening import open_terms
from assistant.settings import Settings
from assistant.tasks.structuring.export import as_object, entities_csv, json_line, table_csv
from assistant.tasks.structuring.features import FeatureTable, extract_features, new_table
from assistant.tasks.structuring.fhir import bundle
from assistant.tasks.structuring.form import Form
from assistant.tasks.structuring.note import NoteText
from assistant.tasks.structuring.opening import open_recognizer, open_structurer
from assistant.tasks.structuring.part import Part
from assistant.tasks.structuring.pipeline import Structurer
from assistant.tasks.structuring.template import Template


class EntityWriter:
    """Writes entities, relations and codes."""

    def __init__(self, form: Form, patient: str, threads: int) -> None:
        self._form, self._patient = form, patient
        self._structurer = structurer(threads)
        model, knowledge = self._structurer.model, self._structurer.knowledge_version
        self.made_of = f"{form} {model} {knowledge} {patient}"

    def work(self, part: Part) -> str:
        """What the note comes to in the file."""
        structured = self._structurer.structure(part.note)
        if self._form in (Form.CSV, Form.PARQUET):
            formulas = self._form is Form.PARQUET
            return entities_csv([structured], header=part.first, formulas=formulas)
        if self._form is Form.FHIR:
            return json_line(bundle(patient_id(self._patient, part.note.id), [structured]))
        return json_line(as_object(structured))


class TableWriter:
    """Writes rows of features."""

    def __init__(self, form: Form, template: Template) -> None:
        self._form, self._template = form, template
        self.made_of = f"{form} {template.model_dump_json()}"

    def work(self, part: Part) -> str:
        """The note's rows."""
        return table_text(table(self._template, [part.note]), self._form, header=part.first)


def open_writer(
    form: Form, template: Template | None, patient: str, threads: int = 0
) -> EntityWriter | TableWriter:
    """What writes notes; ``threads``: of the model, 0 for one a core."""
    if template is not None:
        return TableWriter(form, template)
    return EntityWriter(form, patient, threads)


def structurer(threads: int = 0) -> Structurer:
    """What structures notes in this installation."""
    settings = Settings()
    with ThreadPoolExecutor(1) as pool:  # a model compiles beside Python
        recognizer = pool.submit(open_recognizer, settings.home, threads)
        base = open_terms(settings)
        return open_structurer(base, settings.home, recognizer.result(), threads)


def patient_id(given: str, note_id: str) -> str:
    """The id that is given, else one of the file that the note is in."""
    file = note_id.partition("#")[0]
    digest = hashlib.sha256(file.encode()).hexdigest()[:8]
    return given or f"pat-{re.sub('[^A-Za-z0-9.-]+', '-', file).strip('-')[:48]}-{digest}"


def table(template: Template, notes: list[NoteText]) -> FeatureTable:
    """The features of notes."""
    made = new_table(template)
    for note in notes:
        made.rows += extract_features(note.text, note.id, template)
    return made


def table_text(made: FeatureTable, form: Form, *, header: bool = True) -> str:
    """Rows as they stand in a file."""
    if form is Form.CSV:
        return table_csv(made, header=header)
    return "".join(json_line(row.model_dump(mode="json")) for row in made.rows)
