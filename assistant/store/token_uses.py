"""Which tokens of clients were used already, so that none is taken twice."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy import delete

from assistant.store.database import Database
from assistant.store.models import TokenUseRow


class TokenUses:
    """The ids of used tokens, kept until the tokens expire."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, issuer: str, token_id: str, expires_at: datetime) -> bool:
        """Note that a token is used; False when it was before, in this process or another."""
        text = f"{issuer}\x00{token_id}".encode("utf-8", "surrogatepass")
        key = hashlib.sha256(text).hexdigest()
        with self._database.write() as session:
            session.execute(
                delete(TokenUseRow).where(TokenUseRow.expires_at < self._database.clock())
            )
            if session.get(TokenUseRow, key) is not None:
                return False
            session.add(TokenUseRow(key=key, expires_at=expires_at))
            return True
