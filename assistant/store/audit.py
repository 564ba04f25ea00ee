"""The audit: who did what, in a chain that shows every change made to it from outside.

Each row's hash is SHA-256 over the canonical JSON of the row, the hash of the row before included.
The hash is not keyed, so the chain alone would not show a whole chain computed anew, nor rows
missing at its end; therefore the head row signs the last number and hash with the secret.

What `Audit.verify` cannot see: somebody who holds the secret, and an older copy of the whole
database put back in place.  Against the latter, note the head that a verification reports somewhere
else now and then, and hand it to the next one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any, cast

from sqlalchemy import Table, bindparam, insert, select, update
from sqlalchemy.orm import Session

from assistant.store.access import page_size
from assistant.store.context import Context
from assistant.store.database import Database
from assistant.store.errors import AuditBroken, WrongSecret
from assistant.store.identifier import is_id
from assistant.store.keyed_hash import KeyedHash, canonical_json, same
from assistant.store.models.api_key import ApiKeyRow
from assistant.store.models.audit import AuditHead, AuditRow
from assistant.store.models.feedback import FeedbackRow
from assistant.store.models.request import RequestRow

HEAD_ID = 1
NO_HASH = "0" * 64
MAX_SEQ = 2**63 - 1
_ROWS = cast(Table, AuditRow.__table__)
_HEAD = cast(Table, AuditHead.__table__)
_HEAD_OF = select(_HEAD.c.seq, _HEAD.c.hash, _HEAD.c.signature).where(_HEAD.c.id == HEAD_ID)
_ADD = insert(_ROWS)
_MOVE_HEAD = (
    update(_HEAD)
    .where(_HEAD.c.id == HEAD_ID)
    .values(seq=bindparam("to"), hash=bindparam("of"), signature=bindparam("signed"))
)
# Each call of a hook writes here: statements that stand, rows that are no mapped objects, on the
# transaction's connection itself.
_HASHED_COLUMNS = tuple(column.name for column in _ROWS.columns if column.name != "hash")


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What a verification found; ``head_seq`` and ``head_hash`` are the last row that held."""

    ok: bool
    rows: int
    first_bad_seq: int | None
    reason: str
    head_seq: int
    head_hash: str


@dataclass(frozen=True, slots=True)
class Entry:
    """What a row of the audit is to say."""

    context: Context
    action: str
    object_type: str
    content: Any = None
    object_id: str = ""


def row_hash(row: AuditRow) -> str:
    """The hash that ``row`` has to carry: 64 hex digits."""
    return _hash_of({name: getattr(row, name) for name in _HASHED_COLUMNS})


def _hash_of(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical_json(values).encode("utf-8", "surrogatepass")).hexdigest()


