"""Drafts: what was generated, what the doctor did with it, and what was signed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast, get_args

from sqlalchemy import Table, bindparam, select
from sqlalchemy.orm import Session

from assistant.store.access import (
    find,
    known_id,
    made_before,
    page_size,
    page_start,
    visible,
    visible_rows,
)
from assistant.store.audit import Audit
from assistant.store.context import Context
from assistant.store.database import Database
from assistant.store.edit_distance import edit_distance
from assistant.store.errors import (
    AlreadySigned,
    DraftNotFound,
    InvalidArgument,
    RequestNotFound,
    UnresolvedStatements,
)
from assistant.store.identifier import new_id
from assistant.store.keyed_hash import KeyedHash
from assistant.store.models.draft import DraftRow, ResolutionRow, StatementAction
from assistant.store.models.request import RequestRow
from assistant.store.outbox import Outbox
from assistant.store.requests import check_key
from assistant.store.staleness import overtaken

_DRAFTS = cast(Table, DraftRow.__table__)
# Each call of a hook asks this: a statement that stands is not worked out each time.
_WITH_DRAFTS = select(_DRAFTS.c.patient_id).where(
    _DRAFTS.c.patient_id.in_(bindparam("patients", expanding=True)),
    _DRAFTS.c.stale_at.is_(None),
    _DRAFTS.c.accepted_at.is_(None),
)


def is_current(draft: DraftRow, record_hash: str) -> bool:
    """True when the record is still the one that the draft was made from."""
    return draft.record_hash == record_hash


def draft_text(draft: DraftRow) -> str | None:
    """The text that was generated (``content["text"]``), or None for a draft without one."""
    text = draft.content.get("text")
    return text if isinstance(text, str) else None


class Drafts:
    """The drafts of the store."""

    def __init__(
        self, database: Database, audit: Audit, hashes: KeyedHash, outbox: Outbox | None = None
    ) -> None:
        self._database = database
        self._audit = audit
        self._hashes = hashes
        self._outbox = outbox

    def add(
        self,
        context: Context,
        request_id: str,
        kind: str,
        member: str,
        section: str,
        content: dict[str, Any],
        *,
        record_hash: str,
        model: str,
        prompt_version: str,
        knowledge_version: str,
    ) -> DraftRow:
        """Keep a draft; it and its audit row are on the disk when this returns.

        A request has one draft for each member and section: the first one stays, so that a job
        that starts again after a kill doubles nothing.  A draft of a record that has changed since
        the request was made is stale from the beginning.

        Raises `RequestNotFound` when the request is not this patient's or was purged.
        """
        with self._database.write() as session:
            request = find(session, RequestRow, request_id)
            if request is None or not visible(context, request):
                raise RequestNotFound
            row = session.scalar(
                select(DraftRow).where(
                    DraftRow.request_id == request_id,
                    DraftRow.member == member,
                    DraftRow.section == section,
                )
            )
            if row is not None:
                self._audit.append(session, context, "draft.read", "draft", row.id)
                return row
            now = self._database.clock()
            row = DraftRow(
                id=new_id(),
                request_id=request_id,
                kind=kind,
                member=member,
                section=section,
                actor_id=context.actor_id,
                patient_id=request.patient_id,
                encounter_id=request.encounter_id,
                content=content,
                record_hash=record_hash,
                model=model,
                prompt_version=prompt_version,
                knowledge_version=knowledge_version,
                created_at=now,
                stale_at=now if overtaken(session, request) else None,
            )
            session.add(row)
            self._audit.append(session, context, "draft.add", "draft", row.id, content)
            return row

    def get(self, context: Context, draft_id: str) -> DraftRow:
        """One draft of this patient; raises `DraftNotFound` (and notes the refusal)."""
        with self._database.write() as session:
            row = self._visible(session, context, draft_id)
            if row is not None:
                if row.opened_at is None and context.actor_role != "system":
                    row.opened_at = self._database.clock()
                self._audit.append(session, context, "draft.read", "draft", row.id)
                return row
            self._refuse(session, context, draft_id)
        raise DraftNotFound

    def list(
        self,
        context: Context,
        request_id: str | None = None,
        *,
        before: str | None = None,
        limit: int = 50,
    ) -> Sequence[DraftRow]:
        """This patient's drafts, newest first; the next page is ``before`` the last id."""
        query = select(DraftRow).where(visible_rows(context, DraftRow))
        if request_id is not None:
            query = query.where(DraftRow.request_id == known_id(request_id))
        if before is not None:
            query = query.where(DraftRow.id < page_start(before))
        query = query.order_by(DraftRow.id.desc()).limit(page_size(limit))
        with self._database.write() as session:
            self._audit.append(session, context, "draft.list", "request", request_id or "")
            return session.scalars(query).all()

    def ready(self, context: Context, kinds: Sequence[str]) -> Sequence[DraftRow]:
        """The drafts of these kinds that are current and not taken yet, newest first.

        For a hint that they are there: whoever reads one is noted then.
        """
        return self.ready_each([(context, kinds)])[0]

    def ready_each(
        self, wanted: Sequence[tuple[Context, Sequence[str]]]
    ) -> Sequence[Sequence[DraftRow]]:
        """The same for several patients, at one moment."""
        with self._database.read() as session:
            return self.ready_in(session, wanted)

    def ready_in(
        self, session: Session, wanted: Sequence[tuple[Context, Sequence[str]]]
    ) -> Sequence[Sequence[DraftRow]]:
        """The same inside the caller's transaction."""
        found: list[Sequence[DraftRow]] = []
        # Most patients have none: their rows are not asked for one by one.
        some: set[str] = set()
        if patients := {c.patient_id for c, kinds in wanted if kinds}:
            asked = {"patients": list(patients)}
            some = set(session.connection().scalars(_WITH_DRAFTS, asked))
        for context, kinds in wanted:
            rows: Sequence[DraftRow] = []
            if kinds and context.patient_id in some:
                rows = session.scalars(
                    select(DraftRow)
                    .where(
                        visible_rows(context, DraftRow),
                        DraftRow.kind.in_(kinds),
                        DraftRow.stale_at.is_(None),
                        DraftRow.accepted_at.is_(None),
                    )
                    .order_by(DraftRow.id.desc())
                    .limit(50)
                ).all()
            found.append(rows)
        return found

    def resolve_statement(
        self,
        context: Context,
        draft_id: str,
        statement_id: str,
        action: StatementAction,
        text: str | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> ResolutionRow:
        """Note what the doctor did with a statement; ``edited`` brings the new ``text``.

        Raises `DraftNotFound`, `AlreadySigned`, `InvalidArgument`, `IdempotencyConflict`.
        """
        if action not in get_args(StatementAction):
            raise InvalidArgument("A statement is confirmed, deleted, edited or restored.")
        if (action == "edited") != (text is not None):
            raise InvalidArgument("The new text comes with the action 'edited', and only with it.")
        check_key(idempotency_key)
        body_ref = self._hashes.content([draft_id, statement_id, action, text])
        with self._database.write() as session:
            draft = self._visible(session, context, draft_id)
            if draft is not None:
                row = made_before(session, ResolutionRow, context, idempotency_key, body_ref)
                if row is not None:
                    self._audit.append(session, context, "statement.read", "draft", draft_id)
                    return row
                if draft.signed_at is not None:
                    raise AlreadySigned
                row = ResolutionRow(
                    id=new_id(),
                    draft_id=draft_id,
                    statement_id=statement_id,
                    action=action,
                    text=text,
                    actor_id=context.actor_id,
                    idempotency_key=idempotency_key,
                    body_ref=body_ref,
                    created_at=self._database.clock(),
                )
                session.add(row)
                content = [statement_id, text]
                self._audit.append(
                    session, context, f"statement.{action}", "draft", draft_id, content
                )
                return row
            self._refuse(session, context, draft_id)
        raise DraftNotFound

    def resolutions(self, context: Context, draft_id: str) -> Sequence[ResolutionRow]:
        """All that was done with a draft's statements, oldest first: the last one counts."""
        query = select(ResolutionRow).where(ResolutionRow.draft_id == draft_id)
        with self._database.write() as session:
            if self._visible(session, context, draft_id) is not None:
                self._audit.append(session, context, "statement.list", "draft", draft_id)
                return session.scalars(query.order_by(ResolutionRow.id)).all()
            self._refuse(session, context, draft_id)
        raise DraftNotFound

    def accept(
        self,
        context: Context,
        draft_id: str,
        text: str,
        unresolved: int,
        fields: dict[str, str] | None = None,
    ) -> DraftRow:
        """The fill-in: keep the text that goes into the record, and put it into the outbox.

        It may be done again until the text is signed; the time of the first one stays.
        ``fields`` is the same text by the fields of the record.

        Raises `UnresolvedStatements` while ``unresolved`` is not 0, `DraftNotFound`,
        `AlreadySigned`.
        """
        with self._database.write() as session:
            row = self._visible(session, context, draft_id)
            if row is None:
                self._refuse(session, context, draft_id)
            elif unresolved > 0:
                self._audit.append(session, context, "draft.accept_refused", "draft", draft_id)
            else:
                if row.signed_at is not None and row.accepted_text != text:
                    raise AlreadySigned
                self._mark_accepted(context, row)
                row.accepted_text = text
                if self._outbox is not None:
                    self._outbox.put(session, context, row, fields or {})
                self._audit.append(session, context, "draft.accept", "draft", draft_id, text)
                return row
        if row is None:
            raise DraftNotFound
        raise UnresolvedStatements(unresolved)

    def sign(self, context: Context, draft_id: str, final_text: str) -> DraftRow:
        """Keep the signed text and how far it is from the accepted (else generated) one.

        Signing accepts nothing: a draft that was never filled in keeps no time of acceptance,
        since nobody has dealt with its unsupported statements.

        Raises `DraftNotFound`, and `AlreadySigned` when another text was signed before.
        """
        with self._database.write() as session:
            row = self._visible(session, context, draft_id)
            if row is not None:
                if row.signed_at is not None and row.signed_text != final_text:
                    raise AlreadySigned
                if row.signed_at is None:
                    before = draft_text(row) if row.accepted_text is None else row.accepted_text
                    row.edit_distance = (
                        None if before is None else edit_distance(before, final_text)
                    )
                    row.signed_text, row.signed_by = final_text, context.actor_id
                    row.signed_at = self._database.clock()
                self._audit.append(session, context, "draft.sign", "draft", draft_id, final_text)
                return row
            self._refuse(session, context, draft_id)
        raise DraftNotFound

    def _mark_accepted(self, context: Context, row: DraftRow) -> None:
        if row.accepted_at is None:
            row.accepted_at, row.accepted_by = self._database.clock(), context.actor_id
            row.seconds_to_acceptance = (row.accepted_at - row.created_at).total_seconds()

    def _visible(self, session: Session, context: Context, draft_id: str) -> DraftRow | None:
        row = find(session, DraftRow, draft_id)
        return row if row is not None and visible(context, row) else None

    def _refuse(self, session: Session, context: Context, draft_id: str) -> None:
        self._audit.append(session, context, "draft.read_refused", "draft", draft_id)
