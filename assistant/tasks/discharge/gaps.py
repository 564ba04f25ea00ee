"""What a reader expects in a section, and whether the record has it anywhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from assistant.record.encounter import Encounter
from assistant.record.note import Note
from assistant.tasks.discharge.draft import SectionName
from assistant.tasks.discharge.written import OPENING

DEPARTURE = re.compile(
    r"出院(?:时|当日|当天|情况)|(?:今日|准予|予以|办理|同意|要求)\s*出院|今日[^。\n]{0,12}出院"
)
"""Says that a note speaks of the discharge."""

_VITAL_SIGNS = re.compile(r"体温|血压|心率|脉搏|生命体征|BP|T\s*[:：]?\s*3\d")
_AT_ADMISSION = re.compile(r"入院(?:时|当日)?[^。\n]{0,30}(?:查体|体温|血压|神志)")


def is_of_departure(note: Note, encounter: Encounter) -> bool:
    """Whether the note was written at the discharge or speaks of it."""
    if note.kind == "discharge_day":
        return True
    if note.kind in OPENING or note.kind == "structured":
        return False
    left = encounter.discharged_at
    same_day = left and note.written_at and note.written_at.date() == left.date()
    return bool(same_day) or DEPARTURE.search(note.text) is not None


def is_of_admission(note: Note, encounter: Encounter) -> bool:
    """Whether the note was written at the admission or speaks of the examination then."""
    if note.kind in OPENING or note.kind == "other":
        return True
    came = encounter.admitted_at
    same_day = came and note.written_at and note.written_at.date() == came.date()
    return note.kind != "structured" and (bool(same_day) or bool(_AT_ADMISSION.search(note.text)))


def _anywhere(note: Note, encounter: Encounter) -> bool:
    return True


@dataclass(frozen=True)
class Item:
    """Something expected: its name, how it is written, and the notes that can hold it."""

    name: str
    pattern: re.Pattern[str]
    place: Callable[[Note, Encounter], bool] = _anywhere

    def notes(self, encounter: Encounter, notes: Sequence[Note]) -> list[Note]:
        """The notes that have it."""
        return [n for n in notes if self.place(n, encounter) and self.pattern.search(n.text)]


EXPECTED: dict[SectionName, tuple[Item, ...]] = {
    "admission_condition": (
        Item("主诉", re.compile(r"主\s*诉|因[“\"]?.{2,40}(?:入院|就诊)")),
        Item("过敏史", re.compile(r"过敏")),
        Item("入院查体", re.compile(r"查体|体格检查|体温|T\s*[:：]?\s*3\d"), is_of_admission),
    ),
    "discharge_condition": (Item("出院生命体征", _VITAL_SIGNS, is_of_departure),),
}
_SOMEWHERE: dict[SectionName, re.Pattern[str]] = {
    "admission_condition": re.compile(
        r"主\s*诉|现病史|入院(?:时|情况|查体)|因.{2,40}(?:入院|就诊)"
    ),
    "hospital_course": re.compile(r"治疗|给予|予以|静滴|口服|手术|术后|入院后|住院期间|诊疗经过"),
    "discharge_condition": DEPARTURE,
}


def gaps(section: SectionName, encounter: Encounter, notes: Sequence[Note]) -> list[str]:
    """Names of the expected items that no note of the record holds."""
    return [i.name for i in EXPECTED.get(section, ()) if not i.notes(encounter, notes)]


def is_somewhere(section: SectionName, notes: Sequence[Note]) -> bool:
    """Whether the record seems to say it, so that 病历未记载 would be wrong."""
    pattern = _SOMEWHERE[section]
    return any(n.kind != "structured" and pattern.search(n.text) for n in notes)
