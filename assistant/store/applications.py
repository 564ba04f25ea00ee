"""Through which application somebody acted, as far as the objects of audit rows still say it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from assistant.store.database import Database
from assistant.store.models.audit import AuditRow
from assistant.store.models.draft import DraftRow
from assistant.store.models.request import RequestRow


def applications(database: Database, rows: Sequence[AuditRow]) -> list[str]:
    """The application of each row: that of the request, or of the draft's request; "" where
    the row is about something else, or the request was purged."""
    ids = {kind: {r.object_id for r in rows if r.object_type == kind} for kind in _KINDS}
    found: dict[tuple[str, str], str] = {}
    requests = select(RequestRow.id, RequestRow.source).where(RequestRow.id.in_(ids["request"]))
    drafts = (
        select(DraftRow.id, RequestRow.source)
        .join(RequestRow, RequestRow.id == DraftRow.request_id)
        .where(DraftRow.id.in_(ids["draft"]))
    )
    with database.read() as session:
        for kind, query in (("request", requests), ("draft", drafts)):
            if ids[kind]:
                found |= {(kind, key): source for key, source in session.execute(query)}
    return [found.get((row.object_type, row.object_id), "") for row in rows]


_KINDS = ("request", "draft")
