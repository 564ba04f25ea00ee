"""Conversations over the record of one encounter; their turns are drafts.

A turn is kept as every draft is, in the transaction of its audit row, with the conversation's id as
its section: what was answered survives a kill, and a request that runs again gives no second turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, select

from assistant.store.access import find, page_size, visible, visible_rows
from assistant.store.audit import Audit
from assistant.store.context import Context
from assistant.store.database import Database
from assistant.store.errors import ConversationNotFound, InvalidArgument
from assistant.store.identifier import new_id
from assistant.store.models.conversation import ConversationRow
from assistant.store.models.draft import DraftRow
from assistant.store.models.request import RequestRow
from assistant.store.purge import delete_drafts

MAX_TITLE = 80
MOST_TURNS = 500


class Conversations:
    """The conversations of the store."""

    def __init__(self, database: Database, audit: Audit) -> None:
        self._database = database
        self._audit = audit

    def begin(self, context: Context, record: dict[str, Any], title: str = "") -> ConversationRow:
        """A new one.  Raises `InvalidArgument` without a patient and an encounter."""
        if not context.patient_id or not context.encounter_id:
            raise InvalidArgument("A conversation belongs to a patient and an encounter.")
        with self._database.write() as session:
            now = self._database.clock()
            row = ConversationRow(
                id=new_id(),
                actor_id=context.actor_id,
                patient_id=context.patient_id,
                encounter_id=context.encounter_id,
                title=_title(title),
                record=record,
                created_at=now,
                updated_at=now,
            )
            session.add(row)
            self._audit.append(
                session, context, "conversation.begin", "conversation", row.id, record
            )
            return row

    def get(self, context: Context, conversation_id: str) -> ConversationRow:
        """One of this patient and encounter; raises `ConversationNotFound` (and notes it)."""
        with self._database.write() as session:
            row = find(session, ConversationRow, conversation_id)
            if row is not None and visible(context, row):
                self._audit.append(session, context, "conversation.read", "conversation", row.id)
                return row
            self._audit.append(
                session, context, "conversation.read_refused", "conversation", conversation_id
            )
        raise ConversationNotFound

    def list(self, context: Context, limit: int = 50) -> Sequence[ConversationRow]:
        """Those of this patient and encounter, the last used first."""
        query = (
            select(ConversationRow)
            .where(visible_rows(context, ConversationRow))
            .order_by(ConversationRow.updated_at.desc(), ConversationRow.id.desc())
            .limit(page_size(limit))
        )
        with self._database.write() as session:
            self._audit.append(session, context, "conversation.list", "conversation")
            return session.scalars(query).all()

    def found(self, context: Context, words: str, limit: int = 50) -> Sequence[ConversationRow]:
        """Those of `list` whose title or one of whose questions has ``words``, in any case."""
        rows = self.list(context, limit)
        wanted = words.strip().casefold()
        if not wanted:
            return rows
        return [
            row
            for row in rows
            if wanted in row.title.casefold()
            or any(
                wanted in str(turn.content["draft"].get("question", "")).casefold()
                for turn in self.turns(context, row.id)
            )
        ]

    def turns(
        self, context: Context, conversation_id: str, limit: int = MOST_TURNS
    ) -> Sequence[DraftRow]:
        """The newest ``limit`` turns, in their order.  Raises `ConversationNotFound`."""
        self.get(context, conversation_id)
        query = (
            select(DraftRow)
            .where(visible_rows(context, DraftRow), DraftRow.section == conversation_id)
            .order_by(DraftRow.id.desc())
            .limit(page_size(limit))
        )
        with self._database.read() as session:
            return list(reversed(session.scalars(query).all()))

    def update(
        self,
        context: Context,
        conversation_id: str,
        *,
        title: str | None = None,
        first_title: str | None = None,
        record: dict[str, Any] | None = None,
    ) -> ConversationRow:
        """Another title, or record; ``first_title`` counts only where there is none yet.

        Raises `ConversationNotFound`.
        """
        self.get(context, conversation_id)
        with self._database.write() as session:
            row = find(session, ConversationRow, conversation_id)
            if row is None:
                raise ConversationNotFound
            if title is not None:
                row.title = _title(title)
            elif first_title and not row.title:
                row.title = _title(first_title)
            if record is not None:
                row.record = record
            row.updated_at = self._database.clock()
            self._audit.append(
                session, context, "conversation.update", "conversation", row.id, record
            )
            return row

    def delete(self, context: Context, conversation_id: str) -> None:
        """It goes with its turns and the requests that they came from.

        Raises `ConversationNotFound`.
        """
        self.get(context, conversation_id)
        with self._database.write() as session:
            of_it = select(DraftRow.request_id).where(DraftRow.section == conversation_id)
            requests = list(session.scalars(of_it))
            delete_drafts(session, DraftRow.section == conversation_id)
            session.execute(delete(RequestRow).where(RequestRow.id.in_(requests)))
            session.execute(delete(ConversationRow).where(ConversationRow.id == conversation_id))
            self._audit.append(
                session, context, "conversation.delete", "conversation", conversation_id
            )


def _title(text: str) -> str:
    return " ".join(text.split())[:MAX_TITLE]
