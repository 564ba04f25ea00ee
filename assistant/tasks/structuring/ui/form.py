"""What the page was given as a request: a pasted note, files, patient, admission, template."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from pydantic import ValidationError

from assistant.record.encounter import Encounter
from assistant.tasks.structuring.note import NoteText
from assistant.tasks.structuring.request import NotesToStructure, NoteToStructure
from assistant.tasks.structuring.template import load_template, shipped_templates
from assistant.tasks.structuring.ui.upload import Upload
from assistant.ui.case_form import FormError, is_id, new_identity
from assistant.ui.strings import Text

MOST_NOTES = 500
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_LONGEST_TITLE = 200


def read_request(
    text: str,
    uploads: Sequence[Upload],
    patient_id: str,
    admitted: str,
    template: str,
    t: Text,
) -> NotesToStructure:
    """The request; a patient without an id is given a new one.

    Notes are numbered, since names of files are no ids.  Raises `FormError`.
    """
    notes = [NoteText(id="", text=text, title=t("notes.pasted"))] if text.strip() else []
    notes += [note for upload in uploads for note in upload.notes]
    if not notes:
        raise FormError(t("notes.empty"))
    if len(notes) > MOST_NOTES:
        raise FormError(t("notes.too_many", n=MOST_NOTES))
    patient_id = patient_id.strip() or new_identity()[0]
    if not is_id(patient_id):
        raise FormError(t("error.id"))
    day = read_day(admitted, t) or _admitted(notes)
    try:
        return NotesToStructure(
            patient_id=patient_id,
            admitted_at=datetime(day.year, day.month, day.day) if day else None,
            notes=[_numbered(note, number) for number, note in enumerate(notes, 1)],
            template=template if template in shipped_templates() else "",
        )
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise FormError(t("error.case_bad", why=first["msg"])) from None


def read_day(text: str, t: Text) -> date | None:
    """A day like 2024-03-05; None for an empty text.  Raises `FormError`."""
    text = text.strip()
    if not text:
        return None
    try:
        if not _DATE.fullmatch(text):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise FormError(t("notes.date.bad")) from None


def _admitted(notes: Iterable[NoteText]) -> date | None:
    return next((note.admitted_on for note in notes if note.admitted_on), None)


def _numbered(note: NoteText, number: int) -> NoteToStructure:
    return NoteToStructure(
        id=f"n{number}",
        text=note.text,
        title=(note.title or note.id)[:_LONGEST_TITLE],
        written_at=note.written_at,
    )


def of_encounter(encounter: Encounter, name: str) -> Upload:
    """The notes of a stay as if they came in a file."""
    admitted = encounter.admitted_at.date() if encounter.admitted_at else None
    notes = [
        NoteText(
            id=note.id,
            text=note.text,
            title=note.title,
            written_at=note.written_at,
            admitted_on=admitted,
        )
        for note in encounter.all_notes()
        if note.text.strip()
    ]
    return Upload(name, notes)


def template_choices(none: str) -> list[tuple[str, str]]:
    """(title, name) of the shipped templates, none of them first."""
    return [(none, ""), *((load_template(name).title, name) for name in shipped_templates())]
