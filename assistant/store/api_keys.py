"""API keys: shown once when they are made, kept as a hash.

A key carries 256 random bits, so a plain SHA-256 is enough: there is nothing to guess that a slow
hash would have to protect.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from assistant.store.audit import Audit
from assistant.store.context import SYSTEM, Context, check_id
from assistant.store.database import Database
from assistant.store.errors import InvalidArgument
from assistant.store.identifier import is_id, new_id
from assistant.store.keyed_hash import same
from assistant.store.models.api_key import ApiKeyRow

PREFIX = "bsk"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it may be shown: without its secret."""

    id: str
    actor_id: str
    role: str
    label: str
    created_at: datetime
    revoked_at: datetime | None


class ApiKeys:
    """The API keys of the store."""

    def __init__(self, database: Database, audit: Audit) -> None:
        self._database = database
        self._audit = audit

    def create(
        self, actor_id: str, role: str, label: str, *, by: Context = SYSTEM
    ) -> tuple[str, str]:
        """Make a key for ``actor_id``; gives its id and the key itself, which nothing keeps."""
        if not actor_id:
            raise InvalidArgument("An API key needs the id of the actor whom it stands for.")
        for name, value in (("actor_id", actor_id), ("role", role), ("label", label)):
            check_id(name, value)
        key_id, secret = new_id(), secrets.token_urlsafe(32)
        with self._database.write() as session:
            session.add(
                ApiKeyRow(
                    id=key_id,
                    actor_id=actor_id,
                    role=role,
                    label=label,
                    secret_hash=_secret_hash(secret),
                    created_at=self._database.clock(),
                )
            )
            self._audit.append(session, by, "api_key.create", "api_key", key_id)
        return key_id, f"{PREFIX}_{key_id}_{secret}"

    def verify(self, plaintext: str) -> ApiKey | None:
        """Whose key it is; None when it is unknown or revoked."""
        prefix, _, rest = plaintext.partition("_")
        key_id, _, secret = rest.partition("_")
        if prefix != PREFIX or not is_id(key_id):
            return None
        with self._database.read() as session:
            row = session.get(ApiKeyRow, key_id)
        if row is None or not same(row.secret_hash, _secret_hash(secret)):
            return None
        return None if row.revoked_at is not None else _shown(row)

    def revoke(self, key_id: str, *, by: Context = SYSTEM) -> bool:
        """Make a key useless at once; False when there is no such key or it is revoked already."""
        with self._database.write() as session:
            row = session.get(ApiKeyRow, key_id) if is_id(key_id) else None
            if row is None or row.revoked_at is not None:
                return False
            row.revoked_at = self._database.clock()
            self._audit.append(session, by, "api_key.revoke", "api_key", key_id)
            return True

    def any_in_force(self) -> bool:
        """Whether there is a key that is not revoked."""
        in_force = select(ApiKeyRow.id).where(ApiKeyRow.revoked_at.is_(None)).limit(1)
        with self._database.read() as session:
            return session.scalar(in_force) is not None

    def list(self) -> Sequence[ApiKey]:
        """Every key, oldest first, revoked ones included."""
        with self._database.read() as session:
            return [
                _shown(row) for row in session.scalars(select(ApiKeyRow).order_by(ApiKeyRow.id))
            ]


def _secret_hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _shown(row: ApiKeyRow) -> ApiKey:
    return ApiKey(row.id, row.actor_id, row.role, row.label, row.created_at, row.revoked_at)
