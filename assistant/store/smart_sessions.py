"""Sessions from the hospital's log-in: kept under the hash of the cookie, sealed by a key of the
installation (a session holds a token that renews the access), until they expire."""

from __future__ import annotations

import hashlib
import json
import os
from datetime import datetime
from typing import Any

from sqlalchemy import delete

from assistant.store.database import Database
from assistant.store.keyed_hash import KeyedHash
from assistant.store.models.smart_session import SmartSessionRow

_NONCE = 12


class SmartSessions:
    """The sessions of the store.  ``name`` is what the browser's cookie holds; it is kept nowhere.

    Sealed with AES-256-GCM (NIST SP 800-38D), the name's hash bound in: a row that is put in
    another's place opens nothing.
    """

    def __init__(self, database: Database, hashes: KeyedHash) -> None:
        self._database = database
        self._key = hashes.session_key()

    def put(self, name: str, content: dict[str, Any], expires_at: datetime) -> None:
        """Keep a session, in the place of the one of that name; what is over goes."""
        key = _key_of(name)
        with self._database.write() as session:
            now = self._database.clock()
            session.execute(delete(SmartSessionRow).where(SmartSessionRow.expires_at < now))
            row = session.get(SmartSessionRow, key)
            if row is None:
                row = SmartSessionRow(key=key)
                session.add(row)
            row.content, row.expires_at = self._seal(key, content), expires_at

    def change(self, name: str, content: dict[str, Any]) -> bool:
        """Change one that is there; False for one that has ended, which stays so."""
        key = _key_of(name)
        with self._database.write() as session:
            row = session.get(SmartSessionRow, key)
            if row is None or row.expires_at < self._database.clock():
                return False
            row.content = self._seal(key, content)
            return True

    def find(self, name: str) -> dict[str, Any] | None:
        """The session of a cookie; None for none, and for one that is over."""
        key = _key_of(name)
        with self._database.read() as session:
            row = session.get(SmartSessionRow, key)
        if row is None or row.expires_at < self._database.clock():
            return None
        return self._opened(key, row.content)

    def end(self, name: str) -> dict[str, Any] | None:
        """End a session; what it was."""
        key = _key_of(name)
        with self._database.write() as session:
            row = session.get(SmartSessionRow, key)
            if row is None:
                return None
            session.delete(row)
            return self._opened(key, row.content)

    def _seal(self, key: str, content: dict[str, Any]) -> bytes:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = os.urandom(_NONCE)
        text = json.dumps(content, ensure_ascii=False).encode()
        return nonce + AESGCM(self._key).encrypt(nonce, text, key.encode())

    def _opened(self, key: str, sealed: bytes) -> dict[str, Any] | None:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            text = AESGCM(self._key).decrypt(sealed[:_NONCE], sealed[_NONCE:], key.encode())
        except InvalidTag:
            return None
        found: dict[str, Any] = json.loads(text)
        return found


def _key_of(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
