"""The store as the rest of the program sees it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from assistant.store.api_keys import ApiKeys
from assistant.store.approvals import Approvals
from assistant.store.attachments import Attachments
from assistant.store.audit import Audit
from assistant.store.bills import Bills
from assistant.store.cards import Cards
from assistant.store.contents import Contents
from assistant.store.context import SYSTEM, Context
from assistant.store.conversations import Conversations
from assistant.store.database import Clock, Database, utc_now
from assistant.store.drafts import Drafts
from assistant.store.export import Disguise, Export
from assistant.store.feedback import Feedback
from assistant.store.idempotency import Idempotency
from assistant.store.keyed_hash import KeyedHash
from assistant.store.messages import Messages
from assistant.store.outbox import Outbox
from assistant.store.purge import Purge, PurgeCounts
from assistant.store.record_events import RecordEvents
from assistant.store.releases import Releases
from assistant.store.requests import Requests
from assistant.store.smart_sessions import SmartSessions
from assistant.store.studies import Studies
from assistant.store.token_uses import TokenUses


class Store:
    """Requests, drafts, feedback, approvals, attachments and audit in one database, with the
    files of attachments in a folder.

    Its methods block on the disk; call them from a thread.  They may be called from any thread.
    """

    def __init__(
        self,
        database: Database,
        hashes: KeyedHash,
        contents: Contents | None = None,
        outgoing: Path | None = None,
    ) -> None:
        self.database = database
        self.hashes = hashes
        self.pseudonym = hashes.pseudonym
        self.audit = Audit(database, hashes)
        self.requests = Requests(database, self.audit, hashes)
        self.outbox = Outbox(database, hashes)
        self.drafts = Drafts(database, self.audit, hashes, self.outbox)
        self.feedback = Feedback(database, self.audit, hashes)
        self.idempotency = Idempotency(database, hashes)
        self.api_keys = ApiKeys(database, self.audit)
        self.approvals = Approvals(database, self.audit)
        self.releases = Releases(database, self.audit)
        self.attachments = Attachments(database, self.audit, contents)
        self.bills = Bills(database, self.audit)
        self.studies = Studies(database, self.audit)
        self.conversations = Conversations(database, self.audit)
        self.cards = Cards(database, self.audit)
        self.token_uses = TokenUses(database)
        self.smart_sessions = SmartSessions(database, hashes)
        self.record_events = RecordEvents(database, self.audit, hashes, self.requests)
        self.messages = Messages(database, self.audit, hashes)
        self._purge = Purge(database, self.audit, self.attachments, outgoing)
        self._export = Export(database, self.audit)

    @classmethod
    def open(
        cls,
        url_or_path: str | Path,
        secret: bytes,
        clock: Clock = utc_now,
        contents: Path | None = None,
        outgoing: Path | None = None,
    ) -> Store:
        """Open the database, bring its schema up to date and check that ``secret`` is its own.

        ``secret`` (16 bytes or more) keys the hashes by which the audit names patients and
        texts; losing it makes the audit unverifiable.  ``contents`` is the folder of attachments;
        without it there are none.  ``outgoing`` is the folder of results that go out, each study's
        under its id, which a purge empties too.

        Raises `InvalidArgument`, `DatabaseFailed`, `WrongSecret`.
        """
        hashes = KeyedHash(secret)
        files = Contents(contents) if contents is not None else None
        store = cls(Database.open(url_or_path, clock), hashes, files, outgoing)
        try:
            store.audit.start()
        except BaseException:
            store.close()
            raise
        return store

    def purge_patient(self, patient_id: str, actor: Context) -> PurgeCounts:
        """Delete everything of one patient; see `Purge.patient`."""
        return self._purge.patient(patient_id, actor)

    def purge_expired(self, retention_days: int, actor: Context = SYSTEM) -> PurgeCounts:
        """Delete what is older than ``retention_days``; see `Purge.expired`."""
        return self._purge.expired(retention_days, actor)

    def feedback_pairs(
        self,
        *,
        deidentify: bool = True,
        one_sided: bool = False,
        disguise: Disguise | None = None,
        actor: Context = SYSTEM,
    ) -> Iterator[dict[str, Any]]:
        """Training pairs from all feedback; see `Export.feedback_pairs`."""
        return self._export.feedback_pairs(
            deidentify=deidentify, one_sided=one_sided, disguise=disguise, actor=actor
        )

    def close(self) -> None:
        """Close every connection."""
        self.database.close()
