"""What an embedded page may: one doctor, one stay, one task, for a short time; signed.

Two tokens: the *launch* stands in the address of the page and is good once; the *page* token is
handed to the page that it opened and never leaves it.  Both are JWTs (HS256) under a key of this
installation; nothing else is accepted, whatever a token says of itself.  There are no cookies.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, cast, get_args

from assistant.store import Context, Store
from assistant.work.roles import CLINICAL_ROLES, Role

Purpose = Literal["launch", "page"]
ISSUER = "bedside"
ALGORITHM = "HS256"
MAX_LENGTH = 4_000
_CLAIMS = ("sub", "role", "patient", "encounter", "task", "origin", "jti")


class GrantRefused(Exception):
    """A token that is not good (any more); the message is for the person who sees the page."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Who may work on what, and the origin of the page around it."""

    actor_id: str
    role: str
    patient_id: str
    encounter_id: str
    task: str
    origin: str

    @property
    def context(self) -> Context:
        """The context of everything that the page does."""
        return Context(self.actor_id, self.role, self.patient_id, self.encounter_id)


@dataclass(frozen=True, slots=True)
class Read:
    """A grant as a token brought it, with the token's own id and end."""

    grant: Grant
    token_id: str
    expires_at: datetime


def signed(store: Store, grant: Grant, purpose: Purpose, seconds: int) -> tuple[str, datetime]:
    """(token, when it ends)."""
    import jwt

    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": _audience(purpose),
        "iat": now,
        "exp": now + seconds,
        "jti": secrets.token_urlsafe(16),
        "sub": grant.actor_id,
        "role": grant.role,
        "patient": grant.patient_id,
        "encounter": grant.encounter_id,
        "task": grant.task,
        "origin": grant.origin,
    }
    token = jwt.encode(claims, store.hashes.embed_key(), algorithm=ALGORITHM)
    return token, datetime.fromtimestamp(now + seconds, UTC)


def read(store: Store, token: str, purpose: Purpose) -> Read:
    """The grant of a token.  Raises `GrantRefused` for any that is not ours, or is over."""
    import jwt

    if len(token) > MAX_LENGTH:
        raise GrantRefused(_INVALID)
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            store.hashes.embed_key(),
            algorithms=[ALGORITHM],
            audience=_audience(purpose),
            issuer=ISSUER,
            options={"require": ["iss", "aud", "exp", "iat", *_CLAIMS]},
        )
    except jwt.ExpiredSignatureError:
        raise GrantRefused(_ENDED) from None
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
        raise GrantRefused(_INVALID) from None
    values = [claims[name] for name in _CLAIMS]
    if not all(isinstance(value, str) and value for value in values):
        raise GrantRefused(_INVALID)
    if claims["role"] not in get_args(Role) or claims["role"] not in CLINICAL_ROLES:
        raise GrantRefused(_INVALID)
    grant = Grant(*cast(list[str], values[:-1]))
    return Read(grant, claims["jti"], datetime.fromtimestamp(claims["exp"], UTC))


def opened(store: Store, token: str) -> Grant:
    """The grant of a launch, which is used up by this.  Raises `GrantRefused`."""
    found = read(store, token, "launch")
    if not store.token_uses.take(f"{ISSUER}:embed", found.token_id, found.expires_at):
        raise GrantRefused(_USED)
    return found.grant


def _audience(purpose: Purpose) -> str:
    return f"bedside:embed:{purpose}"


_ENDED = "页面已过期，请从病历系统重新打开。(The page has ended; open it again from the record.)"
_USED = "这个地址已用过，请从病历系统重新打开。(This address was used; open it again.)"
_INVALID = "凭证无效，请从病历系统重新打开。(The token is not valid; open it again.)"
