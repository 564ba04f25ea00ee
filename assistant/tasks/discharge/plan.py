"""Which notes, sentences and rows each narrative section is written from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from assistant.grounding.segments import Scope, Segment
from assistant.record.encounter import Encounter
from assistant.record.medication import medication_line
from assistant.record.note import Note, NoteKind
from assistant.record.observation import observation_line
from assistant.record.operation import operation_line
from assistant.record.order import order_line
from assistant.tasks.discharge.draft import SectionName
from assistant.tasks.discharge.gaps import EXPECTED, is_of_departure
from assistant.tasks.discharge.written import OPENING

GROUP_CHARACTERS = 1500
"""Characters of notes in one prompt at most, so that first text comes within seconds on a CPU."""

OUTLINE = "本次住院要点，按时间"
LEAST_ROWS = 400
"""Characters of table rows that are shown even if they need a prompt of their own."""


@dataclass(frozen=True)
class Plan:
    """Which notes a narrative section is written from, and what may support it.

    ``instead`` are the kinds of notes that serve where there is none of ``kinds``.
    """

    kinds: tuple[NoteKind, ...]
    instead: tuple[NoteKind, ...]
    scopes: frozenset[Scope]
    guidance: str
    limit: int


PLANS: dict[SectionName, Plan] = {
    "admission_condition": Plan(
        kinds=("admission", "other"),
        instead=("first_progress",),
        scopes=frozenset({Scope.PRIOR, Scope.PRESENTING, Scope.STAY}),
        guidance="概括主诉、现病史要点、重要既往史、入院查体和入院时的检查结果",
        limit=260,
    ),
    "hospital_course": Plan(
        kinds=("first_progress", "progress", "operation", "consultation", "nursing", "other"),
        instead=(),
        scopes=frozenset({Scope.STAY}),
        guidance="按时间写本次住院做了什么检查、治疗、手术和病情变化；以前住院的事不要写",
        limit=300,
    ),
    "discharge_condition": Plan(
        kinds=("discharge_day", "other"),
        instead=("progress", "nursing", "operation", "consultation"),
        scopes=frozenset({Scope.STAY}),
        guidance="写出院当天的症状、体征和切口等情况",
        limit=160,
    ),
}


@dataclass
class Material:
    """What a section is written from: ``groups`` of notes, one group a prompt.

    ``earlier`` counts the sentences left out because they speak of an earlier time, ``rows`` the
    table rows for which there was no room.
    """

    scopes: frozenset[Scope]
    groups: list[list[Note]] = field(default_factory=list)
    earlier: int = 0
    rows: int = 0


def gather(
    section: SectionName, encounter: Encounter, notes: Sequence[Note], segments: Sequence[Segment]
) -> Material:
    """The sentences of the right notes and time, the expected items of other notes, the rows."""
    plan = PLANS[section]
    chosen = _chosen(section, plan, encounter, notes)
    ids = {n.id for n in chosen}
    of_chosen = [s for s in segments if s.note_id in ids]
    rows = _rows(encounter) if section == "hospital_course" else []
    scopes = plan.scopes
    has_stay = rows or any(s.scope is Scope.STAY for s in of_chosen)
    if section == "hospital_course" and not has_stay and any(n.kind in OPENING for n in chosen):
        scopes = scopes | {Scope.PRESENTING}
    material = Material(scopes)
    if Scope.PRIOR not in scopes:
        # A first progress note tells the history as a matter of course.
        later = {n.id for n in chosen if n.kind not in OPENING}
        material.earlier = sum(s.scope is Scope.PRIOR and s.note_id in later for s in of_chosen)
    kept = [s for s in of_chosen if s.scope in scopes]
    kept += _expected(section, encounter, notes, segments, kept)
    pieces = [
        _shown(note, piece)
        for note in notes
        for piece in _pieces([s.text for s in kept if s.note_id == note.id], "。")
    ]
    left = GROUP_CHARACTERS - sum(len(p.text) for p in pieces) % GROUP_CHARACTERS
    room = left if left >= LEAST_ROWS else left + LEAST_ROWS
    said = "\n".join(p.text for p in pieces)
    pieces += _row_notes(rows, room, said, material)
    material.groups = _grouped(pieces)
    return material


def outlined(lines: Sequence[str]) -> list[list[Note]]:
    """The events of a stay as notes of a prompt's size."""
    notes = [
        Note(id="outline", kind="structured", title=OUTLINE, text=piece)
        for piece in _pieces(lines, "\n")
    ]
    return _grouped(notes)


