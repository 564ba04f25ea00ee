"""Calls that wait at the same time are worked on together, in one transaction of the store.

Each transaction waits for the disk once; alone, two hundred a second would wait two hundred times.
A batch is whatever has come while the one before was written, so that a call alone waits for
nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")
MOST = 64


class Batch(Generic[Item, Answer]):
    """``work`` gives the answer of each item, and blocks; it is called in a thread, one batch at a
    time."""

    def __init__(self, work: Callable[[Sequence[Item]], Sequence[Answer]]) -> None:
        self._work = work
        self._waiting: list[tuple[Item, asyncio.Future[Answer]]] = []
        self._worker: asyncio.Task[None] | None = None

    async def of(self, item: Item) -> Answer:
        """The answer of one item.  Raises what ``work`` raises for it."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._worker is None:
            self._worker = asyncio.create_task(self._run())
        return await future

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                await self._together([one for one in batch if not one[1].done()])
        finally:
            self._worker = None

    async def _together(self, batch: Sequence[tuple[Item, asyncio.Future[Answer]]]) -> None:
        if not batch:
            return
        try:
            answers = await asyncio.to_thread(self._work, [item for item, _ in batch])
        except Exception as error:
            if len(batch) == 1:
                _set(batch[0][1], error)
                return
            # Nothing of it was kept; one that cannot be takes none of the others with it.
            for one in batch:
                await self._together([one])
            return
        except BaseException as error:
            for _, future in batch:
                _set(future, error)
            raise
        for (_, future), answer in zip(batch, answers, strict=True):
            if not future.done():
                future.set_result(answer)


def _set(future: asyncio.Future[Answer], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)
