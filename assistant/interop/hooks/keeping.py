"""What was worked out of late, kept by its content.

A patient's resources come again with each call of a visit; a chart that changed is another one.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """What is worked out in threads, kept by its key; the same key is worked on once.

    For one event loop: it is not safe to be asked from several threads.
    """

    def __init__(self, most: int, threads: ThreadPoolExecutor) -> None:
        self._most = most
        self._threads = threads
        self._kept: OrderedDict[Hashable, Future[Value]] = OrderedDict()

    def of(self, key: Hashable, work: Callable[[], Value]) -> Future[Value]:
        """What ``work`` gives for ``key``; what failed is tried again."""
        future = self._kept.pop(key, None)
        if future is None or (future.done() and future.exception() is not None):
            future = self._threads.submit(work)
        self._kept[key] = future
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return future
