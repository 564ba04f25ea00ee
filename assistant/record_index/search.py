"""A query run against the index: how many, which, and the places in notes that say so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from assistant.record_index.access import Caller
from assistant.record_index.conditions_sql import Scope, Unit, holds, visible
from assistant.record_index.evidence import Evidence, evidence_of
from assistant.record_index.language import parse
from assistant.record_index.query import Compare, Query, leaves
from assistant.record_index.terms import terms_of
from assistant.store import Context, Store
from assistant.store.record_rows import RecordNoteRow, RecordPatientRow, RecordResultRow

MOST_ROWS = 200
"""Rows of a page."""


@dataclass(frozen=True, slots=True)
class Row:
    """A patient (or a note) of whom the query holds, with what the record says of it."""

    patient_id: str
    note_id: str
    notes: int
    first_day: str
    last_day: str
    evidence: list[Evidence] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Found:
    """What a query came to; ``total`` counts what the caller may see and nothing else."""

    query: str
    unit: Unit
    total: int
    rows: list[Row]
    notices: list[str]


def search(
    store: Store,
    caller: Caller,
    query: str,
    *,
    unit: Unit = "patient",
    limit: int = 50,
    offset: int = 0,
    purpose: str = "record.search",
) -> Found:
    """Run a query.  It leaves an audit row, and one for every row that it gives.

    Raises `QueryError`, `SearchRefused`.
    """
    tree = parse(query)
    with store.database.read() as session:
        scope = Scope(unit, caller.groups, terms_of(session, tree))
        with _whole_sets(session):
            total, keys = _keys(session, tree, scope, limit, offset)
        rows = _rows(session, tree, scope, keys)
        notices = _notices(session, tree, scope)
    _note(store, caller, query, rows, purpose)
    return Found(query, unit, total, rows, notices)


def count(store: Store, caller: Caller, query: str, unit: Unit = "patient") -> int:
    """How many there are, without which."""
    tree = parse(query)
    with store.database.read() as session:
        scope = Scope(unit, caller.groups, terms_of(session, tree))
        with _whole_sets(session):
            total, _ = _keys(session, tree, scope, 0, 0)
    _note(store, caller, query, [], "record.count")
    return total


@contextmanager
def _whole_sets(session: Session) -> Iterator[None]:
    """Have PostgreSQL read the set of each condition once and join the sets.

    Left to itself it now and then takes a set to be small and looks every row of it up in an index
    whose later columns do not narrow the search: seconds instead of milliseconds.
    """
    if session.get_bind().dialect.name != "postgresql":
        yield
        return
    session.execute(text("SET LOCAL enable_nestloop = off"))
    yield
    session.execute(text("SET LOCAL enable_nestloop = on"))


def _keys(
    session: Session, tree: Query, scope: Scope, limit: int, offset: int
) -> tuple[int, Sequence[int]]:
    table: Any = RecordNoteRow if scope.unit == "note" else RecordPatientRow
    condition = (visible(tree, scope), holds(tree, scope))
    # Counted and listed in one pass over the condition.
    found = select(table.no, func.count().over().label("total")).where(*condition).subquery()
    page = select(found.c.no, found.c.total).order_by(found.c.no).limit(limit).offset(offset)
    rows = session.execute(page).all() if limit else []
    if rows:
        return rows[0].total, [row.no for row in rows]
    counted = select(func.count()).select_from(table).where(*condition)
    return (session.scalar(counted) or 0) if offset or not limit else 0, []


def _rows(session: Session, tree: Query, scope: Scope, keys: Sequence[int]) -> list[Row]:
    if not keys:
        return []
    of_note = scope.unit == "note"
    key = RecordNoteRow.no if of_note else RecordNoteRow.patient_no
    query = (
        select(
            key,
            RecordPatientRow.patient_id,
            func.max(RecordNoteRow.note_id),
            func.count(),
            func.min(RecordNoteRow.written_on),
            func.max(RecordNoteRow.written_on),
        )
        .join(RecordPatientRow, RecordPatientRow.no == RecordNoteRow.patient_no)
        .where(key.in_(keys))
        .group_by(key, RecordPatientRow.patient_id)
    )
    if scope.groups is not None:
        query = query.where(RecordNoteRow.access.in_(scope.groups))
    evidence = evidence_of(session, tree, scope, keys)
    found = {
        number: Row(patient, note if of_note else "", notes, first, last, evidence.get(number, []))
        for number, patient, note, notes, first, last in session.execute(query)
    }
    return [found[number] for number in keys if number in found]


def _notices(session: Session, tree: Query, scope: Scope) -> list[str]:
    """What a reader should know: that there is nothing to search, names that no note has, units
    that are missing."""
    if not _has_notes(session, scope):
        return [_EMPTY]
    found = []
    for leaf, _ in leaves(tree):
        if leaf in scope.terms and not scope.terms[leaf]:
            found.append(f"索引中没有“{leaf.words}”里的名称。(No note has this name.)")
        elif isinstance(leaf, Compare) and (units := _units(session, leaf, scope)):
            found.append(
                f"“{leaf.words}”没有写单位，只与没有单位的结果比较；病历中的单位："
                f"{'、'.join(units)}。(Give a unit.)"
            )
    return list(dict.fromkeys(found))


_EMPTY = (
    "病历搜索中还没有可供您检索的病历；请管理员先载入：bedside records load 文件夹。"
    "(No note to search yet: bedside records load FOLDER.)"
)


def _has_notes(session: Session, scope: Scope) -> bool:
    query = select(RecordNoteRow.no).limit(1)
    if scope.groups is not None:
        query = query.where(RecordNoteRow.access.in_(scope.groups))
    return session.execute(query).first() is not None


def _units(session: Session, leaf: Compare, scope: Scope) -> list[str]:
    """The commonest units of a result that is compared without one."""
    if leaf.dimensions:
        return []
    query = (
        select(RecordResultRow.unit)
        .where(RecordResultRow.term_no.in_(scope.terms[leaf]), RecordResultRow.unit != "")
        .group_by(RecordResultRow.unit)
        .order_by(func.count().desc())
        .limit(4)
    )
    if scope.groups is not None:
        query = query.where(RecordResultRow.access.in_(scope.groups))
    return list(session.scalars(query))


def _note(store: Store, caller: Caller, query: str, rows: Sequence[Row], purpose: str) -> None:
    actor = caller.context
    with store.database.write() as session:
        store.audit.append(session, actor, purpose, "record_index", "", query)
        patients = dict.fromkeys(row.patient_id for row in rows)
        contexts = [Context(actor.actor_id, actor.actor_role, patient) for patient in patients]
        store.audit.append_each(session, contexts, f"{purpose}.row", "record_index")
