"""The outbox: accepted texts on their way to the hospital's system, each sent until it is taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from assistant.store.context import Context
from assistant.store.database import Database
from assistant.store.identifier import new_id
from assistant.store.keyed_hash import KeyedHash
from assistant.store.models.draft import DraftRow
from assistant.store.models.outbox import OutboxRow

EVENT = "draft.accepted"
FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(hours=1)
BATCH = 20


@dataclass(frozen=True, slots=True)
class OutboxCounts:
    """How many texts wait, were taken by the other side, or were given up."""

    waiting: int
    sent: int
    failed: int


def wait_after(attempts: int) -> timedelta:
    """How long after so many failed tries: 5 s, doubled each time, an hour at most."""
    return min(FIRST_WAIT * (1 << min(attempts - 1, 20)), LONGEST_WAIT)


class Outbox:
    """The outbox of the store.  Nothing is put in while ``enabled`` is False."""

    def __init__(self, database: Database, hashes: KeyedHash) -> None:
        self._database = database
        self._hashes = hashes
        self.enabled = False

    def put(
        self, session: Session, context: Context, draft: DraftRow, fields: dict[str, str]
    ) -> None:
        """Add an accepted text in the transaction that accepts it; the same text is added once."""
        if not self.enabled:
            return
        key = self._hashes.content([EVENT, draft.id, draft.accepted_text])
        if session.scalar(select(OutboxRow.id).where(OutboxRow.key == key)) is not None:
            return
        now = self._database.clock()
        session.add(
            OutboxRow(
                id=new_id(),
                key=key,
                draft_id=draft.id,
                patient_id=draft.patient_id,
                encounter_id=draft.encounter_id,
                payload=_payload(context, draft, fields),
                status="waiting",
                attempts=0,
                problem="",
                created_at=now,
                due_at=now,
                sent_at=None,
            )
        )

    def due(self) -> Sequence[OutboxRow]:
        """What is to be sent now, the oldest first."""
        query = (
            select(OutboxRow)
            .where(OutboxRow.status == "waiting", OutboxRow.due_at <= self._database.clock())
            .order_by(OutboxRow.due_at)
            .limit(BATCH)
        )
        with self._database.read() as session:
            return session.scalars(query).all()

    def sent(self, row_id: str) -> None:
        """The other side has it; the text is not kept here a second time."""
        with self._database.write() as session:
            row = session.get(OutboxRow, row_id)
            if row is not None:
                row.status, row.problem, row.payload = "sent", "", {}
                row.attempts += 1
                row.sent_at = self._database.clock()

    def not_sent(self, row_id: str, problem: str, most: int) -> None:
        """A try failed: later once more, or never again after ``most`` tries."""
        with self._database.write() as session:
            row = session.get(OutboxRow, row_id)
            if row is not None:
                row.attempts += 1
                row.problem = problem[:64]
                row.due_at = self._database.clock() + wait_after(row.attempts)
                row.status = "failed" if row.attempts >= most else "waiting"

    def send_again(self) -> int:
        """Let what was given up be tried anew; gives how many."""
        with self._database.write() as session:
            rows = session.scalars(select(OutboxRow).where(OutboxRow.status == "failed")).all()
            for row in rows:
                row.status, row.attempts, row.due_at = "waiting", 0, self._database.clock()
            return len(rows)

    def counts(self) -> OutboxCounts:
        """How many of each status."""
        query = select(OutboxRow.status, func.count()).group_by(OutboxRow.status)
        with self._database.read() as session:
            found = {status: int(count) for status, count in session.execute(query)}
        return OutboxCounts(*(found.get(name, 0) for name in ("waiting", "sent", "failed")))


def _payload(context: Context, draft: DraftRow, fields: dict[str, str]) -> dict[str, Any]:
    return {
        "event": EVENT,
        "draft_id": draft.id,
        "kind": draft.kind,
        "section": draft.section,
        "patient_id": draft.patient_id,
        "encounter_id": draft.encounter_id,
        "accepted_by": context.actor_id,
        "accepted_at": draft.accepted_at.isoformat() if draft.accepted_at else None,
        "text": draft.accepted_text,
        "fields": fields,
        "stale": draft.stale_at is not None,
        "ai_generated": True,
        "model": draft.model,
        "prompt_version": draft.prompt_version,
        "record_hash": draft.record_hash,
    }
