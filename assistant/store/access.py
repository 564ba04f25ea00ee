"""Which objects a context may see, and how repeated calls are recognised."""

from __future__ import annotations

from typing import TypeVar

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from assistant.store.context import Context
from assistant.store.errors import IdempotencyConflict, InvalidArgument
from assistant.store.identifier import is_id
from assistant.store.keyed_hash import same
from assistant.store.models.attachment import AttachmentRow
from assistant.store.models.bill import BillRow
from assistant.store.models.conversation import ConversationRow
from assistant.store.models.draft import DraftRow, ResolutionRow
from assistant.store.models.feedback import FeedbackRow
from assistant.store.models.request import RequestRow

MAX_PAGE = 500

OwnedRow = RequestRow | DraftRow | FeedbackRow | AttachmentRow | BillRow | ConversationRow
OwnedClass = (
    type[RequestRow]
    | type[DraftRow]
    | type[FeedbackRow]
    | type[AttachmentRow]
    | type[BillRow]
    | type[ConversationRow]
)


def visible(context: Context, row: OwnedRow) -> bool:
    """True when ``row`` belongs to the context's patient, and encounter where it has one.

    What belongs to no patient is seen by the actor who made it.
    """
    if row.patient_id != context.patient_id:
        return False
    if not row.patient_id:
        return row.actor_id == context.actor_id
    return row.encounter_id in ("", context.encounter_id)


def visible_rows(context: Context, table: OwnedClass) -> ColumnElement[bool]:
    """`visible` as an SQL condition."""
    if not context.patient_id:
        return and_(table.patient_id == "", table.actor_id == context.actor_id)
    return and_(
        table.patient_id == context.patient_id,
        or_(table.encounter_id == "", table.encounter_id == context.encounter_id),
    )


Owned = TypeVar("Owned", RequestRow, DraftRow, FeedbackRow, AttachmentRow, BillRow, ConversationRow)


def find(session: Session, table: type[Owned], object_id: str) -> Owned | None:
    """The row with this id; an id that the store cannot have made finds nothing."""
    return session.get(table, object_id) if is_id(object_id) else None


def known_id(object_id: str) -> str:
    """``object_id``, or an id that nothing has when the store cannot have made it."""
    return object_id if is_id(object_id) else ""


def page_size(limit: int) -> int:
    """``limit`` when it is between 1 and 500, else `InvalidArgument`."""
    if not 1 <= limit <= MAX_PAGE:
        raise InvalidArgument(f"A page has between 1 and {MAX_PAGE} rows.")
    return limit


Row = TypeVar("Row", RequestRow, FeedbackRow, ResolutionRow)


def page_start(before: str) -> str:
    """``before`` when it is an id, else `InvalidArgument`."""
    if not is_id(before):
        raise InvalidArgument("The page does not start behind an id of this store.")
    return before


def made_before(
    session: Session, table: type[Row], context: Context, key: str | None, body_ref: str
) -> Row | None:
    """What the actor already made with this Idempotency-Key, or None.

    Raises `IdempotencyConflict` when it was made from another body.
    """
    if key is None:
        return None
    row = session.scalar(
        select(table).where(table.actor_id == context.actor_id, table.idempotency_key == key)
    )
    if row is not None and not same(row.body_ref, body_ref):
        raise IdempotencyConflict
    return row
