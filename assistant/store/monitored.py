"""What monitoring reads of drafts: when, whose, what became of them; rows, not figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Text, cast, func, select, type_coerce
from sqlalchemy.orm import Session

from assistant.store.database import Database
from assistant.store.models.draft import DraftRow, ResolutionRow
from assistant.store.models.feedback import FeedbackRow
from assistant.store.models.request import RequestRow

PART = 400
"""How many ids one statement names."""


@dataclass(slots=True)
class MonitoredDraft:
    """One draft that a model wrote.

    ``input_length``: code points of the request as JSON.  ``text_length``: the longer of the text
    that was accepted (else generated) and the signed one, which `edit_distance` lies between.
    ``actions``: statement → the last thing that was done with it.  ``verdicts``: opinions that
    still count.
    """

    id: str
    kind: str
    model: str
    section: str
    department: str
    created_at: datetime
    opened_at: datetime | None
    accepted: bool
    signed: bool
    edit_distance: int | None
    text_length: int
    input_length: int
    content: dict[str, Any]
    actions: dict[str, str] = field(default_factory=dict)
    verdicts: list[str] = field(default_factory=list)


def monitored(
    database: Database,
    *,
    since: datetime,
    until: datetime | None = None,
    kind: str = "",
    model: str = "",
    limit: int = 20_000,
) -> Sequence[MonitoredDraft]:
    """The drafts that models wrote from ``since`` up to ``until``, the newest ``limit`` of them,
    oldest first.  No patient is named, so no context; whoever reads it keeps figures only.
    """
    payload = type_coerce(RequestRow.payload, JSON)
    department = func.coalesce(
        payload["department"].as_string(), payload["encounter", "department"].as_string(), ""
    )
    length = func.length(cast(RequestRow.payload, Text))
    query = (
        select(DraftRow, department, length)
        .join(RequestRow, RequestRow.id == DraftRow.request_id)
        .where(DraftRow.model != "", DraftRow.created_at >= since)
        .order_by(DraftRow.id.desc())
        .limit(limit)
    )
    if until is not None:
        query = query.where(DraftRow.created_at < until)
    if kind:
        query = query.where(DraftRow.kind == kind)
    if model:
        query = query.where(DraftRow.model == model)
    with database.read() as session:
        rows = [_draft(*found) for found in session.execute(query)]
        rows.reverse()
        _add_what_was_done(session, {row.id: row for row in rows})
    return rows


def _draft(row: DraftRow, department: str, length: int) -> MonitoredDraft:
    text = row.content.get("text")
    before = row.accepted_text if row.accepted_text is not None else str(text or "")
    return MonitoredDraft(
        id=row.id,
        kind=row.kind,
        model=row.model,
        section=row.section,
        department=department,
        created_at=row.created_at,
        opened_at=row.opened_at,
        accepted=row.accepted_at is not None,
        signed=row.signed_at is not None,
        edit_distance=row.edit_distance,
        text_length=max(len(before), len(row.signed_text or "")),
        input_length=length or 0,
        content=row.content,
    )


def _add_what_was_done(session: Session, drafts: dict[str, MonitoredDraft]) -> None:
    ids = list(drafts)
    for start in range(0, len(ids), PART):
        part = ids[start : start + PART]
        done = select(
            ResolutionRow.draft_id, ResolutionRow.statement_id, ResolutionRow.action
        ).where(ResolutionRow.draft_id.in_(part))
        for draft_id, statement, action in session.execute(done.order_by(ResolutionRow.id)):
            drafts[draft_id].actions[statement] = action
        said = select(FeedbackRow.draft_id, FeedbackRow.verdict).where(
            FeedbackRow.draft_id.in_(part), FeedbackRow.superseded.is_(False)
        )
        for opinion_on, verdict in session.execute(said):
            drafts[str(opinion_on)].verdicts.append(verdict)
