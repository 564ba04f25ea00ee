"""Requests: accepted once, worked on until they end, also across a crash."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from assistant.store.access import find, made_before, page_size, page_start, visible, visible_rows
from assistant.store.audit import Audit
from assistant.store.context import SYSTEM, Context, check_id
from assistant.store.database import Database
from assistant.store.errors import InvalidArgument, QueueFull, RequestNotFound
from assistant.store.identifier import new_id
from assistant.store.keyed_hash import KeyedHash
from assistant.store.models.request import RequestRow, RequestStatus
from assistant.store.staleness import mark_older
from assistant.store.turns import snapshot
from assistant.work.queue import Snapshot, first

MAX_ATTEMPTS = 10
"""A request that is itself what kills the program must end some time; most were bystanders."""

OPEN: tuple[RequestStatus, ...] = ("queued", "running")
_KIND = re.compile(r"[a-z][a-z0-9_]{0,63}")

Choose = Callable[[Snapshot, datetime], str | None]
"""Which of those that wait is next."""


class Requests:
    """The requests of the store."""

    def __init__(self, database: Database, audit: Audit, hashes: KeyedHash) -> None:
        self._database = database
        self._audit = audit
        self._hashes = hashes

    def submit(
        self,
        context: Context,
        kind: str,
        payload: dict[str, Any],
        record_hash: str,
        *,
        idempotency_key: str | None = None,
        options: dict[str, Any] | None = None,
        max_queued: int | None = None,
        bound: bool = True,
        source: str = "",
        batch: bool = False,
        sent: Sequence[Any] | None = None,
        within: Session | None = None,
    ) -> RequestRow:
        """Keep a request; it is ``queued`` and on the disk when this returns.

        The same key with the same content gives the request made the first time.  A new request
        marks the drafts of its context and kind that were made from another record as stale, where
        it is ``bound`` to the record.  ``source`` and ``batch`` say when its turn comes.  ``sent``:
        payload and hash as they came, where more was joined to them: what repeats are told by.
        ``within``: a writing transaction of the caller's, with whose end it is on the disk.

        Raises `InvalidArgument` for a kind that is no name or a payload that is not JSON,
        `IdempotencyConflict` for a key used with another content, `QueueFull` for a new request
        while ``max_queued`` are queued.
        """
        if not _KIND.fullmatch(kind):
            raise InvalidArgument("This kind of request is not known.")
        check_key(idempotency_key)
        options = options or {}
        came, its_hash = sent or (payload, record_hash)
        body_ref = self._hashes.content(
            [kind, context.patient_id, context.encounter_id, came, options, its_hash]
        )
        with nullcontext(within) if within is not None else self._database.write() as session:
            row = made_before(session, RequestRow, context, idempotency_key, body_ref)
            if row is not None:
                self._audit.append(session, context, "request.read", "request", row.id)
                return row
            if max_queued is not None and _count(session, "queued") >= max_queued:
                raise QueueFull
            now = self._database.clock()
            row = RequestRow(
                id=new_id(),
                kind=kind,
                status="queued",
                actor_id=context.actor_id,
                actor_role=context.actor_role,
                patient_id=context.patient_id,
                encounter_id=context.encounter_id,
                payload=payload,
                options=options,
                record_hash=record_hash,
                idempotency_key=idempotency_key,
                body_ref=body_ref,
                attempts=0,
                created_at=now,
                source=source,
                batch=batch,
                bound=bound,
                asked_at=now,
            )
            session.add(row)
            self._audit.append(session, context, "request.submit", "request", row.id, payload)
            for draft in mark_older(session, row):
                self._audit.append(session, context, "draft.mark_stale", "draft", draft.id)
            return row

    def get(self, context: Context, request_id: str) -> RequestRow:
        """One request of this patient; raises `RequestNotFound` (and notes the refusal)."""
        with self._database.write() as session:
            row = find(session, RequestRow, request_id)
            if row is not None and visible(context, row):
                self._audit.append(session, context, "request.read", "request", row.id)
                return row
            self._audit.append(session, context, "request.read_refused", "request", request_id)
        raise RequestNotFound

    def list(
        self,
        context: Context,
        *,
        kind: str | None = None,
        status: RequestStatus | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> Sequence[RequestRow]:
        """This patient's requests, newest first; the next page is ``before`` the last id."""
        query = select(RequestRow).where(visible_rows(context, RequestRow))
        if kind is not None:
            query = query.where(RequestRow.kind == kind)
        if status is not None:
            query = query.where(RequestRow.status == status)
        if before is not None:
            query = query.where(RequestRow.id < page_start(before))
        query = query.order_by(RequestRow.id.desc()).limit(page_size(limit))
        with self._database.write() as session:
            self._audit.append(session, context, "request.list", "request")
            return session.scalars(query).all()

    def status(self, request_id: str) -> RequestStatus:
        """How far a request is: for the worker, which watches for a cancellation.

        Raises `RequestNotFound` when it was purged.
        """
        with self._database.read() as session:
            status = session.scalar(select(RequestRow.status).where(RequestRow.id == request_id))
        if status is None:
            raise RequestNotFound
        return status  # type: ignore[return-value]

    def count(self, status: RequestStatus) -> int:
        """How many requests have this status."""
        with self._database.read() as session:
            return _count(session, status)

    def queue(self) -> Snapshot:
        """What waits and what runs, who had a turn of late, and how long each kind takes."""
        with self._database.read() as session:
            return snapshot(session, self._database.clock())

    def queued(self, request_id: str) -> RequestRow | None:
        """A request that still waits, for the worker: None when it does not."""
        with self._database.read() as session:
            row = find(session, RequestRow, request_id)
            return row if row is not None and row.status == "queued" else None

    def asked(self, request_ids: Collection[str]) -> None:
        """Somebody listens to these, or has asked how far they are."""
        with self._database.write() as session:
            session.execute(
                update(RequestRow)
                .where(RequestRow.id.in_(request_ids), RequestRow.status == "queued")
                .values(asked_at=self._database.clock())
            )

    def claim_next(self, choose: Choose = first) -> RequestRow | None:
        """Take the queued request whose turn it is to work on it; None when there is none.

        ``choose`` picks from the queue where not all of it is for this worker.
        """
        queued = select(RequestRow.id).where(RequestRow.status == "queued").limit(1)
        with self._database.read() as session:
            if session.scalar(queued) is None:
                return None
        with self._database.write() as session:
            now = self._database.clock()
            chosen = choose(snapshot(session, now), now)
            row = None if chosen is None else find(session, RequestRow, chosen)
            return None if row is None else self._run(session, row)

    def claim(self, request_id: str) -> RequestRow | None:
        """Take this request to work on it; None when it is not queued any more."""
        with self._database.write() as session:
            row = find(session, RequestRow, request_id)
            if row is None or row.status != "queued":
                return None
            return self._run(session, row)

    def _run(self, session: Session, row: RequestRow) -> RequestRow:
        row.status = "running"
        row.attempts += 1
        row.heartbeat_at = row.started_at = self._database.clock()
        self._note(session, row, "request.claim")
        return row

    def heartbeat(self, request_id: str) -> None:
        """Say that the work on a running request goes on."""
        with self._database.write() as session:
            row = find(session, RequestRow, request_id)
            if row is not None and row.status == "running":
                row.heartbeat_at = self._database.clock()

    def finish(self, request_id: str) -> RequestRow:
        """The work is done.  A request that was cancelled meanwhile stays cancelled."""
        return self._end(request_id, "finished")

    def fail(self, request_id: str, message: str) -> RequestRow:
        """The work cannot be done; ``message`` tells the doctor why."""
        return self._end(request_id, "failed", message)

    def cancel(self, context: Context, request_id: str) -> RequestRow:
        """Stop a request of this patient; one that has ended stays as it is.

        Raises `RequestNotFound`.
        """
        with self._database.write() as session:
            row = find(session, RequestRow, request_id)
            if row is not None and visible(context, row):
                if row.status in OPEN:
                    row.status, row.ended_at = "cancelled", self._database.clock()
                self._audit.append(session, context, "request.cancel", "request", row.id)
                return row
            self._audit.append(session, context, "request.cancel_refused", "request", request_id)
        raise RequestNotFound

    def release(self, request_id: str) -> None:
        """Put a running request back without counting the attempt: at an orderly stop."""
        with self._database.write() as session:
            row = find(session, RequestRow, request_id)
            if row is not None and row.status == "running":
                row.status, row.attempts = "queued", max(row.attempts - 1, 0)
                self._note(session, row, "request.release")

    def requeue_unfinished(self, silent_for: timedelta | None = None) -> int:
        """Queue again what was running when the program stopped; gives how many.

        A request that was begun ten times already fails instead.  Where several processes share
        one database, ``silent_for`` leaves alone whatever had a heartbeat more recently.
        """
        now = self._database.clock()
        query = select(RequestRow).where(RequestRow.status == "running")
        if silent_for is not None:
            query = query.where(RequestRow.heartbeat_at < now - silent_for)
        queued = 0
        with self._database.write() as session:
            for row in session.scalars(query):
                if row.attempts < MAX_ATTEMPTS:
                    row.status = "queued"
                    queued += 1
                    self._note(session, row, "request.requeue")
                else:
                    row.status, row.ended_at = "failed", now
                    row.failure = f"The program stopped {row.attempts} times while at work on it."
                    self._note(session, row, "request.fail")
        return queued

    def _end(
        self, request_id: str, status: RequestStatus, message: str | None = None
    ) -> RequestRow:
        with self._database.write() as session:
            row = find(session, RequestRow, request_id)
            if row is None:
                raise RequestNotFound
            if row.status in OPEN:
                row.status, row.failure = status, message
                row.ended_at = self._database.clock()
                action = "request.finish" if status == "finished" else "request.fail"
                self._note(session, row, action)
            return row

    def _note(self, session: Session, row: RequestRow, action: str) -> None:
        context = Context(SYSTEM.actor_id, SYSTEM.actor_role, row.patient_id, row.encounter_id)
        self._audit.append(session, context, action, "request", row.id)


def _count(session: Session, status: RequestStatus) -> int:
    query = select(func.count()).select_from(RequestRow).where(RequestRow.status == status)
    return session.scalar(query) or 0


def check_key(key: str | None) -> None:
    """Refuse an Idempotency-Key that is empty, too long or not printable."""
    if key is not None:
        if not key:
            raise InvalidArgument("The Idempotency-Key is empty.")
        check_id("The Idempotency-Key", key)
