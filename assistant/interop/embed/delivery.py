"""Accepted texts → the webhook of the hospital's system, each until it is taken.

A text may come twice (a kill between the answer and our note of it): its ``Idempotency-Key`` is
then the same.  ``X-Bedside-Signature`` is ``sha256=`` and the HMAC-SHA-256 (RFC 2104, hex) of
``<X-Bedside-Timestamp>.<body>`` under the shared secret.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import logging
import time
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from assistant.interop.settings import WebhookSettings
from assistant.store import Store

if TYPE_CHECKING:
    import httpx

    from assistant.store.models.outbox import OutboxRow

logger = logging.getLogger("bedside.assistant.embed")
POLL_SECONDS = 1.0


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """The value of ``X-Bedside-Signature``."""
    signed = timestamp.encode() + b"." + body
    return "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


async def deliver(store: Store, settings: WebhookSettings, client: httpx.AsyncClient) -> int:
    """Send what is due; gives how many texts the other side took."""
    taken = 0
    for row in await asyncio.to_thread(store.outbox.due):
        problem = await _post(row, settings, client)
        if problem:
            logger.warning("a text was not taken (try %d): %s", row.attempts + 1, problem)
            await asyncio.to_thread(store.outbox.not_sent, row.id, problem, settings.most_tries)
        else:
            await asyncio.to_thread(store.outbox.sent, row.id)
            taken += 1
    return taken


async def _post(row: OutboxRow, settings: WebhookSettings, client: httpx.AsyncClient) -> str:
    """What went wrong; "" for nothing."""
    import httpx

    body = json.dumps({"id": row.id, **row.payload}, ensure_ascii=False).encode()
    timestamp = str(int(time.time()))
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Idempotency-Key": row.id,
        "X-Bedside-Timestamp": timestamp,
        "X-Bedside-Signature": signature(settings.secret.get_secret_value(), timestamp, body),
    }
    try:
        async with asyncio.timeout(settings.seconds):
            # Only the status counts: what else the other side says is not read.
            async with client.stream("POST", settings.url, content=body, headers=headers) as answer:
                return "" if answer.is_success else f"HTTP {answer.status_code}"
    except (httpx.HTTPError, TimeoutError) as error:
        return type(error).__name__


async def tend(store: Store, settings: WebhookSettings) -> None:
    """Send what is due, again and again.  No error ends it."""
    import httpx

    async with httpx.AsyncClient(
        timeout=settings.seconds, follow_redirects=False, trust_env=False
    ) as client:
        while True:
            try:
                await deliver(store, settings, client)
            except Exception as error:
                logger.error("the outbox could not be sent: %s", type(error).__name__)
            await asyncio.sleep(POLL_SECONDS)


@contextlib.asynccontextmanager
async def delivered(store: Store, settings: WebhookSettings) -> AsyncGenerator[None]:
    """While this is open, what is accepted goes out, where a webhook is set."""
    store.outbox.enabled = bool(settings.url)
    if not settings.url:
        yield
        return
    task = asyncio.create_task(tend(store, settings))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
