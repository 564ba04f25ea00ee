"""Messages of other systems: kept before they are acknowledged, handed on once they are kept.

A message that is sent again (same sender and control id, and the same but for its time) is kept
once.  A control id that comes again much later is another message: senders count anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update

from assistant.store.access import page_size
from assistant.store.audit import Audit
from assistant.store.context import Context, check_id
from assistant.store.database import Database
from assistant.store.errors import InvalidArgument
from assistant.store.identifier import new_id
from assistant.store.keyed_hash import KeyedHash, same
from assistant.store.models.message import MessageRow

MOST_OF_A_STAY = 5_000


class MessageConflict(InvalidArgument):
    """Another message of this sender came under the same control id and time."""

    def __init__(self) -> None:
        super().__init__(
            "同一控制号、同一时间的另一条消息内容不同，未接收；请换控制号重发。"
            "(Another message came under this control id; send it under a new one.)"
        )


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message to keep.

    ``happened_at`` (with a zone) is when its sender says it was written, ``stamp`` the same as
    written; ``compared`` is the content without it, by which a message is known again.
    """

    sender: str
    control_id: str
    stamp: str
    kind: str
    happened_at: datetime
    content: str
    compared: str


class Messages:
    """The messages of the store."""

    def __init__(self, database: Database, audit: Audit, hashes: KeyedHash) -> None:
        self._database = database
        self._audit = audit
        self._hashes = hashes

    def keep(self, context: Context, message: NewMessage) -> tuple[MessageRow, bool]:
        """(the kept row, whether it is new); on the disk when this returns.

        Raises `MessageConflict`, `InvalidArgument` for a message without patient or control id.
        """
        check_id("sender", message.sender)
        check_id("control_id", message.control_id)
        check_id("stamp", message.stamp)
        if not context.patient_id or not message.control_id:
            raise InvalidArgument("A message has a patient and a control id.")
        body_ref = self._hashes.content([message.kind, message.compared])
        with self._database.write() as session:
            under = select(MessageRow).where(
                MessageRow.sender == message.sender, MessageRow.control_id == message.control_id
            )
            for row in session.scalars(under):
                if same(row.body_ref, body_ref):
                    self._audit.append(session, context, "message.again", "message", row.id)
                    return row, False
                if row.stamp == message.stamp:
                    raise MessageConflict
            row = MessageRow(
                id=new_id(),
                sender=message.sender,
                control_id=message.control_id,
                stamp=message.stamp,
                kind=message.kind,
                patient_id=context.patient_id,
                encounter_id=context.encounter_id,
                happened_at=message.happened_at,
                content=message.content,
                body_ref=body_ref,
                created_at=self._database.clock(),
                handed_at=None,
            )
            session.add(row)
            self._audit.append(session, context, "message.keep", "message", row.id, body_ref)
            return row, True

    def of_stay(self, context: Context) -> Sequence[MessageRow]:
        """The patient's messages of this stay, and those of no stay, in order of their own time.

        The newest `MOST_OF_A_STAY`.
        """
        query = (
            select(MessageRow)
            .where(
                MessageRow.patient_id == context.patient_id,
                MessageRow.encounter_id.in_({"", context.encounter_id}),
            )
            .order_by(MessageRow.happened_at.desc(), MessageRow.id.desc())
            .limit(MOST_OF_A_STAY)
        )
        with self._database.write() as session:
            self._audit.append(session, context, "message.list", "message")
            return session.scalars(query).all()[::-1]

    def has_later(self, row: MessageRow, kinds: Sequence[str]) -> bool:
        """Whether a message of one of these kinds, about the same stay, is of a later time."""
        query = select(MessageRow.id).where(
            MessageRow.patient_id == row.patient_id,
            MessageRow.encounter_id == row.encounter_id,
            MessageRow.kind.in_(kinds),
            MessageRow.happened_at > row.happened_at,
        )
        with self._database.read() as session:
            return session.scalar(query.limit(1)) is not None

    def waiting(self, limit: int = 100) -> Sequence[MessageRow]:
        """Messages that were not handed on yet, oldest first."""
        query = select(MessageRow).where(MessageRow.handed_at.is_(None))
        with self._database.read() as session:
            return session.scalars(query.order_by(MessageRow.id).limit(page_size(limit))).all()

    def hand_on(self, message_id: str) -> None:
        """Note that a message was handed on."""
        change = update(MessageRow).where(MessageRow.id == message_id)
        with self._database.write() as session:
            session.execute(change.values(handed_at=self._database.clock()))

    def merge(self, context: Context, prior_id: str) -> int:
        """Give the messages of ``prior_id`` to the context's patient: how many there were.

        Drafts are not moved: each stays where the doctor who asked for it looks for it.
        """
        check_id("patient_id", prior_id)
        change = update(MessageRow).where(MessageRow.patient_id == prior_id)
        with self._database.write() as session:
            moved = session.execute(change.values(patient_id=context.patient_id))
            self._audit.append(session, context, "patient.merge", "patient", prior_id)
            return int(moved.rowcount)  # type: ignore[attr-defined]
