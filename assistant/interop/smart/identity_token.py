"""Verifying an id_token (OpenID Connect Core 1.0, 3.1.3.7): whose it is, for whom, and that it is
new.  Only signatures with a public key are taken; ``none`` and HMAC never are."""

from __future__ import annotations

import hmac
from typing import Any

from assistant.interop.smart.problem import LaunchRefused
from assistant.interop.smart.provider import Endpoints, Provider

ALGORITHMS = ("RS256", "RS384", "ES256", "ES384", "PS256", "PS384")
LEEWAY_SECONDS = 60


async def claims(
    token: str, provider: Provider, endpoints: Endpoints, client_id: str, nonce: str | None
) -> dict[str, Any]:
    """The claims of a token that holds.

    ``nonce`` None: that of a refresh, where the token need not have one.  Raises `LaunchRefused`.
    """
    import jwt

    try:
        header = jwt.get_unverified_header(token)
        algorithm, kid = header.get("alg"), header.get("kid")
        if algorithm not in ALGORITHMS:
            raise _refused()
        key = await _key(provider, endpoints.jwks, kid, algorithm)
        found: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            audience=client_id,
            issuer=endpoints.issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": ["exp", "iat", "iss", "aud", "sub"]},
        )
    except jwt.PyJWTError as error:
        raise _refused() from error
    audience = found["aud"]
    if isinstance(audience, list) and len(audience) > 1 and found.get("azp") != client_id:
        raise _refused()
    if nonce is not None and not _same(found.get("nonce"), nonce):
        raise _refused()
    return found


async def _key(provider: Provider, address: str, kid: Any, algorithm: str) -> Any:
    """The public key that signed; asked for anew once, as providers change theirs."""
    import jwt

    for anew in (False, True):
        for row in await provider.keys(address, anew=anew):
            usable = row.get("use", "sig") == "sig" and row.get("kty") in ("RSA", "EC")
            named = kid is None or row.get("kid") == kid
            if usable and named and row.get("alg", algorithm) == algorithm:
                return jwt.PyJWK(row, algorithm).key
    raise _refused()


def _same(value: Any, expected: str) -> bool:
    return isinstance(value, str) and hmac.compare_digest(value.encode(), expected.encode())


def _refused() -> LaunchRefused:
    return LaunchRefused(
        "登录凭证无效或已过期，请从病历系统重新打开。"
        "(The log-in token is not valid, or too old; open this again.)",
        401,
    )
