"""Bills: what was read, what people made of it, and what that teaches the next reading.

A saving names the version that it was made from; where another saving came between, nothing is
kept.  A saving, its corrections, what they teach and their audit row are one transaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from assistant.store.access import find, page_size, page_start, visible, visible_rows
from assistant.store.audit import Audit
from assistant.store.context import Context
from assistant.store.database import Database
from assistant.store.errors import BillChanged, BillNotFound, InvalidArgument
from assistant.store.identifier import new_id
from assistant.store.models.bill import BillCorrectionRow, BillLayoutRow, BillRow
from assistant.store.models.catalogue import CatalogueSynonymRow
from assistant.store.models.draft import DraftRow

KIND = "bill"
"""The kind of the drafts that bills come from."""

EVERY_PATIENT = frozenset({"admin", "auditor"})
"""Roles that may look for bills without naming a patient."""

_ESCAPE = "\\"
MAX_QUERY = 200


@dataclass(frozen=True, slots=True)
class Filed:
    """A bill as it is kept: its content, and what it is found by."""

    content: dict[str, Any]
    kind: str
    hospital: str = ""
    number: str = ""
    issued_on: str = ""
    total_cents: int | None = None
    items: str = ""
    words: str = ""
    layout: str = ""


@dataclass(frozen=True, slots=True)
class Correction:
    """A cell (``fields.total``, ``items.3.amount``), what stood there and what stands there now."""

    path: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Synonym:
    """A wording (``key``; ``core`` is its name alone) that is the entry ``code``, ``name``."""

    key: str
    core: str
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a saving teaches: ``layout`` gets from its content (or {}) the new one."""

    signature: str = ""
    kind: str = ""
    layout: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    synonyms: Sequence[Synonym] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; everything that is given must hold.  Amounts are in hundredths."""

    hospital: str = ""
    item: str = ""
    text: str = ""
    number: str = ""
    kind: str = ""
    low_cents: int | None = None
    high_cents: int | None = None
    since: str = ""
    until: str = ""
    accepted: bool | None = field(default=None)


class Bills:
    """The bills of the store."""

    def __init__(self, database: Database, audit: Audit) -> None:
        self._database = database
        self._audit = audit

    def opened(
        self, context: Context, bill_id: str, file: Callable[[dict[str, Any]], Filed]
    ) -> BillRow:
        """A bill; ``file`` makes it from its draft's content the first time.

        Raises `BillNotFound` (and notes the refusal).
        """
        with self._database.write() as session:
            row = find(session, BillRow, bill_id)
            if row is None:
                row = self._filed(session, context, bill_id, file)
            if row is not None and visible(context, row):
                self._audit.append(session, context, "bill.read", "bill", row.id)
                return row
            self._audit.append(session, context, "bill.read_refused", "bill", bill_id)
        raise BillNotFound

    def unfiled(self, limit: int = 200) -> Sequence[tuple[str, Context]]:
        """Drafts of bills that nobody has opened, with the context they were made in."""
        query = (
            select(DraftRow)
            .outerjoin(BillRow, BillRow.id == DraftRow.id)
            .where(DraftRow.kind == KIND, BillRow.id.is_(None))
            .order_by(DraftRow.id)
            .limit(limit)
        )
        with self._database.read() as session:
            return [
                (row.id, Context(row.actor_id, "system", row.patient_id, row.encounter_id))
                for row in session.scalars(query)
            ]

    def save(
        self,
        context: Context,
        bill_id: str,
        version: int,
        filed: Filed,
        corrections: Sequence[Correction] = (),
        *,
        accept: bool = False,
        lesson: Lesson | None = None,
    ) -> BillRow:
        """Keep a bill that was changed from ``version``; gives it with its new version.

        Raises `BillNotFound`, and `BillChanged` where it has another version by now.
        """
        changed: int | None = None
        with self._database.write() as session:
            row = find(session, BillRow, bill_id)
            if row is not None and visible(context, row):
                if row.version == version:
                    self._keep(session, context, row, filed, corrections, accept)
                    if lesson is not None:
                        self._learn(session, context, lesson)
                    return row
                changed = row.version
                self._audit.append(session, context, "bill.save_refused", "bill", bill_id)
            else:
                self._audit.append(session, context, "bill.read_refused", "bill", bill_id)
        if changed is not None:
            raise BillChanged(changed)
        raise BillNotFound

    def corrections(self, context: Context, bill_id: str) -> Sequence[BillCorrectionRow]:
        """What was changed in a bill, oldest first.  Raises `BillNotFound`."""
        with self._database.write() as session:
            row = find(session, BillRow, bill_id)
            if row is not None and visible(context, row):
                self._audit.append(session, context, "bill.read", "bill", row.id)
                query = select(BillCorrectionRow).where(BillCorrectionRow.bill_id == bill_id)
                return session.scalars(query.order_by(BillCorrectionRow.id)).all()
            self._audit.append(session, context, "bill.read_refused", "bill", bill_id)
        raise BillNotFound

    def search(
        self, context: Context, wanted: Wanted, *, before: str | None = None, limit: int = 50
    ) -> Sequence[BillRow]:
        """Bills that are as wanted, newest first: of the context's patient.

        Without a patient those of all patients for the roles in `EVERY_PATIENT`, one's own for
        others.  Raises `InvalidArgument`.
        """
        query = select(BillRow).where(*_conditions(wanted))
        if context.patient_id or context.actor_role not in EVERY_PATIENT:
            query = query.where(visible_rows(context, BillRow))
        if before is not None:
            query = query.where(BillRow.id < page_start(before))
        query = query.order_by(BillRow.id.desc()).limit(page_size(limit))
        with self._database.write() as session:
            found = session.scalars(query).all()
            self._audit.append(session, context, "bill.search", "bill")
            return found

    def any_accepted(self, context: Context, kind: str) -> bool:
        """Whether the context's patient has a bill of ``kind`` that somebody accepted."""
        query = select(BillRow.id).where(
            visible_rows(context, BillRow), *_conditions(Wanted(kind=kind, accepted=True))
        )
        with self._database.read() as session:
            return session.scalar(query.limit(1)) is not None

    def layouts(self, kind: str) -> Sequence[BillLayoutRow]:
        """What is known of the layouts of one kind; nothing of a patient, so no context."""
        with self._database.read() as session:
            query = select(BillLayoutRow).where(BillLayoutRow.kind == kind)
            return session.scalars(query.order_by(BillLayoutRow.updated_at.desc())).all()

    def synonym(self, key: str) -> str | None:
        """The code that this wording was given."""
        with self._database.read() as session:
            row = session.get(CatalogueSynonymRow, _hashed(key))
            return None if row is None else row.code

    def synonyms(self, core: str, limit: int = 3) -> Sequence[str]:
        """The names of entries that wordings with this name were given, most often given first."""
        query = (
            select(CatalogueSynonymRow.name)
            .where(CatalogueSynonymRow.core == core)
            .order_by(CatalogueSynonymRow.times.desc())
            .limit(4 * limit)
        )
        with self._database.read() as session:
            return list(dict.fromkeys(session.scalars(query)))[:limit]

    def learn(self, context: Context, lesson: Lesson) -> None:
        """Keep what somebody teaches without a bill."""
        with self._database.write() as session:
            self._learn(session, context, lesson)

    def _filed(
        self,
        session: Session,
        context: Context,
        bill_id: str,
        file: Callable[[dict[str, Any]], Filed],
    ) -> BillRow | None:
        draft = find(session, DraftRow, bill_id)
        if draft is None or draft.kind != KIND or not visible(context, draft):
            return None
        filed = file(draft.content)
        row = BillRow(
            id=draft.id,
            actor_id=draft.actor_id,
            patient_id=draft.patient_id,
            encounter_id=draft.encounter_id,
            version=1,
            created_at=draft.created_at,
            updated_at=self._database.clock(),
        )
        _fill(row, filed)
        session.add(row)
        self._audit.append(session, context, "bill.file", "bill", row.id, filed.content)
        return row

    def _keep(
        self,
        session: Session,
        context: Context,
        row: BillRow,
        filed: Filed,
        corrections: Sequence[Correction],
        accept: bool,
    ) -> None:
        now = self._database.clock()
        _fill(row, filed)
        row.version += 1
        row.updated_at = now
        if accept:
            row.accepted_at, row.accepted_by = now, context.actor_id
        for one in corrections:
            session.add(_correction(row, one, context, now))
        changes = [[one.path, one.old, one.new] for one in corrections]
        action = "bill.accept" if accept else "bill.correct"
        self._audit.append(session, context, action, "bill", row.id, [row.version, changes])

    def _learn(self, session: Session, context: Context, lesson: Lesson) -> None:
        now = self._database.clock()
        if lesson.layout is not None and lesson.signature:
            known = session.get(BillLayoutRow, lesson.signature)
            content = lesson.layout(dict(known.content) if known is not None else {})
            if known is None:
                known = BillLayoutRow(signature=lesson.signature, kind=lesson.kind)
                session.add(known)
            known.content, known.actor_id, known.updated_at = content, context.actor_id, now
        for synonym in lesson.synonyms:
            _remember(session, context, synonym, now)
        if lesson.synonyms:
            taught = [[s.core, s.code] for s in lesson.synonyms]
            self._audit.append(session, context, "catalogue.learn", "catalogue", "", taught)


