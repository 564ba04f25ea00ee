"""Waiting for a model that is busy, or that was lost in the middle of its answer."""

from __future__ import annotations

import asyncio

from assistant.work import pace
from serving.engine import EngineBusy, EngineLost


class Patience:
    """For one piece of accepted work: it is begun anew, but not for ever with a model that dies."""

    def __init__(self) -> None:
        self._lost = 0

    async def after(self, error: EngineBusy | EngineLost, *, least: float = 0.0) -> None:
        """Wait before the next try; ``least`` seconds for one that is busy.

        Raises:
            EngineLost: ``error``, where the model was lost too often.
        """
        if isinstance(error, EngineBusy):
            await asyncio.sleep(max(least, error.retry_after))
            return
        self._lost += 1
        if self._lost > pace.MOST_LOST:
            raise error
        await asyncio.sleep(pace.LOST_SECONDS)
