"""Conditions as SQL: sets of patients (or of notes), every value a bound parameter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy import ColumnElement, Integer, and_, not_, or_, select, true
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from assistant.record_index.amounts import Amount, alternatives
from assistant.record_index.query import (
    And,
    Coded,
    Compare,
    Contains,
    Dated,
    Has,
    Leaf,
    Not,
    OfPatient,
    Or,
    Outcome,
    Query,
)
from assistant.record_index.standing import codes
from assistant.store.record_rows import (
    RecordFactRow,
    RecordNoteRow,
    RecordPatientRow,
    RecordResultRow,
)

Unit = Literal["patient", "note"]
"""What is counted: patients of whom all holds, or single notes in which it does."""


class _Position(FunctionElement[int]):
    """Where words begin in a text, from 1; 0 where they are not there."""

    inherit_cache = True
    type = Integer()


@compiles(_Position, "sqlite")
def _in_sqlite(element: _Position, compiler: SQLCompiler, **options: Any) -> str:
    return f"instr({compiler.process(element.clauses, **options)})"


@compiles(_Position, "postgresql")
def _in_postgresql(element: _Position, compiler: SQLCompiler, **options: Any) -> str:
    return f"strpos({compiler.process(element.clauses, **options)})"


_AT_MOST = {">": ("<", "<="), ">=": ("<", "<="), "<": (">", ">="), "<=": (">", ">=")}
"""A result that is told as <0.5 is above nothing, one that is told as >100 below nothing."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What conditions are asked within: the groups that the caller sees (None: all), days from
    ``begin`` to before ``end`` ("": open), and the numbers of the terms of each condition."""

    unit: Unit
    groups: Sequence[str] | None
    terms: Mapping[Leaf, Sequence[int]]
    begin: str = ""
    end: str = ""

    def within(self, day: Dated) -> Scope:
        """The same within a day's bounds, too."""
        ends = [end for end in (self.end, day.end) if end]
        return replace(self, begin=max(self.begin, day.begin), end=min(ends, default=""))

    @property
    def bounded(self) -> bool:
        """Whether days bound it."""
        return bool(self.begin or self.end)


def holds(query: Query, scope: Scope) -> ColumnElement[bool]:
    """The condition on a row of `RecordPatientRow` or `RecordNoteRow` that ``query`` is.

    Days in a conjunction bound its other parts; alone they ask for a note of these days.
    """
    match query:
        case Not(Dated() as day):
            return or_(*(holds(part, scope) for part in _outside(day)))
        case Not(part):
            return not_(holds(part, scope))
        case Or(parts):
            return or_(*(holds(part, scope) for part in parts))
        case And(parts):
            days = [part for part in parts if isinstance(part, Dated)]
            for day in days:
                scope = scope.within(day)
            asked = [part for part in parts if not isinstance(part, Dated)]
            return and_(*_in_turn(asked, scope, bounded=bool(days)))
        case Dated() as day:
            return _any_note(scope.within(day))
        case leaf:
            return _key(scope.unit).in_(select_keys(leaf, scope))


def _in_turn(parts: Sequence[Query], scope: Scope, *, bounded: bool) -> list[ColumnElement[bool]]:
    """All parts of a conjunction within ``scope``."""
    found: list[ColumnElement[bool]] = []
    if bounded and not any(map(_is_seen, parts)):
        # Somebody of whom there is no note of these days was not without it in them.
        found.append(_any_note(scope))
    quick = [part for part in parts if isinstance(part, Has | Coded | Outcome | Compare)]
    for part in parts:
        if isinstance(part, Contains) and quick:
            # Only the notes are read of those of whom the rest holds.
            keys = [select_keys(one, scope) for one in quick]
            found.append(_key(scope.unit).in_(select_keys(part, scope, among=keys)))
        else:
            found.append(holds(part, scope))
    return found


def _is_seen(query: Query) -> bool:
    """Whether it holds only by a note that the caller sees, of the days that bound it."""
    match query:
        case Not(Dated()):
            return True
        case Not(part):
            return isinstance(part, Not) and _is_seen(part.part)
        case And(parts):
            return any(map(_is_seen, parts))
        case Or(parts):
            return all(map(_is_seen, parts))
        case _:
            return True


def visible(query: Query, scope: Scope) -> ColumnElement[bool]:
    """What the caller may know of at all; nothing to ask where the query itself sees to it."""
    if scope.groups is None or _is_seen(query):
        return true()
    if scope.unit == "note":
        return RecordNoteRow.access.in_(scope.groups)
    notes = select(RecordNoteRow.patient_no).where(RecordNoteRow.access.in_(scope.groups))
    return RecordPatientRow.no.in_(notes)


