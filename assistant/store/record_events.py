"""Events of records, and the requests that rules make of them: each once, also across a crash.

An event and the work that it asks for are kept in one transaction; so are a request and that it
was made.  A kill between leaves either nothing, or what the next start goes on with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.store.audit import Audit
from assistant.store.context import Context, check_id
from assistant.store.database import Database
from assistant.store.errors import IdempotencyConflict, InvalidArgument, QueueFull
from assistant.store.identifier import new_id
from assistant.store.keyed_hash import KeyedHash, same
from assistant.store.models.record_event import EventWorkRow, RecordEventRow
from assistant.store.models.request import RequestRow
from assistant.store.requests import Requests
from assistant.store.staleness import mark_older

RETRY = timedelta(seconds=30)
"""After so long a full queue is tried again."""
BATCH = 50
Join = Callable[[Context, dict[str, Any], str], tuple[dict[str, Any], str]]
"""(payload, hash of its record) → the same with what the tasks know of the patient."""
_COUNTS = ("queued", "running", "finished")


@dataclass(frozen=True, slots=True)
class Plan:
    """A request that a rule wants, not before ``due_at``."""

    rule: str
    kind: str
    payload: dict[str, Any]
    record_hash: str
    due_at: datetime
    options: dict[str, Any] = field(default_factory=dict)
    bound: bool = True


@dataclass(frozen=True, slots=True)
class Received:
    """An event as it is kept: ``is_new`` where it came for the first time; ``requests`` are those
    that were made at once."""

    event: RecordEventRow
    is_new: bool
    work: Sequence[EventWorkRow]
    requests: Sequence[RequestRow]


class RecordEvents:
    """The events of the store."""

    def __init__(
        self, database: Database, audit: Audit, hashes: KeyedHash, requests: Requests
    ) -> None:
        self._database = database
        self._audit = audit
        self._hashes = hashes
        self._requests = requests
        self.join: Join | None = None
        """Set by whoever makes requests of other sources, too, so that all see the same record."""

    def receive(
        self,
        context: Context,
        application: str,
        key: str,
        type: str,
        record_hash: str,
        plans: Sequence[Plan],
        max_queued: int | None = None,
        *,
        at_once: bool = True,
    ) -> Received:
        """Keep an event and what rules make of it; on the disk when this returns.

        The same ``key`` from the same application is the same event.  Without ``at_once`` what is
        due waits for the next `make_due`, which a process with workers calls.

        Raises `InvalidArgument`, `IdempotencyConflict` when it comes with another content.
        """
        check_id("The id of the event", key)
        if not key:
            raise InvalidArgument("The id of the event is empty.")
        if at_once:
            plans = self._joined(context, plans)
        body_ref = self._hashes.content(
            [type, context.patient_id, context.encounter_id, record_hash]
        )
        with self._database.write() as session:
            known = session.scalar(
                select(RecordEventRow).where(
                    RecordEventRow.application == application, RecordEventRow.key == key
                )
            )
            if known is not None:
                if not same(known.body_ref, body_ref):
                    raise IdempotencyConflict
                return Received(known, False, self._of(session, known.id), [])
            event = RecordEventRow(
                id=new_id(),
                key=key,
                type=type,
                application=application,
                actor_id=context.actor_id,
                patient_id=context.patient_id,
                encounter_id=context.encounter_id,
                body_ref=body_ref,
                created_at=self._database.clock(),
            )
            session.add(event)
            place = f"app:{application}"[:32]
            self._audit.append(session, context, "event.receive", place, event.id, [type, key])
            work = [self._planned(session, context, application, event, plan) for plan in plans]
            now = self._database.clock()
            due = [row for row in work if row.status == "waiting" and row.due_at <= now]
            requests = self._make(session, due, max_queued) if at_once else []
            return Received(event, True, work, requests)

    def make_due(self, max_queued: int | None = None) -> list[RequestRow]:
        """Make the requests whose time has come."""
        waiting = select(EventWorkRow).where(
            EventWorkRow.status == "waiting", EventWorkRow.due_at <= self._database.clock()
        )
        ordered = waiting.order_by(EventWorkRow.due_at).limit(BATCH)
        with self._database.read() as session:
            found = session.scalars(ordered).all()
        if not found:
            return []
        known = self._known_of(found)
        with self._database.write() as session:
            due = session.scalars(ordered).all()
            for row in due:
                # A record that came meanwhile is taken as it came.
                payload, record_hash = known.get((row.id, row.record_hash), ({}, ""))
                if record_hash:
                    row.payload, row.record_hash = payload, record_hash
            return self._make(session, due, max_queued)

    def _joined(self, context: Context, plans: Sequence[Plan]) -> Sequence[Plan]:
        """The plans with what is known of the patient; before the transaction, which reads on a
        connection of its own could wait for."""
        if self.join is None:
            return plans
        more = [(plan, self.join(context, plan.payload, plan.record_hash)) for plan in plans]
        return [replace(plan, payload=made[0], record_hash=made[1]) for plan, made in more]

    def _known_of(
        self, rows: Sequence[EventWorkRow]
    ) -> dict[tuple[str, str], tuple[dict[str, Any], str]]:
        """The joined payload and its hash of each row, by its id and the hash that it had."""
        if self.join is None:
            return {}
        return {
            (row.id, row.record_hash): self.join(
                Context(row.actor_id, row.actor_role, row.patient_id, row.encounter_id),
                row.payload,
                row.record_hash,
            )
            for row in rows
        }

    def _of(self, session: Session, event_id: str) -> Sequence[EventWorkRow]:
        return session.scalars(select(EventWorkRow).where(EventWorkRow.event_id == event_id)).all()

    def _planned(
        self,
        session: Session,
        context: Context,
        application: str,
        event: RecordEventRow,
        plan: Plan,
    ) -> EventWorkRow:
        """The row of a rule, task and encounter, told of the newest record."""
        row = session.scalar(
            select(EventWorkRow).where(
                EventWorkRow.rule == plan.rule,
                EventWorkRow.kind == plan.kind,
                EventWorkRow.patient_id == context.patient_id,
                EventWorkRow.encounter_id == context.encounter_id,
            )
        )
        if row is None:
            row = EventWorkRow(
                id=new_id(),
                rule=plan.rule,
                kind=plan.kind,
                patient_id=context.patient_id,
                encounter_id=context.encounter_id,
                request_id=None,
            )
            session.add(row)
        row.status, row.due_at = "waiting", plan.due_at
        row.actor_id, row.actor_role = context.actor_id, context.actor_role
        row.application, row.event_id = application, event.id
        row.record_hash, row.payload, row.options = plan.record_hash, plan.payload, plan.options
        row.bound, row.updated_at = plan.bound, self._database.clock()
        session.flush()
        return row

    def _make(
        self, session: Session, rows: Sequence[EventWorkRow], max_queued: int | None
    ) -> list[RequestRow]:
        made = []
        for row in rows:
            now = self._database.clock()
            known = self._same_request(session, row)
            if known is None:
                self._supersede(session, row)
                try:
                    known = self._requests.submit(
                        Context(row.actor_id, row.actor_role, row.patient_id, row.encounter_id),
                        row.kind,
                        row.payload,
                        row.record_hash,
                        options=row.options,
                        max_queued=max_queued,
                        bound=row.bound,
                        source=f"event:{row.application}",
                        batch=True,
                        within=session,
                    )
                except QueueFull:
                    row.due_at = now + RETRY
                    continue
                made.append(known)
            row.status, row.request_id, row.payload = "made", known.id, {}
            row.updated_at = now
            session.flush()
        return made

    def _same_request(self, session: Session, row: EventWorkRow) -> RequestRow | None:
        """A request of the same record that was not given up: nothing is made twice."""
        alike = session.scalars(
            select(RequestRow)
            .where(
                RequestRow.kind == row.kind,
                RequestRow.patient_id == row.patient_id,
                RequestRow.encounter_id == row.encounter_id,
                RequestRow.record_hash == row.record_hash,
                RequestRow.status.in_(_COUNTS),
            )
            .order_by(RequestRow.id.desc())
        )
        found = next((one for one in alike if one.options == row.options), None)
        if found is not None:
            # A record that was changed back: its drafts are current again.
            mark_older(session, found)
        return found

    def _supersede(self, session: Session, row: EventWorkRow) -> None:
        """An older record's request that still waits is not worth doing."""
        old = session.get(RequestRow, row.request_id) if row.request_id else None
        if old is not None and old.status == "queued":
            old.status, old.ended_at = "cancelled", self._database.clock()
            self._audit.append(session, old.context, "request.supersede", "request", old.id)
