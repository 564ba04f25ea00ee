"""Which tokens of clients were used already, so that none is taken twice."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select

from assistant.store.database import Database
from assistant.store.models.token_use import TokenUseRow


class TokenUses:
    """The ids of used tokens, kept until the tokens expire."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, issuer: str, token_id: str, expires_at: datetime) -> bool:
        """Note that a token is used; False when it was before, in this process or another."""
        return self.take_each([(issuer, token_id, expires_at)])[0]

    def take_each(self, tokens: Sequence[tuple[str, str, datetime]]) -> list[bool]:
        """The same of several, in one transaction; of two that are the same the first is taken."""
        keys = [_key(issuer, token_id) for issuer, token_id, _ in tokens]
        with self._database.write() as session:
            session.execute(
                delete(TokenUseRow).where(TokenUseRow.expires_at < self._database.clock())
            )
            used = set(
                session.scalars(select(TokenUseRow.key).where(TokenUseRow.key.in_(set(keys))))
            )
            answers = []
            for key, (_, _, expires_at) in zip(keys, tokens, strict=True):
                answers.append(key not in used)
                if key not in used:
                    used.add(key)
                    session.add(TokenUseRow(key=key, expires_at=expires_at))
            return answers


def _key(issuer: str, token_id: str) -> str:
    text = f"{issuer}\x00{token_id}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()
