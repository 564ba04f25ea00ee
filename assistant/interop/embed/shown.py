"""Drafts as the embedded page and the page around it get them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from assistant.draft import Statement, name_id
from assistant.interop.embed.grant import Grant
from assistant.review.fill_in import FillIn, open_statements
from assistant.review.review import Review
from assistant.store import DraftRow, RequestRow, Store
from assistant.work.registry import Registry
from assistant.work.task import AnyTask


class StatementShown(Statement):
    """A statement with what the doctor decided; ``heading``: the name of a diagnosis."""

    decision: str = ""
    edited: str | None = None
    heading: bool = False


class DraftSummary(BaseModel):
    """A draft without its text."""

    id: str
    title: str
    section: str
    state: Literal["ready", "accepted", "signed"]
    stale: bool
    created_at: datetime
    edit_distance: int | None = None
    seconds_to_acceptance: float | None = None


class DraftShown(DraftSummary):
    """A draft with its statements, each with its evidence; ``open``: what stands in the way."""

    statements: list[StatementShown]
    open: list[str]
    filled: FillIn | None = None


class State(BaseModel):
    """How far the work for this stay is."""

    task: str
    title: str
    patient_id: str
    encounter_id: str
    status: str = Field(description="none, queued, running, finished, failed or cancelled.")
    message: str = ""
    drafts: list[DraftSummary] = Field(default_factory=list)


def state(store: Store, tasks: Registry, grant: Grant, task: AnyTask) -> State:
    """The newest request of the task for the stay, and its drafts."""
    newest = newest_request(store, grant)
    shown = State(
        task=grant.task,
        title=task.title.zh,
        patient_id=grant.patient_id,
        encounter_id=grant.encounter_id,
        status="none" if newest is None else newest.status,
        message="" if newest is None else newest.failure or "",
    )
    if newest is not None:
        rows = store.drafts.list(grant.context, newest.id)
        read = [(tasks.draft(row.content["draft"]), row) for row in reversed(rows)]
        kept = [(d, row) for d, row in read if isinstance(d, task.draft)]
        kept.sort(key=lambda pair: task.position(pair[0]))
        shown.drafts = [_summary(row, _title(d, row)) for d, row in kept]
    return shown


def whole(store: Store, tasks: Registry, grant: Grant, draft_id: str) -> DraftShown:
    """One draft of the stay.  Raises `DraftNotFound`, `InvalidArgument`."""
    context = grant.context
    row = store.drafts.get(context, draft_id)
    review = Review(store, context, tasks)
    _, draft = review.draft(row)
    decided = review.resolutions(draft_id)
    statements = draft.all_statements()
    return DraftShown(
        **dict(_summary(row, _title(draft, row))),
        statements=[
            StatementShown(
                **dict(one),
                decision=decided[one.id].action if one.id in decided else "",
                edited=decided[one.id].text if one.id in decided else None,
                heading=one.id == name_id(one.id),
            )
            for one in statements
        ],
        open=[one.id for one in open_statements(statements, decided)],
        filled=review.filled(row),
    )


def newest_request(store: Store, grant: Grant) -> RequestRow | None:
    rows = store.requests.list(grant.context, kind=grant.task, limit=1)
    return rows[0] if rows else None


def _title(draft: object, row: DraftRow) -> str:
    return str(getattr(draft, "title", "") or getattr(draft, "member", "") or row.member)


def _summary(row: DraftRow, title: str) -> DraftSummary:
    return DraftSummary(
        id=row.id,
        title=title,
        section=row.section,
        state="signed" if row.signed_at else "accepted" if row.accepted_at else "ready",
        stale=row.stale_at is not None,
        created_at=row.created_at,
        edit_distance=row.edit_distance,
        seconds_to_acceptance=row.seconds_to_acceptance,
    )
