"""The places in notes that a found row rests on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.record_index.conditions_sql import Scope, found_in
from assistant.record_index.query import (
    And,
    Contains,
    Dated,
    Has,
    Leaf,
    OfPatient,
    Or,
    Query,
    leaves,
)
from assistant.record_index.standing import in_words
from assistant.store.record_rows import RecordNoteRow, RecordResultRow

_EACH = 3
"""Places for each condition of a row, the newest."""

_AROUND = 24
"""Characters before and after."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """``[start, end)`` in code points of the note is what a condition rests on.

    ``denies``: the condition must not hold, and the note denies it here.
    """

    condition: str
    note_id: str
    title: str
    on_date: str
    start: int
    end: int
    text: str
    before: str
    after: str
    standing: str = ""
    value: str = ""
    unit: str = ""
    denies: bool = False


def evidence_of(
    session: Session, tree: Query, scope: Scope, keys: Sequence[int]
) -> dict[int, list[Evidence]]:
    """Evidence by the number of the patient (or note)."""
    found: dict[int, list[Evidence]] = defaultdict(list)
    scope = _bounded(tree, scope)
    notes = _Notes(session, scope, keys)
    for leaf, denied in leaves(tree):
        if isinstance(leaf, Dated | OfPatient) or (denied and not _can_be_denied(leaf)):
            continue
        asked, within = leaf, scope
        if denied and isinstance(leaf, Has):
            asked = replace(leaf, standing="denied")
            within = replace(scope, terms={asked: scope.terms[leaf]})
        for key, one in _places(session, asked, within, notes):
            found[key].append(replace(one, condition=leaf.words, denies=denied))
    return found


class _Notes:
    """The notes of the rows that are shown: their numbers at once, their texts when needed."""

    def __init__(self, session: Session, scope: Scope, keys: Sequence[int]) -> None:
        self._session = session
        key = RecordNoteRow.no if scope.unit == "note" else RecordNoteRow.patient_no
        query = select(RecordNoteRow.no, key).where(key.in_(keys))
        if scope.groups is not None:
            query = query.where(RecordNoteRow.access.in_(scope.groups))
        self.key_of = {note: key for note, key in session.execute(query)}  # noqa: C416 - rows are no pairs to mypy

    def get(self, numbers: Iterable[int]) -> dict[int, RecordNoteRow]:
        """Notes by number."""
        query = select(RecordNoteRow).where(RecordNoteRow.no.in_(set(numbers)))
        return {note.no: note for note in self._session.scalars(query)}


def _can_be_denied(leaf: Leaf) -> bool:
    return isinstance(leaf, Has) and leaf.standing == "present"


def _bounded(tree: Query, scope: Scope) -> Scope:
    """The scope within the days that stand at the top of the query."""
    if isinstance(tree, Or):
        return scope
    for part in tree.parts if isinstance(tree, And) else (tree,):
        if isinstance(part, Dated):
            scope = scope.within(part)
    return scope


def _places(
    session: Session, leaf: Leaf, scope: Scope, notes: _Notes
) -> Iterator[tuple[int, Evidence]]:
    table, condition = found_in(leaf, scope)
    if table is RecordNoteRow:
        yield from _in_texts(session, leaf, condition, notes)
        return
    # By the notes that are shown: the other way round all that the name is in would be read.
    query = select(table).where(table.note_no.in_(notes.key_of), condition)
    newest = sorted(session.scalars(query), key=lambda row: (row.on_date, -row.no), reverse=True)
    chosen: dict[int, dict[tuple[int, int, int], Any]] = defaultdict(dict)
    for row in newest:
        # A thing has a row for each of its names: one of them is enough.
        of_key = chosen[notes.key_of[row.note_no]]
        if len(of_key) < _EACH:
            of_key.setdefault((row.note_no, row.start, row.end), row)
    texts = notes.get(row.note_no for rows in chosen.values() for row in rows.values())
    for number, rows in chosen.items():
        for row in rows.values():
            yield number, _evidence(texts[row.note_no], row.start, row.end, row)


def _evidence(note: RecordNoteRow, start: int, end: int, row: Any = None) -> Evidence:
    result = row if isinstance(row, RecordResultRow) else None
    return Evidence(
        "",
        note.note_id,
        note.title,
        row.on_date if row is not None else note.written_on,
        start,
        end,
        note.text[start:end],
        note.text[max(0, start - _AROUND) : start],
        note.text[end : end + _AROUND],
        in_words(row.standing) if row is not None else "",
        f"{result.comparator}{result.value}" if result else "",
        result.unit if result else "",
    )


def _in_texts(
    session: Session, leaf: Leaf, condition: Any, notes: _Notes
) -> Iterator[tuple[int, Evidence]]:
    if not isinstance(leaf, Contains):
        return
    query = select(RecordNoteRow).where(RecordNoteRow.no.in_(notes.key_of), condition)
    shown: dict[int, int] = defaultdict(int)
    for note in session.scalars(query.order_by(RecordNoteRow.written_on.desc())):
        number = notes.key_of[note.no]
        start = 0 if leaf.title else note.text.find(leaf.text)
        if start < 0 or shown[number] >= _EACH:
            continue
        shown[number] += 1
        yield number, _evidence(note, start, start + (0 if leaf.title else len(leaf.text)))
