"""What was worked out of late, kept by its content.

A patient's resources come again with each call of a visit; a chart that changed is another one.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Recent(Generic[Value]):
    """Values by key; of more than ``most`` those that were not asked for longest are let go."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[Hashable, Value] = OrderedDict()

    def get(self, key: Hashable) -> Value | None:
        """The value; None where there is none."""
        if key in self._values:
            self._values.move_to_end(key)
        return self._values.get(key)

    def put(self, key: Hashable, value: Value) -> None:
        """Keep a value."""
        self._values[key] = value
        self._values.move_to_end(key)
        while len(self._values) > self._most:
            self._values.popitem(last=False)


class Kept(Generic[Value]):
    """What is worked out in threads, kept by its key; the same key is worked on once.

    For one event loop: it is not safe to be asked from several threads.
    """

    def __init__(self, most: int, threads: ThreadPoolExecutor) -> None:
        self._threads = threads
        self._kept: Recent[Future[Value]] = Recent(most)

    def of(self, key: Hashable, work: Callable[[], Value]) -> Future[Value]:
        """What ``work`` gives for ``key``; what failed is tried again."""
        future = self._kept.get(key)
        if future is None or (future.done() and future.exception() is not None):
            future = self._threads.submit(work)
            self._kept.put(key, future)
        return future

    def known(self, key: Hashable) -> Value | None:
        """What was found for ``key``; None where nothing is yet."""
        future = self._kept.get(key)
        done = future is not None and future.done() and future.exception() is None
        return future.result() if future is not None and done else None