class Audit:
    """Writes and reads the audit."""

    def __init__(self, database: Database, hashes: KeyedHash) -> None:
        self._database = database
        self._hashes = hashes

    def start(self) -> None:
        """Sign an empty chain in a new database.

        Raises `WrongSecret` when the database belongs to another secret.
        """
        with self._database.write() as session:
            head = session.get(AuditHead, HEAD_ID)
            if head is None and _is_new(session):
                session.add(
                    AuditHead(
                        id=HEAD_ID,
                        seq=0,
                        hash=NO_HASH,
                        signature=self._hashes.head(0, NO_HASH),
                        key_check=self._hashes.key_check(),
                    )
                )
            elif head is not None and not same(head.key_check, self._hashes.key_check()):
                raise WrongSecret(
                    "The database was created with another secret; set the secret that it was "
                    "created with."
                )

    def append(
        self,
        session: Session,
        context: Context,
        action: str,
        object_type: str,
        object_id: str = "",
        content: Any = None,
    ) -> None:
        """Add a row inside the caller's writing transaction.

        ``content`` is a text or a JSON value; only its keyed hash is kept.  An ``object_id`` that
        this store did not make (it came from outside and might be anything) is hashed as well.

        Raises `AuditBroken` when the head was changed from outside.
        """
        self.append_all(session, [Entry(context, action, object_type, content, object_id)])

    def append_each(
        self, session: Session, contexts: Iterable[Context], action: str, object_type: str
    ) -> None:
        """Add a row for each of ``contexts``, as for the patients of a table that is shown."""
        self.append_all(session, [Entry(one, action, object_type) for one in contexts])

    def append_all(self, session: Session, entries: Sequence[Entry]) -> None:
        """Add rows one behind another; see `append`."""
        # What the caller has added comes first, as its errors do.
        session.flush()
        connection = session.connection()
        head = connection.execute(_HEAD_OF).one_or_none()
        if head is None or not same(head.signature, self._hashes.head(head.seq, head.hash)):
            raise AuditBroken
        rows = []
        seq, prev_hash = head.seq, head.hash
        for entry in entries:
            seq += 1
            row = self._values(entry, seq, prev_hash)
            row["hash"] = prev_hash = _hash_of(row)
            rows.append(row)
        if rows:
            connection.execute(_ADD, rows)
        signature = self._hashes.head(seq, prev_hash)
        connection.execute(_MOVE_HEAD, {"to": seq, "of": prev_hash, "signed": signature})

    def _values(self, entry: Entry, seq: int, prev_hash: str) -> dict[str, Any]:
        """The columns of a row, without its hash."""
        context, content = entry.context, entry.content
        return {
            "seq": seq,
            "at": self._database.clock().astimezone(UTC).isoformat(timespec="microseconds"),
            "actor_id": context.actor_id,
            "actor_role": context.actor_role,
            "action": entry.action,
            "object_type": entry.object_type,
            "object_id": self._object_ref(entry.object_id),
            "patient_ref": self._hashes.patient(context.patient_id),
            "encounter_ref": self._hashes.encounter(context.encounter_id),
            "content_ref": "" if content is None else self._hashes.content(content),
            "prev_hash": prev_hash,
        }

    def record(
        self,
        context: Context,
        action: str,
        object_type: str,
        object_id: str = "",
        content: Any = None,
    ) -> None:
        """Add a row in a transaction of its own: for what happens outside the store."""
        with self._database.write() as session:
            self.append(session, context, action, object_type, object_id, content)

    def about(self, session: Session, object_type: str, object_id: str) -> Sequence[AuditRow]:
        """All rows about one object, oldest first, inside the caller's transaction."""
        query = select(AuditRow).where(
            AuditRow.object_id == self._object_ref(object_id), AuditRow.object_type == object_type
        )
        return session.scalars(query.order_by(AuditRow.seq)).all()

    def is_of(self, row: AuditRow, content: Any) -> bool:
        """Whether ``row`` was written with this very content."""
        return same(row.content_ref, self._hashes.content(content))

    def list(
        self,
        *,
        patient_id: str | None = None,
        object_id: str | None = None,
        before_seq: int | None = None,
        limit: int = 100,
    ) -> Sequence[AuditRow]:
        """The newest rows first, ``limit`` at most; the next page is ``before_seq`` the last."""
        query = select(AuditRow).order_by(AuditRow.seq.desc()).limit(page_size(limit))
        if patient_id is not None:
            query = query.where(AuditRow.patient_ref == self._hashes.patient(patient_id))
        if object_id is not None:
            query = query.where(AuditRow.object_id == self._object_ref(object_id))
        if before_seq is not None:
            query = query.where(AuditRow.seq < min(before_seq, MAX_SEQ))
        with self._database.read() as session:
            return session.scalars(query).all()

    def verify(self, noted: tuple[int, str] | None = None) -> AuditReport:
        """Walk the whole chain and say whether it is as it was written.

        ``noted`` is a head (number, hash) that an earlier report gave: the row must still be there.
        """
        with self._database.read() as session:
            head = session.get(AuditHead, HEAD_ID)
            rows = session.scalars(
                select(AuditRow).order_by(AuditRow.seq).execution_options(yield_per=1000)
            )
            last_seq, last_hash = 0, NO_HASH
            noted_seen = noted is None or noted == (0, NO_HASH)

            def bad(seq: int, reason: str) -> AuditReport:
                return AuditReport(False, last_seq, seq, reason, last_seq, last_hash)

            for row in rows:
                if row.seq != last_seq + 1:
                    return bad(last_seq + 1, "A row is missing.")
                if row.prev_hash != last_hash:
                    return bad(row.seq, "The row does not follow the one before it.")
                if not same(row.hash, row_hash(row)):
                    return bad(row.seq, "The row was changed.")
                last_seq, last_hash = row.seq, row.hash
                noted_seen = noted_seen or noted == (last_seq, last_hash)
                session.expunge(row)
            reason = self._head_fault(head, last_seq, last_hash)
            if reason:
                # Where the head is sound, it says from where on rows are missing or too many.
                signed = head.seq if head is not None else last_seq
                return bad(min(last_seq, signed) + 1, reason)
            if not noted_seen:
                return bad(
                    min(last_seq, noted[0] if noted else 0) + 1,
                    "The noted head is not in the chain: an older database was put in place, or "
                    "the chain was written anew.",
                )
            return AuditReport(True, last_seq, None, "", last_seq, last_hash)

    def _object_ref(self, object_id: str) -> str:
        return object_id if not object_id or is_id(object_id) else self._hashes.content(object_id)

    def _head_fault(self, head: AuditHead | None, last_seq: int, last_hash: str) -> str:
        if head is None:
            return "The signed head is missing."
        if not same(head.signature, self._hashes.head(head.seq, head.hash)):
            return "The signature of the head is wrong."
        if head.seq > last_seq:
            return "Rows are missing at the end."
        if head.seq < last_seq:
            return "There are rows behind the signed head."
        if head.hash != last_hash:
            return "The last row is not the one that was signed."
        return ""


def _is_new(session: Session) -> bool:
    # A head that is missing beside any rows was removed: that must stay visible.
    columns = (AuditRow.seq, RequestRow.id, FeedbackRow.id, ApiKeyRow.id)
    return all(session.scalar(select(column).limit(1)) is None for column in columns)
