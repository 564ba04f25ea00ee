"""Looks at the floors now and then, and when it is asked to."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from assistant.monitoring.floors import Judgement, check

if TYPE_CHECKING:
    from assistant.api.context import Services

logger = logging.getLogger("bedside.assistant.monitoring")


async def check_now(parts: Services) -> list[Judgement]:
    """Judge every floor; what broke is returned, and engines show it, when this is done."""
    await parts.approvals.refresh()
    found = await asyncio.to_thread(check, parts)
    if any(one.returned for one in found):
        await parts.approvals.refresh()
    return found


async def watch(parts: Services) -> None:
    """`check_now` for ever; no error ends it."""
    while True:
        await asyncio.sleep(parts.settings.monitoring.check_minutes * 60)
        try:
            await check_now(parts)
        except Exception as error:
            logger.error("the floors were not looked at: %s", type(error).__name__)
