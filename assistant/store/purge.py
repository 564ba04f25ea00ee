"""Purging: a patient's text leaves the database and its files; the audit stays and verifies.

Backups and write-ahead log archives are outside of what this program can reach.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Delete, Update, and_, delete, func, select, update
from sqlalchemy.orm import Session

from assistant.store.attachments import Attachments, delete_rows, named_by_a_request
from assistant.store.audit import Audit
from assistant.store.context import SYSTEM, Context
from assistant.store.database import Database
from assistant.store.errors import InvalidArgument
from assistant.store.models.attachment import AttachmentRow
from assistant.store.models.card import CardRow
from assistant.store.models.conversation import ConversationRow
from assistant.store.models.draft import DraftRow, ResolutionRow
from assistant.store.models.feedback import FeedbackRow
from assistant.store.models.idempotency import IdempotencyRow
from assistant.store.models.message import MessageRow
from assistant.store.models.outbox import OutboxRow
from assistant.store.models.record_event import EventWorkRow, RecordEventRow
from assistant.store.models.request import RequestRow
from assistant.store.models.study import DicomStudyRow
from assistant.store.record_rows import forget_patient
from assistant.store.requests import OPEN

log = logging.getLogger("bedside.assistant.store")

BATCH = 500
EMPTIED = {
    "draft_id": None,
    "patient_id": "",
    "encounter_id": "",
    "section": None,
    "span_start": None,
    "span_end": None,
    "quote": None,
    "comment": None,
    "correction": None,
    "idempotency_key": None,
    "body_ref": "",
}
EMPTIED_CARD: dict[str, Any] = {
    "draft_id": None,
    "patient_id": "",
    "encounter_id": "",
    "key": "",
    "comment": "",
    "suggestions": {},
}


@dataclass(frozen=True, slots=True)
class PurgeCounts:
    """How many rows went.

    ``answers`` counts kept answers and, of `Purge.expired`, conversations.  ``feedback`` counts
    rows that were emptied of text and ids; their verdict stays.
    ``erased_from_files`` is False when another process kept deleted pages from being removed at
    once (see `Database.erase_deleted`).
    """

    requests: int
    drafts: int
    resolutions: int
    feedback: int
    answers: int
    erased_from_files: bool
    attachments: int = 0
    messages: int = 0
    notes: int = 0
    """Notes of the index."""


class Purge:
    """Deletes what belongs to a patient, or what has been kept long enough."""

    def __init__(
        self,
        database: Database,
        audit: Audit,
        attachments: Attachments,
        outgoing: Path | None = None,
    ) -> None:
        self._database = database
        self._audit = audit
        self._attachments = attachments
        self._outgoing = outgoing

    def patient(self, patient_id: str, actor: Context) -> PurgeCounts:
        """Delete everything of one patient but the audit rows, which hold no text."""
        if not patient_id:
            raise InvalidArgument("Say which patient to purge.")
        context = Context(actor.actor_id, actor.actor_role, patient_id)
        with self._database.write() as session:
            counts = delete_drafts(session, DraftRow.patient_id == patient_id)
            # Feedback goes with its draft; none should be left, and none may be.
            left = _emptied(session, FeedbackRow.patient_id == patient_id)
            requests = _rows(session, delete(RequestRow).where(RequestRow.patient_id == patient_id))
            of_patient = IdempotencyRow.patient_id == patient_id
            answers = _rows(session, delete(IdempotencyRow).where(of_patient))
            of_theirs = ConversationRow.patient_id == patient_id
            _rows(session, delete(ConversationRow).where(of_theirs))
            messages = _rows(session, delete(MessageRow).where(MessageRow.patient_id == patient_id))
            theirs = select(AttachmentRow).where(AttachmentRow.patient_id == patient_id)
            attachments, hashes = delete_rows(session, session.scalars(theirs))
            studies = _delete_studies(session, DicomStudyRow.patient_id == patient_id)
            _empty_cards(session, CardRow.patient_id == patient_id)
            for table in (EventWorkRow, RecordEventRow, OutboxRow):
                session.execute(delete(table).where(table.patient_id == patient_id))
            notes = forget_patient(session, patient_id)
            self._audit.append(session, context, "patient.purge", "patient")
        self._attachments.delete_files(hashes)
        self._delete_results(studies)
        counted = self._erased(
            requests, counts[0], counts[1], counts[2] + left, answers, attachments, messages
        )
        return replace(counted, notes=notes)

    def expired(self, retention_days: int, actor: Context = SYSTEM) -> PurgeCounts:
        """Delete ended requests (with drafts), kept answers, and attachments that no request names
        any more, where they are older than ``retention_days``.

        Each request or attachment that goes leaves an audit row.  Raises `InvalidArgument` below
        one day.
        """
        if retention_days < 1:
            raise InvalidArgument("The retention is at least one day.")
        before = self._database.clock() - timedelta(days=retention_days)
        old = and_(RequestRow.created_at < before, RequestRow.status.not_in(OPEN))
        totals = [0, 0, 0, 0]
        # In batches, so that nobody waits long for the writer.
        while True:
            with self._database.write() as session:
                rows = session.scalars(select(RequestRow).where(old).limit(BATCH)).all()
                for number, count in enumerate(self._delete_requests(session, rows, actor)):
                    totals[number] += count
            if len(rows) < BATCH:
                break
        with self._database.write() as session:
            aged = IdempotencyRow.created_at < before
            answers = _rows(session, delete(IdempotencyRow).where(aged))
            # Of a study whose images go nothing may start any more.
            studies = _delete_studies(session, DicomStudyRow.arrived_at < before)
            quiet = ConversationRow.updated_at < before
            answers += _rows(session, delete(ConversationRow).where(quiet))
            _empty_cards(session, and_(CardRow.created_at < before, CardRow.patient_id != ""))
            session.execute(delete(EventWorkRow).where(EventWorkRow.updated_at < before))
            session.execute(delete(RecordEventRow).where(RecordEventRow.created_at < before))
            session.execute(delete(OutboxRow).where(OutboxRow.created_at < before))
            messages = _rows(session, delete(MessageRow).where(MessageRow.created_at < before))
        self._delete_results(studies)
        attachments = self._expired_attachments(before, actor)
        if not any(totals) and not answers and not attachments and not messages:
            return PurgeCounts(0, 0, 0, 0, 0, True)
        return self._erased(
            totals[0], totals[1], totals[2], totals[3], answers, attachments, messages
        )

    def _expired_attachments(self, before: datetime, actor: Context) -> int:
        with self._database.write() as session:
            old = session.scalars(select(AttachmentRow).where(AttachmentRow.created_at < before))
            gone = [row for row in old if not named_by_a_request(session, row)]
            for row in gone:
                context = Context(actor.actor_id, actor.actor_role, row.patient_id)
                self._audit.append(session, context, "attachment.purge", "attachment", row.id)
            count, hashes = delete_rows(session, gone)
        self._attachments.delete_files(hashes)
        return count

    def _delete_requests(
        self, session: Session, rows: Sequence[RequestRow], actor: Context
    ) -> tuple[int, int, int, int]:
        ids = [row.id for row in rows]
        for row in rows:
            context = Context(actor.actor_id, actor.actor_role, row.patient_id, row.encounter_id)
            self._audit.append(session, context, "request.purge", "request", row.id)
        counts = delete_drafts(session, DraftRow.request_id.in_(ids))
        return (_rows(session, delete(RequestRow).where(RequestRow.id.in_(ids))), *counts)

    def _delete_results(self, studies: Sequence[str]) -> None:
        """Delete what went out of these studies into our own folder."""
        if self._outgoing is not None:
            for study_id in studies:
                shutil.rmtree(self._outgoing / study_id, ignore_errors=True)

    def _erased(
        self,
        requests: int,
        drafts: int,
        resolutions: int,
        feedback: int,
        answers: int,
        attachments: int,
        messages: int,
    ) -> PurgeCounts:
        erased = self._database.erase_deleted()
        log.info("purged requests=%d drafts=%d feedback=%d", requests, drafts, feedback)
        if not erased:
            log.warning("deleted rows stay in the write-ahead log until other processes close it")
        return PurgeCounts(
            requests, drafts, resolutions, feedback, answers, erased, attachments, messages
        )


def delete_drafts(session: Session, which: ColumnElement[bool]) -> tuple[int, int, int]:
    """Delete drafts with what was done to them: how many drafts, resolutions, opinions emptied."""
    ids = select(DraftRow.id).where(which)
    feedback = _emptied(session, FeedbackRow.draft_id.in_(ids))
    resolutions = session.scalar(
        select(func.count()).select_from(ResolutionRow).where(ResolutionRow.draft_id.in_(ids))
    )
    session.execute(delete(ResolutionRow).where(ResolutionRow.draft_id.in_(ids)))
    return _rows(session, delete(DraftRow).where(which)), resolutions or 0, feedback


def _delete_studies(session: Session, which: ColumnElement[bool]) -> Sequence[str]:
    ids = session.scalars(select(DicomStudyRow.id).where(which)).all()
    session.execute(delete(DicomStudyRow).where(which))
    return ids


def _emptied(session: Session, which: ColumnElement[bool]) -> int:
    return _rows(session, update(FeedbackRow).where(which).values(EMPTIED))


def _empty_cards(session: Session, which: ColumnElement[bool]) -> None:
    """Of a card its rule and its outcome stay, for the rates."""
    session.execute(update(CardRow).where(which).values(EMPTIED_CARD))


def _rows(session: Session, statement: Delete | Update) -> int:
    result = session.execute(statement.execution_options(synchronize_session=False))
    return int(result.rowcount)  # type: ignore[attr-defined]