def select_keys(leaf: Leaf, scope: Scope, among: Sequence[Any] = ()) -> Any:
    """The numbers of the patients (or notes) of a condition, of those that all of ``among`` has."""
    table, condition = found_in(leaf, scope)
    of_note = table.no if table is RecordNoteRow else table.note_no
    key = of_note if scope.unit == "note" else table.patient_no
    return select(key).where(*(key.in_(keys) for keys in among), condition)


def found_in(leaf: Leaf, scope: Scope) -> tuple[Any, ColumnElement[bool]]:
    """The table that a condition asks, and which of its rows hold."""
    match leaf:
        case Has():
            facts = _common(RecordFactRow, leaf, scope)
            facts.append(RecordFactRow.standing.in_(codes(leaf.standing)))
            if leaf.types:
                facts.append(RecordFactRow.type.in_(leaf.types))
            return RecordFactRow, and_(*facts)
        case Coded():
            standing = RecordFactRow.standing.in_(codes("present"))
            return RecordFactRow, and_(*_common(RecordFactRow, leaf, scope), standing)
        case Outcome():
            outcome = RecordResultRow.outcome.in_(leaf.outcomes)
            return RecordResultRow, and_(
                *_common(RecordResultRow, leaf, scope), outcome, _measured()
            )
        case Compare():
            common = _common(RecordResultRow, leaf, scope)
            return RecordResultRow, and_(*common, _compared(leaf), _measured())
        case Contains():
            column = RecordNoteRow.title if leaf.title else RecordNoteRow.text
            return RecordNoteRow, and_(_has_words(column, leaf.text), *_of_notes(scope))
        case OfPatient():
            wanted = select(RecordPatientRow.no).where(
                RecordPatientRow.patient_id == leaf.patient_id
            )
            return RecordNoteRow, and_(RecordNoteRow.patient_no.in_(wanted), *_of_notes(scope))
        case Dated():
            return RecordNoteRow, and_(true(), *_of_notes(scope.within(leaf)))


def _common(table: Any, leaf: Leaf, scope: Scope) -> list[ColumnElement[bool]]:
    """The name, the days and the groups."""
    found = [table.term_no.in_(scope.terms.get(leaf, ()))]
    return found + _bounds(table.on_date, scope) + _groups(table.access, scope)


def _of_notes(scope: Scope) -> list[ColumnElement[bool]]:
    return _bounds(RecordNoteRow.written_on, scope) + _groups(RecordNoteRow.access, scope)


def _any_note(scope: Scope) -> ColumnElement[bool]:
    conditions = _of_notes(scope)
    if scope.unit == "note":
        return and_(true(), *conditions)
    return RecordPatientRow.no.in_(select(RecordNoteRow.patient_no).where(*conditions))


def _bounds(column: InstrumentedAttribute[str], scope: Scope) -> list[ColumnElement[bool]]:
    if not scope.bounded:
        return []
    # What has no day is of no time.
    found = [column >= (scope.begin or "0")]
    return [*found, column < scope.end] if scope.end else found


def _groups(column: InstrumentedAttribute[str], scope: Scope) -> list[ColumnElement[bool]]:
    return [] if scope.groups is None else [column.in_(scope.groups)]


def _measured() -> ColumnElement[bool]:
    return RecordResultRow.standing.in_(codes("measured"))


def _compared(leaf: Compare) -> ColumnElement[bool]:
    amounts = alternatives(leaf.name, Amount(leaf.number, leaf.dimensions))
    return or_(*(_against(leaf.operator, amount) for amount in amounts))


def _against(operator: str, amount: Amount) -> ColumnElement[bool]:
    number, said = RecordResultRow.number, RecordResultRow.comparator
    of_kind = RecordResultRow.dimensions == amount.dimensions
    bound = amount.number
    if operator in ("=", "!="):
        same = and_(number == bound, said == "")
        return and_(of_kind, same if operator == "=" else not_(same), number.is_not(None))
    not_below = not_(said.in_(_AT_MOST[operator]))
    match operator:
        case ">":
            # What is told as above the bound is above it.
            return and_(of_kind, not_below, or_(number > bound, and_(number == bound, said == ">")))
        case ">=":
            return and_(of_kind, not_below, number >= bound)
        case "<":
            return and_(of_kind, not_below, or_(number < bound, and_(number == bound, said == "<")))
        case _:
            return and_(of_kind, not_below, number <= bound)


def _has_words(column: InstrumentedAttribute[str], words: str) -> ColumnElement[bool]:
    # Both databases have a name of their own for it.
    return _Position(column, words) > 0


def _outside(day: Dated) -> list[Dated]:
    found = [Dated(day.words, "", day.begin)] if day.begin else []
    return [*found, Dated(day.words, day.end, "")] if day.end else found


def _key(unit: Unit) -> InstrumentedAttribute[int]:
    return RecordNoteRow.no if unit == "note" else RecordPatientRow.no
