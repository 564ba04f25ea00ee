"""Which drafts were made from a record that has changed since."""

from __future__ import annotations

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from assistant.store.access import visible_rows
from assistant.store.models.draft import DraftRow
from assistant.store.models.request import RequestRow


def mark_older(session: Session, newest: RequestRow) -> list[DraftRow]:
    """The record is now that of ``newest``: mark the drafts of its context and kind by it.

    Gives the drafts that became stale.  A record that is changed back makes its drafts current
    again.  A request that is not the whole record, but a question or some notes, makes none stale.
    """
    if not newest.bound:
        return []
    query = select(DraftRow).where(
        visible_rows(newest.context, DraftRow),
        DraftRow.kind == newest.kind,
        or_(DraftRow.record_hash != newest.record_hash, DraftRow.stale_at.is_not(None)),
    )
    became: list[DraftRow] = []
    for draft in session.scalars(query):
        if draft.record_hash == newest.record_hash:
            draft.stale_at = None
        elif draft.stale_at is None:
            draft.stale_at = newest.created_at
            became.append(draft)
    return became


def overtaken(session: Session, request: RequestRow) -> bool:
    """Whether a newer request of the same context and kind brought another record."""
    if not request.bound:
        return False
    same_place = [RequestRow.kind == request.kind, RequestRow.patient_id == request.patient_id]
    if request.encounter_id:
        same_place.append(RequestRow.encounter_id == request.encounter_id)
    if not request.patient_id:
        same_place.append(RequestRow.actor_id == request.actor_id)
    newest = session.scalar(
        select(RequestRow.record_hash).where(*same_place).order_by(RequestRow.id.desc()).limit(1)
    )
    return newest != request.record_hash
