"""Public keys of clients: given in the settings, or read from the client's own address.

Only the address of the settings is ever asked; where a token names one (``jku``), it has to be
that.  Keys are kept for some minutes, and a key that is not among them is looked for again at most
every so often, so that forged tokens make no traffic.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any

from assistant.interop.settings import HookClient

KEEP_SECONDS = 600.0
AGAIN_SECONDS = 30.0
MAX_BYTES = 200_000
TIMEOUT = 3.0


@dataclass
class _Kept:
    keys: list[dict[str, Any]] = field(default_factory=list)
    read_at: float = float("-inf")
    tried_at: float = float("-inf")


class ClientKeys:
    """The keys of all clients."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}
        self._lock = asyncio.Lock()

    async def find(self, client: HookClient, key_id: str | None) -> dict[str, Any] | None:
        """The public key (JWK) with this id; None where the client has none."""
        if client.keys:
            return _chosen(client.keys, key_id)
        kept = self._kept.setdefault(client.jwks_url, _Kept())
        now = time.monotonic()
        found = _chosen(kept.keys, key_id) if now - kept.read_at < KEEP_SECONDS else None
        if found is None and now - kept.tried_at >= AGAIN_SECONDS:
            async with self._lock:
                if time.monotonic() - kept.tried_at >= AGAIN_SECONDS:
                    await self._read(client.jwks_url, kept)
            found = _chosen(kept.keys, key_id)
        return found

    async def _read(self, address: str, kept: _Kept) -> None:
        import httpx

        kept.tried_at = time.monotonic()
        try:
            async with (
                httpx.AsyncClient(follow_redirects=False, timeout=TIMEOUT, trust_env=False) as http,
                asyncio.timeout(TIMEOUT),
                http.stream("GET", address) as answer,
            ):
                if answer.status_code != 200:
                    return
                body = b""
                async for piece in answer.aiter_bytes():
                    body += piece
                    if len(body) > MAX_BYTES:
                        return
            keys = json.loads(body)["keys"]
        except (httpx.HTTPError, TimeoutError, ValueError, KeyError, TypeError):
            return
        if isinstance(keys, list):
            kept.keys = [key for key in keys if isinstance(key, dict)]
            kept.read_at = time.monotonic()


def _chosen(keys: list[dict[str, Any]], key_id: str | None) -> dict[str, Any] | None:
    if key_id is None:
        return keys[0] if len(keys) == 1 else None
    return next((key for key in keys if key.get("kid") == key_id), None)