def _remember(session: Session, context: Context, synonym: Synonym, now: datetime) -> None:
    key = _hashed(synonym.key)
    row = session.get(CatalogueSynonymRow, key)
    if row is None:
        row = CatalogueSynonymRow(key=key, times=0, created_at=now)
        session.add(row)
    row.times = row.times + 1 if row.code == synonym.code else 1
    row.core, row.code, row.name = synonym.core, synonym.code, synonym.name
    row.actor_id, row.updated_at = context.actor_id, now


def _correction(
    row: BillRow, one: Correction, context: Context, now: datetime
) -> BillCorrectionRow:
    return BillCorrectionRow(
        id=new_id(),
        bill_id=row.id,
        version=row.version,
        path=one.path,
        old=one.old,
        new=one.new,
        actor_id=context.actor_id,
        actor_role=context.actor_role,
        created_at=now,
    )


def _fill(row: BillRow, filed: Filed) -> None:
    row.content, row.kind, row.layout = filed.content, filed.kind, filed.layout
    row.hospital, row.number, row.issued_on = filed.hospital, filed.number, filed.issued_on
    row.total_cents, row.items, row.words = filed.total_cents, filed.items, filed.words


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for column, text in (
        (BillRow.hospital, wanted.hospital),
        (BillRow.items, wanted.item),
        (BillRow.words, wanted.text),
        (BillRow.number, wanted.number),
    ):
        if len(text) > MAX_QUERY:
            raise InvalidArgument(f"What is looked for has at most {MAX_QUERY} characters.")
        for part in text.split():
            found.append(column.ilike(f"%{_literal(part)}%", escape=_ESCAPE))
    if wanted.kind:
        found.append(BillRow.kind == wanted.kind)
    if wanted.low_cents is not None:
        found.append(BillRow.total_cents >= wanted.low_cents)
    if wanted.high_cents is not None:
        found.append(BillRow.total_cents <= wanted.high_cents)
    if wanted.since:
        found.append(BillRow.issued_on >= wanted.since)
    if wanted.until:
        found.append(BillRow.issued_on <= f"{wanted.until}\uffff")
        found.append(BillRow.issued_on != "")
    if wanted.accepted is not None:
        at = BillRow.accepted_at
        found.append(at.is_not(None) if wanted.accepted else at.is_(None))
    return found


def _literal(text: str) -> str:
    for character in (_ESCAPE, "%", "_"):
        text = text.replace(character, _ESCAPE + character)
    return text


def _hashed(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
