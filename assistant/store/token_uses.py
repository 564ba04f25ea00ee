"""Which tokens of clients were used already, so that none is taken twice."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Table, bindparam, delete, insert, select
from sqlalchemy.orm import Session

from assistant.store.database import Database
from assistant.store.models.token_use import TokenUseRow

_USES = cast(Table, TokenUseRow.__table__)
# Each call of a hook asks these: statements that stand are not worked out each time.
_USED = select(_USES.c.key).where(_USES.c.key.in_(bindparam("keys", expanding=True)))
_ADD = insert(_USES)
SWEEP_EVERY = timedelta(seconds=30)
"""So often those that have expired are deleted."""


class TokenUses:
    """The ids of used tokens, kept until the tokens expire."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._swept: datetime | None = None

    def take(self, issuer: str, token_id: str, expires_at: datetime) -> bool:
        """Note that a token is used; False when it was before, in this process or another."""
        with self._database.write() as session:
            return self.take_in(session, [(issuer, token_id, expires_at)])[0]

    def take_in(self, session: Session, tokens: Sequence[tuple[str, str, datetime]]) -> list[bool]:
        """The same of several, inside the caller's writing transaction; of two that are the same
        the first is taken."""
        if not tokens:
            return []
        keys = [_key(issuer, token_id) for issuer, token_id, _ in tokens]
        self._sweep(session)
        connection = session.connection()
        used = set(connection.scalars(_USED, {"keys": list(set(keys))}))
        answers, rows = [], []
        for key, (_, _, expires_at) in zip(keys, tokens, strict=True):
            answers.append(key not in used)
            if key not in used:
                used.add(key)
                rows.append({"key": key, "expires_at": expires_at})
        if rows:
            connection.execute(_ADD, rows)
        return answers

    def _sweep(self, session: Session) -> None:
        now = self._database.clock()
        if self._swept is None or not self._swept <= now < self._swept + SWEEP_EVERY:
            session.execute(delete(TokenUseRow).where(TokenUseRow.expires_at < now))
            self._swept = now


def _key(issuer: str, token_id: str) -> str:
    text = f"{issuer}\x00{token_id}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()
