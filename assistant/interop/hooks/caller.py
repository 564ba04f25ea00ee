"""Who calls a hook: a client by its signed token, a system by its API key, or nobody where the
settings allow that for this machine."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request

from assistant.api.context import Services
from assistant.interop.hooks.keys import ClientKeys
from assistant.interop.hooks.refusal import NotAllowed, Unauthorized
from assistant.interop.hooks.tokens import TokenUse, client_of
from assistant.loopback import is_direct
from assistant.store import Store
from assistant.store.api_keys import PREFIX
from assistant.work.roles import ASK_ROLES

logger = logging.getLogger("bedside.assistant.hooks")
LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Caller:
    """The application that calls, and the FHIR servers that may be asked for it.

    ``user``: who it always is (a key of one doctor); empty: the hook says who works.  ``use`` is
    that of its token, see `take`.
    """

    application: str
    fhir_servers: Sequence[str]
    user: str = ""
    use: TokenUse | None = None

    @property
    def is_to_take(self) -> bool:
        """Whether there is a token whose use the store does not have yet."""
        return self.use is not None and not self.use.is_taken

    def take(self, store: Store) -> None:
        """Note the use of the token where that is not done yet.  Blocks on the store.

        Raises `Unauthorized` where the token was used before.
        """
        if self.use is None or self.use.is_taken:
            return
        is_fresh = store.token_uses.take(*self.use.key)
        self.use.is_taken = True
        if not is_fresh:
            raise used_twice(self)


def used_twice(caller: Caller) -> Unauthorized:
    """What a token that comes again gets."""
    logger.warning("a token of %s was used twice", caller.application)
    return Unauthorized()


def base_url(parts: Services, request: Request) -> str:
    """The address of this server as clients have it."""
    return (parts.settings.hooks.base_url or str(request.base_url)).rstrip("/")


async def caller_of(request: Request, parts: Services, keys: ClientKeys) -> Caller:
    """The caller; the use of its token is still to be taken.

    Raises `Unauthorized`, `NotAllowed`.
    """
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
        client, use = await client_of(token, audiences, settings, keys)
        return Caller(client.name, client.fhir_servers, use=use)
    if settings.unsecured and not request.headers.get("authorization") and is_direct(request):
        return Caller(LOCAL, settings.fhir_servers)
    raise Unauthorized
