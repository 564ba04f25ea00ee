"""What a FHIR server says of its authorization (``.well-known/smart-configuration``), and its keys.

Only servers that the settings name are asked, over https or on this machine itself; redirects are
not followed and answers are bounded.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from assistant.interop.smart.problem import LaunchRefused
from assistant.loopback import is_loopback

KEPT_SECONDS = 600.0
MOST_BYTES = 1_000_000
SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where to send the doctor, and whose tokens are taken."""

    issuer: str
    authorize: str
    token: str
    jwks: str
    end_session: str = ""


@dataclass
class Provider:
    """One server that launches come from; what it says is kept for `KEPT_SECONDS`."""

    base: str
    transport: httpx.AsyncBaseTransport | None = None
    _kept: dict[str, tuple[float, dict[str, Any]]] = field(default_factory=dict)

    async def endpoints(self) -> Endpoints:
        """The endpoints.  Raises `LaunchRefused` where one is missing, or not safe."""
        smart = await self._json(f"{self.base.rstrip('/')}/.well-known/smart-configuration")
        methods = smart.get("code_challenge_methods_supported")
        if not isinstance(methods, list) or "S256" not in methods:
            raise _unusable("PKCE S256")
        issuer = _text(smart, "issuer")
        oidc: dict[str, Any] = {}
        if not _text(smart, "jwks_uri") or not issuer:
            issuer = issuer or self.base.rstrip("/")
            oidc = await self._json(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            if _text(oidc, "issuer").rstrip("/") != issuer.rstrip("/"):
                raise _unusable("issuer")
            issuer = _text(oidc, "issuer")
        both = {**oidc, **smart}
        found = Endpoints(
            issuer,
            _text(both, "authorization_endpoint"),
            _text(both, "token_endpoint"),
            _text(both, "jwks_uri"),
            _text(both, "end_session_endpoint"),
        )
        for name in ("authorize", "token", "jwks"):
            check_address(getattr(found, name))
        return found

    async def keys(self, address: str, *, anew: bool = False) -> list[dict[str, Any]]:
        """The public keys; ``anew`` asks again, for a key that was changed."""
        if anew:
            self._kept.pop(address, None)
        keys = (await self._json(address)).get("keys")
        return [key for key in keys if isinstance(key, dict)] if isinstance(keys, list) else []

    async def exchange(
        self, address: str, form: dict[str, str], secret: tuple[str, str] | None
    ) -> dict[str, Any]:
        """The answer of the token endpoint.  Raises `LaunchRefused`."""
        return await self._asked("POST", address, form, secret)

    async def _json(self, address: str) -> dict[str, Any]:
        kept = self._kept.get(address)
        if kept is not None and time.monotonic() - kept[0] < KEPT_SECONDS:
            return kept[1]
        found = await self._asked("GET", address)
        self._kept[address] = (time.monotonic(), found)
        return found

    async def _asked(
        self,
        method: str,
        address: str,
        form: dict[str, str] | None = None,
        secret: tuple[str, str] | None = None,
    ) -> dict[str, Any]:
        check_address(address)
        async with httpx.AsyncClient(
            timeout=SECONDS, follow_redirects=False, transport=self.transport, trust_env=False
        ) as client:
            try:
                auth = httpx.BasicAuth(*secret) if secret else None
                headers = {"Accept": "application/json"}
                answer = await client.request(
                    method, address, data=form, auth=auth, headers=headers
                )
                found = json.loads(answer.content) if len(answer.content) <= MOST_BYTES else None
            except (httpx.HTTPError, ValueError, RecursionError):
                answer, found = None, None
        if form is not None and answer is not None and answer.status_code in (400, 401):
            # RFC 6749, 5.2: what was given is not good (any more); the service itself works.
            raise LaunchRefused(
                "登录已结束或无效，请从病历系统重新打开。"
                "(The log-in has ended or is not valid; open this again there.)",
                401,
            )
        if answer is None or answer.status_code != 200 or not isinstance(found, dict):
            raise LaunchRefused(
                "医院的登录服务没有正常应答，请稍后从病历系统重新打开。"
                "(The log-in service did not answer as it should; open this again later.)",
                502,
            )
        return found


def check_address(address: str) -> None:
    """Raises `LaunchRefused` unless the address is https, or http on this machine itself."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        raise _unusable("address") from None
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))):
        raise _unusable("https")


def _text(found: dict[str, Any], name: str) -> str:
    value = found.get(name)
    return value if isinstance(value, str) else ""


def _unusable(what: str) -> LaunchRefused:
    return LaunchRefused(
        f"医院的登录服务的配置不可用（{what}），请联系管理员。"
        "(The configuration of the log-in service cannot be used; ask the administrator.)",
        502,
    )
