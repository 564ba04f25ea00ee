"""Changes to an encounter: a note's text, a row, a time.  Nothing is changed in place."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from assistant.record.note import Note
from assistant.tasks.record_qc.record import CheckedEncounter

Dice = random.Random
Defect = Callable[[CheckedEncounter, Dice], CheckedEncounter | None]
"""The encounter with the defect; None where it has no place for it."""

_END = re.compile(r"。")


@cache
def wordings() -> dict[str, Any]:
    """What defects are worded with."""
    text = (files("eval.clinical") / "data" / "record_qc" / "wordings.yaml").read_text("utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def noted(encounter: CheckedEncounter, note_id: str, **fields: Any) -> CheckedEncounter:
    """With other fields of one note."""
    notes = [
        Note.model_validate(n.model_dump() | fields) if n.id == note_id else n
        for n in encounter.notes
    ]
    return encounter.model_copy(update={"notes": notes})


def pick(encounter: CheckedEncounter, dice: Dice, *kinds: str) -> Note | None:
    """A note of these kinds."""
    found = [n for n in encounter.notes if n.kind in kinds and n.text.strip()]
    return dice.choice(found) if found else None


def inserted(text: str, words: str, dice: Dice, heading: str = "") -> str:
    """The text with a sentence set in behind another; under ``heading`` where it has one."""
    start, end = 0, len(text)
    if heading:
        hit = re.search(rf"{heading}[:：]", text)
        if hit is None:
            return text
        start = hit.end()
        line = text.find("\n", start)
        end = line if line >= 0 else len(text)
    places = [m.end() for m in _END.finditer(text, start, end)] or [end]
    at = dice.choice(places)
    return text[:at] + words + text[at:]


def with_sentence(
    encounter: CheckedEncounter, words: str, dice: Dice, *kinds: str, heading: str = ""
) -> CheckedEncounter | None:
    """With a sentence more in a note of these kinds."""
    note = pick(encounter, dice, *(kinds or ("progress", "discharge_day")))
    if note is None:
        return None
    text = inserted(note.text, words, dice, heading)
    return noted(encounter, note.id, text=text) if text != note.text else None


def rows(encounter: CheckedEncounter, table: str, *added: dict[str, Any]) -> CheckedEncounter:
    """With rows more."""
    data = encounter.model_dump()
    data[table] = [*data[table], *added]
    return CheckedEncounter.model_validate(data)


def without(encounter: CheckedEncounter, note: Note) -> CheckedEncounter:
    """Without a note."""
    return encounter.model_copy(update={"notes": [n for n in encounter.notes if n is not note]})
