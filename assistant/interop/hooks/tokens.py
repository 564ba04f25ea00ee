"""The token by which a client says who it is: a JWT that it signed for this very service."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from assistant.interop.hooks.keys import ClientKeys
from assistant.interop.hooks.refusal import Unauthorized
from assistant.interop.settings import HookClient, HookSettings

if TYPE_CHECKING:
    from jwt import PyJWK

logger = logging.getLogger("bedside.assistant.hooks")
LEEWAY = 30
"""Seconds that clocks may differ."""
MAX_LIFE = 600
"""Seconds that a token may live; the specification asks for at most five minutes."""
MAX_LENGTH = 8_000


@dataclass
class TokenUse:
    """One use of a token: ``key`` is issuer, id, and when it expires.

    ``is_taken``: the store has it.  Whoever answers a call sees to that, however it ends.
    """

    key: tuple[str, str, datetime]
    is_taken: bool = False


async def client_of(
    token: str, audiences: Collection[str], settings: HookSettings, keys: ClientKeys
) -> tuple[HookClient, TokenUse]:
    """The client that signed ``token`` for one of ``audiences``, and that it is used now.

    Raises `Unauthorized`; why stands in the log, without anything of the token.
    """
    try:
        client, claims = await _verified(token, audiences, settings, keys)
    except _Wrong as wrong:
        logger.warning("a token was refused: %s", wrong)
        raise Unauthorized from None
    expires = datetime.fromtimestamp(claims["exp"] + LEEWAY, UTC)
    return client, TokenUse((client.issuer, claims["jti"], expires))


@lru_cache(maxsize=64)
def _public(key: str, algorithm: str) -> PyJWK:
    """The key, read once."""
    import jwt

    return jwt.PyJWK(json.loads(key), algorithm)


class _Wrong(Exception):
    """What is wrong, for the log alone."""


def _unread(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims as they stand there, to find the key by; `jwt.decode` reads and checks
    them again.  Raises `_Wrong`."""
    try:
        header, claims = (
            json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
            for part in token.split(".")[:2]
        )
    except (ValueError, RecursionError):
        raise _Wrong("no token") from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise _Wrong("no token")
    return header, claims


async def _verified(
    token: str, audiences: Collection[str], settings: HookSettings, keys: ClientKeys
) -> tuple[HookClient, dict[str, Any]]:
    import jwt

    if len(token) > MAX_LENGTH:
        raise _Wrong("too long")
    header, unread = _unread(token)
    issuer = unread.get("iss")
    client = next((c for c in settings.clients if c.issuer == issuer), None)
    if client is None:
        raise _Wrong("unknown issuer")
    algorithm = header.get("alg")
    if algorithm not in client.algorithms:
        raise _Wrong("algorithm not allowed")
    if header.get("crit") or ("jku" in header and header["jku"] != client.jwks_url):
        raise _Wrong("address of keys not allowed")
    key = await keys.find(client, header.get("kid"))
    if key is None:
        raise _Wrong("unknown key")
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            _public(json.dumps(key, sort_keys=True), algorithm),
            algorithms=[algorithm],
            audience=list(audiences),
            issuer=client.issuer,
            leeway=LEEWAY,
            options={"require": ["iss", "aud", "exp", "iat", "jti"]},
        )
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError) as error:
        raise _Wrong(type(error).__name__) from None
    if not isinstance(claims["jti"], str) or not claims["jti"] or len(claims["jti"]) > 256:
        raise _Wrong("no id")
    if not isinstance(claims["exp"], int | float) or claims["exp"] - claims["iat"] > MAX_LIFE:
        raise _Wrong("lives too long")
    return client, claims
