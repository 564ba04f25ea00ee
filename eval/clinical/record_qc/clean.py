"""True encounters: the samples, and those of the generator, with what they leave open told.

The generator's stays have gaps that are defects themselves (a first note after more than eight
hours, a pending result that the discharge does not tell of); they are closed here, so that any mark
on one is false.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from importlib.resources import files

from assistant.record.note import Note
from assistant.tasks.record_qc.record import CheckedEncounter
from eval.clinical.discharge.generator import generate

GAPS = {
    "enc-colorectal-chemo-cycle4": {"missing_part", "pending_result"},
    "enc-duodenal-ulcer-bleeding": {"missing_allergy"},
}
"""Gaps that samples leave on purpose, see their README: a mark for one is right."""
_FIRST = timedelta(hours=4)


def clean_encounters(count: int, seed: int) -> Iterator[CheckedEncounter]:
    """The samples, then generated ones, ``count`` in all."""
    folder = files("assistant") / "samples" / "encounters"
    names = sorted(f.name for f in folder.iterdir() if f.name.endswith(".json"))[:count]
    for name in names:
        yield CheckedEncounter.model_validate(json.loads((folder / name).read_text("utf-8")))
    for known in generate(max(0, count - len(names)), seed):
        yield _closed(CheckedEncounter.model_validate(known.encounter.model_dump()))


def _closed(encounter: CheckedEncounter) -> CheckedEncounter:
    pending = "、".join(o.name for o in encounter.observations if o.status == "pending")
    notes = []
    for note in encounter.notes:
        text, at = note.text, note.written_at
        if note.kind == "first_progress" and encounter.admitted_at:
            at = encounter.admitted_at + _FIRST
        if note.kind == "discharge_day" and pending:
            text += f"{pending}结果尚未回报，嘱门诊追踪。"
        if note.kind == "operation" and "红细胞" in text:
            text += "输血前已签署输血知情同意书，输血过程顺利，无输血反应。"
        notes.append(Note.model_validate(note.model_dump() | {"text": text, "written_at": at}))
    return encounter.model_copy(update={"notes": notes, "bed": "17床"})
