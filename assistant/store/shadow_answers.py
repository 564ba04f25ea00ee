"""Answers of candidates beside the model in use: apart from drafts, and shown to no doctor as one.

They go with the request that they answer, so that a purge takes them too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from assistant.store.audit import Audit
from assistant.store.column_types import storable, storable_json
from assistant.store.context import SYSTEM, Context
from assistant.store.database import Database
from assistant.store.errors import InvalidArgument, ShadowAnswerNotFound
from assistant.store.identifier import is_id, new_id
from assistant.store.models.draft import DraftRow
from assistant.store.models.request import RequestRow
from assistant.store.models.shadow import ShadowAnswerRow, ShadowReviewRow


@dataclass(frozen=True, slots=True)
class ShadowAnswer:
    """One answer, done, failed or waiting, without its texts."""

    id: str
    request_id: str
    kind: str
    engine: str
    model: str
    fingerprint: str
    status: str
    differences: dict[str, Any]
    failure: str
    created_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Beside:
    """The real drafts and the candidate's, each as stored, and the record of both."""

    answer: ShadowAnswer
    real: list[dict[str, Any]]
    candidate: list[dict[str, Any]]
    record: dict[str, Any]


class ShadowAnswers:
    """The answers of the store, and what people said of them."""

    def __init__(self, database: Database, audit: Audit) -> None:
        self._database = database
        self._audit = audit

    def unseen(self, kind: str, engine: str, since: datetime, limit: int) -> Sequence[str]:
        """Finished requests of a task that this candidate was not put beside yet, oldest first.

        Asked for by the order in which they came, from ``since``.
        """
        taken = select(ShadowAnswerRow.request_id).where(ShadowAnswerRow.engine == engine)
        query = (
            select(RequestRow.id)
            .where(
                RequestRow.kind == kind,
                RequestRow.status == "finished",
                RequestRow.created_at >= since,
                RequestRow.id.not_in(taken),
            )
            .order_by(RequestRow.id)
            .limit(limit)
        )
        with self._database.read() as session:
            return session.scalars(query).all()

    def put(
        self,
        request_id: str,
        kind: str,
        engine: str,
        model: str,
        fingerprint: str,
        identity: Mapping[str, Any],
    ) -> None:
        """A request is to be answered by the candidate when nothing else is to be done."""
        with self._database.write() as session:
            row = ShadowAnswerRow(
                id=new_id(),
                request_id=request_id,
                kind=kind,
                engine=engine,
                model=model,
                fingerprint=fingerprint,
                identity=storable_json(dict(identity)),
                status="waiting",
                attempts=0,
                content={},
                differences={},
                failure="",
                created_at=self._database.clock(),
            )
            session.add(row)
            self._audit.append(session, SYSTEM, "shadow.put", "shadow", row.id, [engine])

    def waiting(self) -> tuple[ShadowAnswer, RequestRow] | None:
        """The oldest that waits, with its request."""
        query = (
            select(ShadowAnswerRow, RequestRow)
            .join(RequestRow, RequestRow.id == ShadowAnswerRow.request_id)
            .where(ShadowAnswerRow.status == "waiting")
            .order_by(ShadowAnswerRow.attempts, ShadowAnswerRow.id)
            .limit(1)
        )
        with self._database.read() as session:
            found = session.execute(query).first()
            return None if found is None else (_shown(found[0]), found[1])

    def put_back(self, answer_id: str) -> None:
        """It gave way to somebody who waits; it is tried again after the others."""
        with self._database.write() as session:
            row = session.get(ShadowAnswerRow, answer_id)
            if row is not None:
                row.attempts += 1

    def finish(
        self,
        answer_id: str,
        drafts: Sequence[Mapping[str, Any]],
        differences: Mapping[str, Any],
        failure: str = "",
    ) -> None:
        """Keep what the candidate answered; with a ``failure``, that it did not."""
        with self._database.write() as session:
            row = session.get(ShadowAnswerRow, answer_id)
            if row is None:
                return
            row.status = "failed" if failure else "done"
            row.content = {"drafts": storable_json([dict(one) for one in drafts])}
            row.differences = storable_json(dict(differences))
            row.failure = storable(failure)
            row.ended_at = self._database.clock()
            self._audit.append(
                session, SYSTEM, f"shadow.{row.status}", "shadow", row.id, row.content
            )

    def forget_waiting(self, older_than: timedelta) -> int:
        """Drop what has waited so long that nobody needs it; gives how many."""
        before = self._database.clock() - older_than
        with self._database.write() as session:
            gone = session.execute(
                delete(ShadowAnswerRow).where(
                    ShadowAnswerRow.status == "waiting", ShadowAnswerRow.created_at < before
                )
            )
            return int(gone.rowcount)  # type: ignore[attr-defined]

    def count_waiting(self) -> int:
        """How many wait."""
        query = select(func.count()).where(ShadowAnswerRow.status == "waiting")
        with self._database.read() as session:
            return session.scalar(query) or 0

    def drafts_of(self, request_id: str) -> Sequence[dict[str, Any]]:
        """The real drafts of a request, as stored."""
        with self._database.read() as session:
            return _drafts(session, request_id)

    def list(self, limit: int = 5_000) -> Sequence[ShadowAnswer]:
        """The newest first."""
        query = select(ShadowAnswerRow).order_by(ShadowAnswerRow.id.desc()).limit(limit)
        with self._database.read() as session:
            return [_shown(row) for row in session.scalars(query)]

    def open(self, actor_id: str, actor_role: str, answer_id: str) -> Beside:
        """Both answers for a reviewer; noted in the audit under the patient.

        Raises `ShadowAnswerNotFound`, and `PatientNotInSession` in a session of another patient.
        """
        with self._database.write() as session:
            row, request = _done(session, answer_id)
            context = Context(actor_id, actor_role, request.patient_id, request.encounter_id)
            self._audit.append(session, context, "shadow.read", "shadow", row.id)
            return Beside(
                _shown(row),
                _drafts(session, row.request_id),
                row.content["drafts"],
                request.payload,
            )

    def review(
        self, actor_id: str, actor_role: str, answer_id: str, preferred: str, comment: str
    ) -> None:
        """Keep which one a person preferred: ``candidate``, ``real`` or ``same``.

        Raises `ShadowAnswerNotFound`; `InvalidArgument` where the person has said so already.
        """
        with self._database.write() as session:
            row, request = _done(session, answer_id)
            place = (ShadowReviewRow.answer_id == row.id, ShadowReviewRow.reviewer == actor_id)
            if session.scalar(select(ShadowReviewRow.id).where(*place)) is not None:
                raise InvalidArgument("您已评过这条对照。(You have reviewed it already.)")
            made = ShadowReviewRow(
                id=new_id(),
                answer_id=row.id,
                reviewer=actor_id,
                preferred=preferred,
                comment=storable(comment),
                created_at=self._database.clock(),
            )
            session.add(made)
            context = Context(actor_id, actor_role, request.patient_id, request.encounter_id)
            content = [preferred, made.comment]
            self._audit.append(session, context, "shadow.review", "shadow", row.id, content)

    def reviews(self) -> Sequence[tuple[str, str, str]]:
        """(answer, reviewer, preferred) of all reviews."""
        query = select(
            ShadowReviewRow.answer_id, ShadowReviewRow.reviewer, ShadowReviewRow.preferred
        )
        with self._database.read() as session:
            return [(row[0], row[1], row[2]) for row in session.execute(query)]


def _done(session: Session, answer_id: str) -> tuple[ShadowAnswerRow, RequestRow]:
    row = session.get(ShadowAnswerRow, answer_id) if is_id(answer_id) else None
    request = None if row is None else session.get(RequestRow, row.request_id)
    if row is None or request is None or row.status != "done":
        raise ShadowAnswerNotFound
    return row, request


def _drafts(session: Session, request_id: str) -> list[dict[str, Any]]:
    query = select(DraftRow.content).where(DraftRow.request_id == request_id)
    return [content["draft"] for content in session.scalars(query.order_by(DraftRow.id))]


def _shown(row: ShadowAnswerRow) -> ShadowAnswer:
    return ShadowAnswer(
        id=row.id,
        request_id=row.request_id,
        kind=row.kind,
        engine=row.engine,
        model=row.model,
        fingerprint=row.fingerprint,
        status=row.status,
        differences=row.differences,
        failure=row.failure,
        created_at=row.created_at,
        ended_at=row.ended_at,
    )
