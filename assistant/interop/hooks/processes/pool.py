"""The server's side: its processes of hooks, begun, handed their calls, and begun again."""

from __future__ import annotations

import asyncio
import atexit
import itertools
import logging
import multiprocessing
import os
from dataclasses import dataclass
from multiprocessing.process import BaseProcess

from assistant.interop.hooks.processes.answered import add_to
from assistant.interop.hooks.processes.channel import (
    COUNTS,
    READY,
    REQUEST,
    Channel,
    Closed,
    Message,
)
from assistant.interop.hooks.processes.connection import Door
from assistant.interop.hooks.processes.request_head import is_hook, share_of
from assistant.interop.hooks.processes.worker import run
from assistant.metrics import Metrics
from assistant.settings import Settings

logger = logging.getLogger("bedside.assistant.hooks")
AGAIN_SECONDS = 1.0
"""A process that was lost is begun again after this."""
END_SECONDS = 10.0


@dataclass
class _Process:
    share: int
    process: BaseProcess
    channel: Channel
    is_ready: bool = False


class Pool:
    """The processes of one server; ``door`` makes its connections.

    Until a process is ready, and while one is lost, the others and the server itself answer.
    """

    def __init__(self, settings: Settings, metrics: Metrics, *, warms: bool = True) -> None:
        """``warms``: a process reads the rules before it takes calls, not with the first."""
        self._settings = settings
        self._metrics = metrics
        self._warms = warms
        self._processes: dict[int, _Process] = {}
        self._turns = itertools.count()
        self._taking: set[asyncio.Task[None]] = set()
        self._is_closing = False
        self._failed = 0
        self.door = Door(self._hand_on)

    @property
    def ready(self) -> list[int]:
        """The ids of the processes that answer."""
        return [one.process.pid or 0 for one in self._processes.values() if one.is_ready]

    def start(self) -> None:
        """Begin all; they are ready some seconds later."""
        atexit.register(self._let_go)
        for share in range(self._settings.hooks.processes):
            self._begin(share)

    async def close(self) -> None:
        """End all behind what they are at."""
        for one in self._processes.values():
            one.channel.stop()
        self._let_go()
        atexit.unregister(self._let_go)
        for one in self._processes.values():
            await asyncio.to_thread(one.process.join, END_SECONDS)
            if one.process.is_alive():
                one.process.kill()
                await asyncio.to_thread(one.process.join)

    def _let_go(self) -> None:
        """Close the channels: the processes end by themselves."""
        self._is_closing = True
        for one in self._processes.values():
            one.channel.close()

    def _begin(self, share: int) -> None:
        if self._is_closing:
            return
        ours, theirs = Channel.pair()
        process = multiprocessing.get_context("spawn").Process(
            target=run,
            args=(theirs, self._settings, share, self._settings.hooks.processes, self._warms),
            name=f"hooks-{share + 1}",
        )
        process.start()
        theirs.close()
        one = self._processes[share] = _Process(share, process, Channel(ours))
        asyncio.get_running_loop().add_reader(one.channel.end, self._heard, one)

    def _hand_on(self, file: int, begun: bytes) -> bool:
        return bool(is_hook(begun)) and self._sent(file, begun)

    def _sent(self, file: int, begun: bytes) -> bool:
        """Whether the patient's process, or another, has it."""
        ready = [one for one in self._processes.values() if one.is_ready]
        if not ready:
            return False
        share = share_of(begun, self._settings.hooks.processes)
        own = next((one for one in ready if one.share == share), None)
        chosen = own or ready[next(self._turns) % len(ready)]
        return chosen.channel.send(REQUEST, begun, file)

    def _heard(self, one: _Process) -> None:
        try:
            for message in one.channel.received():
                if message.kind == READY:
                    one.is_ready, self._failed = True, 0
                    logger.info("process %d of the hooks is ready", one.share + 1)
                elif message.kind == COUNTS:
                    add_to(self._metrics, message.data)
                elif message.file is not None:
                    self._pass_on(message, message.file)
        except Closed:
            self._lost(one)

    def _pass_on(self, message: Message, file: int) -> None:
        if is_hook(message.data) and self._sent(file, message.data):
            os.close(file)
            return
        task = asyncio.create_task(self.door.take(file, message.data))
        self._taking.add(task)
        task.add_done_callback(self._taking.discard)

    def _lost(self, one: _Process) -> None:
        one.channel.stop()
        one.channel.close()
        # One that ends before it is ready would use a processor for nothing but beginning.
        self._failed += not one.is_ready
        one.is_ready = False
        logger.error("process %d of the hooks has ended; another is begun", one.share + 1)
        for message in one.channel.waiting:
            if message.file is not None:
                self._pass_on(message, message.file)
        wait = AGAIN_SECONDS * 2 ** min(self._failed, 6)
        asyncio.get_running_loop().call_later(wait, self._begin, one.share)
