"""What ``bedside structure`` prints of one file's notes."""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path

from rich.table import Table

from assistant.commands.progress import console
from assistant.tasks.structuring.command_render import patient_id, structurer, table, table_text
from assistant.tasks.structuring.entity import StructuredNote
from assistant.tasks.structuring.export import as_object, entities_csv, quantity
from assistant.tasks.structuring.fhir import bundle
from assistant.tasks.structuring.form import Form
from assistant.tasks.structuring.input import read_notes
from assistant.tasks.structuring.template import Template


def print_notes(
    path: Path,
    form: Form,
    template: Template | None,
    patient: str,
    day: date | None,
    *,
    as_json: bool,
) -> None:
    """One file's notes, on standard output."""
    notes = list(read_notes(path, path.name, day))
    if template is not None:
        made = table(template, notes)
        print(_json(made.model_dump(mode="json")) if as_json else table_text(made, form), end="")
        return
    opened = structurer()
    structured = [opened.structure(note) for note in notes]
    if as_json or (form is Form.JSONL and not sys.stdout.isatty()):
        one = structured[0] if len(structured) == 1 else None
        whole = {"notes": [as_object(note) for note in structured]}
        print(_json(as_object(one) if one is not None else whole), end="")
    elif form is Form.CSV:
        print(entities_csv(structured), end="")
    elif form is Form.FHIR:
        print(_json(bundle(patient_id(patient, path.name), structured)), end="")
    else:
        _show(structured)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def _show(notes: list[StructuredNote]) -> None:
    """For a person at a terminal."""
    for note in notes:
        table = Table("类型", "原文", "位置", "", "时间", "结果", "编码", title=note.note_id)
        for entity in note.entities:
            said = [
                {"absent": "否定"}.get(entity.polarity, ""),
                {"uncertain": "可疑"}.get(entity.certainty, ""),
                {"past": "既往", "hypothetical": "假设"}.get(entity.temporality, ""),
                {"family": "他人"}.get(entity.subject, ""),
                "过敏原" if entity.allergen else "",
            ]
            table.add_row(
                entity.type_zh,
                entity.text,
                f"{entity.start}-{entity.end}",
                "".join(said),
                entity.time.text if entity.time else "",
                quantity(entity),
                "、".join(code.code or code.name for code in entity.codes),
            )
        console.print(table)
        for relation in note.relations:
            if relation.kind == "triple":
                console.print(
                    f"{relation.subject.text} —{relation.predicate}→ {relation.object.text}",
                    markup=False,
                )
