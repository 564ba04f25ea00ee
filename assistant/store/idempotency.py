"""Idempotency keys: the same POST twice gives the same answer and makes one object.

Two things together hold that promise, also across a crash.  Here the answer is kept and given
again.  And the operation itself keeps the key with the object that it makes, in one transaction
(``idempotency_key`` of `Requests.submit`, `Feedback.add`, `Drafts.resolve_statement`): an entry
that was begun and never completed can therefore simply be taken again.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from sqlalchemy.orm import Session

from assistant.store.context import check_id
from assistant.store.database import Database
from assistant.store.errors import IdempotencyConflict, IdempotencyInProgress
from assistant.store.keyed_hash import KeyedHash, same
from assistant.store.models.idempotency import IdempotencyRow
from assistant.store.requests import check_key

# An answer that takes longer than this was given up by a caller that could not say so.
IN_PROGRESS_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Replay:
    """The answer that was given the first time."""

    status: int
    body: str


class Idempotency:
    """The answers that are kept for a repeated POST."""

    def __init__(self, database: Database, hashes: KeyedHash) -> None:
        self._database = database
        self._hashes = hashes
        self._in_progress: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()

    def begin(
        self, actor_id: str, key: str, route: str, body_hash: str, patient_id: str = ""
    ) -> Replay | None:
        """Start answering: None when the caller has to do the work, then `complete` or `abandon`.

        ``patient_id`` lets a purge find the answer, which may hold text of that patient.

        Raises `IdempotencyConflict` when the key came with another route or body,
        `IdempotencyInProgress` while this process is at work on the first one.
        """
        check_key(key)
        check_id("patient_id", patient_id)
        body_ref = self._hashes.body(body_hash)
        taken = False
        try:
            with self._database.write() as session:
                answer = self._answer(session, actor_id, key, route, body_ref)
                if answer is not None and answer.status is not None:
                    return Replay(answer.status, answer.body or "")
                self._take(actor_id, key)
                taken = True
                if answer is None:
                    session.add(
                        IdempotencyRow(
                            actor_id=actor_id,
                            key=key,
                            route=route,
                            body_ref=body_ref,
                            patient_id=patient_id,
                            created_at=self._database.clock(),
                        )
                    )
        except BaseException:
            if taken:
                self._leave(actor_id, key)
            raise
        return None

    def _answer(
        self, session: Session, actor_id: str, key: str, route: str, body_ref: str
    ) -> IdempotencyRow | None:
        row = session.get(IdempotencyRow, (actor_id, key))
        if row is not None and (row.route != route or not same(row.body_ref, body_ref)):
            raise IdempotencyConflict
        return row

    def _take(self, actor_id: str, key: str) -> None:
        now = time.monotonic()
        with self._lock:
            begun = self._in_progress.get((actor_id, key))
            if begun is not None and now - begun < IN_PROGRESS_SECONDS:
                raise IdempotencyInProgress
            self._in_progress[(actor_id, key)] = now

    def complete(self, actor_id: str, key: str, status: int, body: str) -> None:
        """Keep the answer.  Nothing is kept when the patient was purged meanwhile."""
        try:
            with self._database.write() as session:
                row = session.get(IdempotencyRow, (actor_id, key))
                if row is not None and row.status is None:
                    row.status, row.body = status, body
        finally:
            self._leave(actor_id, key)

    def abandon(self, actor_id: str, key: str) -> None:
        """The work failed: forget that it was begun, so that the caller may try again."""
        try:
            with self._database.write() as session:
                row = session.get(IdempotencyRow, (actor_id, key))
                if row is not None and row.status is None:
                    session.delete(row)
        finally:
            self._leave(actor_id, key)

    def _leave(self, actor_id: str, key: str) -> None:
        with self._lock:
            self._in_progress.pop((actor_id, key), None)