def _chosen(
    section: SectionName, plan: Plan, encounter: Encounter, notes: Sequence[Note]
) -> list[Note]:
    chosen = [n for n in notes if n.kind in plan.kinds and n.text.strip()]
    if section == "discharge_condition":
        # A note of no kind among many is seldom of the discharge; a free text stands alone.
        chosen = [n for n in chosen if n.kind != "other" or is_of_departure(n, encounter)]
    if chosen:
        return chosen
    instead = [n for n in notes if n.kind in plan.instead and n.text.strip()]
    if section == "discharge_condition":
        return [n for n in instead if is_of_departure(n, encounter)][-1:]
    return instead


def _expected(
    section: SectionName,
    encounter: Encounter,
    notes: Sequence[Note],
    segments: Sequence[Segment],
    kept: Sequence[Segment],
) -> list[Segment]:
    """Sentences of other notes for the expected items that the kept sentences do not have."""
    found: list[Segment] = []
    for item in EXPECTED.get(section, ()):
        if any(item.pattern.search(s.text) for s in kept):
            continue
        for note in item.notes(encounter, [n for n in notes if n.kind != "structured"])[:1]:
            found += [s for s in segments if s.note_id == note.id and item.pattern.search(s.text)]
    return list(dict.fromkeys(s for s in found if s not in kept))


@dataclass(frozen=True, slots=True)
class _Row:
    title: str
    line: str
    words: tuple[str, ...] = ()
    """What the notes must hold to say the same; empty for a row that is always shown."""


def _rows(encounter: Encounter) -> list[_Row]:
    """Rows of the stay, the telling ones first; nothing of what the patient takes home."""
    final = [o for o in encounter.observations if o.status == "final"]
    final.sort(key=lambda o: o.flag == "normal")
    done = [o for o in encounter.orders if o.status == "completed"]
    return [
        *(_Row("手术", operation_line(o)) for o in encounter.operations),
        *(
            _Row("用药", medication_line(m.model_copy(update={"specification": ""})))
            for m in encounter.medications
            if not m.discharge
        ),
        *(_Row("检查", order_line(o), (o.text,)) for o in done if o.kind in ("test", "imaging")),
        *(_Row("检验", observation_line(o), (o.name, o.value)) for o in final),
    ]


def _row_notes(rows: Sequence[_Row], room: int, said: str, material: Material) -> list[Note]:
    """The rows that fit and that the notes do not say already, a note for each table."""
    lines: dict[str, list[str]] = {}
    for row in rows:
        if row.words and all(word in said for word in row.words):
            continue
        if row.title != "手术" and len(row.line) > room:
            material.rows += 1
            continue
        room -= len(row.line)
        lines.setdefault(row.title, []).append(row.line)
    return [
        Note(id="rows", kind="structured", title=title, text=piece)
        for title, texts in lines.items()
        for piece in _pieces(texts, "\n")
    ]


def _shown(note: Note, text: str) -> Note:
    return Note(id=note.id, kind=note.kind, title=note.title or note.kind, text=text)


def _pieces(sentences: Sequence[str], separator: str) -> list[str]:
    """The sentences in pieces of at most a prompt's size."""
    pieces: list[str] = []
    for sentence in sentences:
        for at in range(0, len(sentence), GROUP_CHARACTERS):
            part = sentence[at : at + GROUP_CHARACTERS]
            if pieces and len(pieces[-1]) + len(part) < GROUP_CHARACTERS:
                pieces[-1] += separator + part
            else:
                pieces.append(part)
    return pieces


def _grouped(pieces: Sequence[Note]) -> list[list[Note]]:
    """The pieces in groups that fit one prompt; every piece is in one of them."""
    groups: list[list[Note]] = []
    room = 0
    for note in pieces:
        if not groups or len(note.text) > room:
            groups.append([])
            room = GROUP_CHARACTERS
        groups[-1].append(note)
        room -= len(note.text)
    return groups
