"""Work spread over processes, its results in the order of what was given.

Each process opens what it works with once.  Rules hold Python's lock and a small model runs
fastest on one thread of its own, so a process a core does more than threads would.
"""

from __future__ import annotations

import logging
import math
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import cache
from typing import Any, Protocol

import psutil

from serving.hardware import topology

_AHEAD = 4
"""Items given to each process before the first of them is done."""
_MEMORY = 768 * 2**20
"""What a process may need."""
_opening: Callable[[], Opened]


class WorkerDied(Exception):
    """A process ended in the middle of its work."""


class Opened(Protocol):
    """What a process works with; ``made_of`` says everything that decides its results."""

    made_of: str

    def work(self, item: Any) -> str:
        """The result for one item."""


class Team(Protocol):
    """One process or many."""

    @property
    def made_of(self) -> str:
        """See `Opened`."""

    def results(self, items: Iterable[Any]) -> Iterator[tuple[Any, str]]:
        """Each item with its result, in their order."""


def processes_for(items: int, least: int) -> int:
    """How many processes are worth opening for so many items, of which one that is opened for
    fewer than ``least`` is not worth it."""
    room = int(psutil.virtual_memory().available // _MEMORY)
    return max(1, min(len(topology.usable()), room, math.ceil(items / least)))


@contextmanager
def team(opening: Callable[[], Opened], processes: int) -> Iterator[Team]:
    """``processes`` that each work with what ``opening`` gives; this process alone for one.

    ``opening`` is a function of a module, with arguments bound by `functools.partial` at most.
    """
    if processes < 2:
        yield _Alone(opening())
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, context, _begin, (opening, context.Lock()))
    try:
        yield _Pool(pool, processes)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class _Alone:
    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self.made_of = opened.made_of

    def results(self, items: Iterable[Any]) -> Iterator[tuple[Any, str]]:
        for item in items:
            yield item, self._opened.work(item)


class _Pool:
    def __init__(self, pool: ProcessPoolExecutor, processes: int) -> None:
        self._pool, self._most = pool, processes * _AHEAD
        # One question each, so that all of them open at once.
        asked = [pool.submit(_made_of) for _ in range(processes)]
        self.made_of = _result(asked[0])

    def results(self, items: Iterable[Any]) -> Iterator[tuple[Any, str]]:
        waiting: deque[tuple[Any, Future[str]]] = deque()
        for item in items:
            waiting.append((item, self._pool.submit(_work, item)))
            if len(waiting) >= self._most:
                first, future = waiting.popleft()
                yield first, _result(future)
        for item, future in waiting:
            yield item, _result(future)


def _result(future: Future[str]) -> str:
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise WorkerDied(
            "一个处理进程意外终止（可能是内存不足）；再次运行同一命令会从停下处继续。"
            "A process ended unexpectedly, perhaps for want of memory: the same command goes on "
            "where it stopped."
        ) from error


def _begin(opening: Callable[[], Opened], first: Any) -> None:
    """In a new process: it ends with its parent, which alone answers a Ctrl-C."""
    global _opening
    _opening = opening
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if not first.acquire(block=False):
        logging.disable()  # all would say the same


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@cache
def _opened() -> Opened:
    return _opening()


def _made_of() -> str:
    return _opened().made_of


def _work(item: Any) -> str:
    return _opened().work(item)
