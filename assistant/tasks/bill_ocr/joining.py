"""Results of confirmed laboratory sheets join the record that any task is given.

Sheets that were filed under the encounter belong to it.  Those of the patient alone belong to a
stay if they were taken from the day before its admission to its discharge; to a record that says
nothing of its time, or to a case, if they are at most thirty days old.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from assistant.record.observation import Observation
from assistant.store import Context, Store
from assistant.tasks.bill_ocr.document import DocumentKind
from assistant.tasks.bill_ocr.filing import kept
from assistant.tasks.bill_ocr.observing import ObservedResult, name_key, observed
from assistant.tasks.bill_ocr.results import NOTE, accepted_sheets, note_of, when, without_repeats

_BEFORE = timedelta(days=1)
_RECENT = timedelta(days=30)
_MOST = 5_000
_TABLED = "observations"
Payload = dict[str, Any]


def joined(payload: Payload, context: Context, store: Store) -> Payload:
    """``payload`` with the results that belong to its record; itself where there are none."""
    place = _record_in(payload)
    sheets = DocumentKind.LABORATORY_SHEET.value
    if place is None or not context.patient_id or not store.bills.any_accepted(context, sheets):
        return payload
    record = payload[place] if place else payload
    results = sorted(without_repeats(_belonging(store, context, record)), key=when)
    changed = _with_note(record, results) if _of_notes(record) else _with_rows(record, results)
    if changed is record:
        return payload
    return payload | {place: changed} if place else changed


def _record_in(payload: Payload) -> str | None:
    """Where the record is: "" for the payload itself, None where there is none."""
    if isinstance(payload.get("encounter"), dict):
        return "encounter"
    is_record = isinstance(payload.get("patient"), dict) and ("notes" in payload or _case(payload))
    return "" if is_record or _of_notes(payload) else None


def _case(record: Mapping[str, Any]) -> bool:
    return "encounter_id" in record and "present_illness" in record


def _of_notes(record: Mapping[str, Any]) -> bool:
    """Whether these are notes to be structured: a text each, and no table."""
    return "patient_id" in record and isinstance(record.get("notes"), list)


def _belonging(
    store: Store, context: Context, record: Mapping[str, Any]
) -> Iterator[ObservedResult]:
    first, last = _time_of(record, store.database.clock())
    for row in accepted_sheets(store.bills, context):
        content = kept(row.content)
        own = bool(row.encounter_id)
        for result in observed(content.document, row.id, content.attachments):
            at = result.observation.at
            if own or (at is not None and first <= at.replace(tzinfo=None) <= last):
                yield result


def _time_of(record: Mapping[str, Any], now: datetime) -> tuple[datetime, datetime]:
    admitted, discharged = (_moment(record.get(n)) for n in ("admitted_at", "discharged_at"))
    now = now.replace(tzinfo=None)
    if admitted is None:
        return now - _RECENT, now + _BEFORE
    return admitted - _BEFORE, discharged or now + _BEFORE


def _moment(value: Any) -> datetime | None:
    return datetime.fromisoformat(value).replace(tzinfo=None) if isinstance(value, str) else None


def _with_rows(record: Payload, results: list[ObservedResult]) -> Payload:
    """The record with a row for each result that it has not yet."""
    rows: list[Payload] = list(record.get(_TABLED) or [])
    there = {_key(Observation.model_validate(row)) for row in rows}
    ids = {row.get("id") for row in rows}
    more = []
    for result in results[-max(0, _MOST - len(rows)) :]:
        row = result.observation
        if row.id not in ids and _key(row) not in there:
            boxed = row.model_copy(update={"box": result.evidence})
            more.append(boxed.model_dump(mode="json"))
    return record | {_TABLED: [*rows, *more]} if more else record


def _key(row: Observation) -> tuple[str, str, str]:
    """What one result is told from another by: systems and sheets differ in minutes."""
    return name_key(row.name), row.value, "" if row.at is None else row.at.date().isoformat()


def _with_note(record: Payload, results: list[ObservedResult]) -> Payload:
    """The notes with one more that lists the results, unless it is among them."""
    note, _ = note_of(results)
    notes: list[Payload] = record["notes"]
    if note is None or any(one.get("id") == NOTE for one in notes):
        return record
    added = {"id": NOTE, "title": note.title, "text": note.text}
    return record | {"notes": [*notes, added]}
