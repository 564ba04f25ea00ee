"""Who calls a hook: a client by its signed token, a system by its API key, or nobody where the
settings allow that for this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request

from assistant.api.context import Services
from assistant.interop.hooks.keys import ClientKeys
from assistant.interop.hooks.refusal import NotAllowed, Unauthorized
from assistant.interop.hooks.tokens import TokenBatch, client_of
from assistant.loopback import is_direct
from assistant.store.api_keys import PREFIX
from assistant.work.roles import ASK_ROLES

LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Caller:
    """The application that calls, and the FHIR servers that may be asked for it.

    ``user``: who it always is (a key of one doctor); empty: the hook says who works.
    """

    application: str
    fhir_servers: Sequence[str]
    user: str = ""


def base_url(parts: Services, request: Request) -> str:
    """The address of this server as clients have it."""
    return (parts.settings.hooks.base_url or str(request.base_url)).rstrip("/")


async def caller_of(
    request: Request, parts: Services, keys: ClientKeys, tokens: TokenBatch
) -> Caller:
    """The caller.  Raises `Unauthorized`, `NotAllowed`."""
    settings = parts.settings.hooks
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() == "bearer" and token.startswith(f"{PREFIX}_"):
        key = await asyncio.to_thread(parts.store.api_keys.verify, token)
        if key is None:
            raise Unauthorized
        if key.role not in ASK_ROLES:
            raise NotAllowed("该密钥的角色不能调用。(The role of this key may not call.)")
        user = "" if key.role == "system" else key.actor_id
        return Caller(f"key:{key.actor_id}"[:28], settings.fhir_servers, user)
    if scheme.lower() == "bearer" and token:
        base = base_url(parts, request)
        service = request.url.path.removesuffix("/feedback")
        audiences = {f"{base}{request.url.path}", f"{base}{service}"}
        client = await client_of(token, audiences, settings, keys, tokens)
        return Caller(client.name, client.fhir_servers)
    if settings.unsecured and not request.headers.get("authorization") and is_direct(request):
        return Caller(LOCAL, settings.fhir_servers)
    raise Unauthorized
