"""An `Engine` whose model runs in a process of its own (`serving.worker`).

The process ends with this one, however this one ends: its input closes.  If it dies by itself, the
requests that it was at end with an error, and the next one starts it again.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from serving import tokenizer
from serving.engine import (
    Chunk,
    Engine,
    EngineBusy,
    EngineError,
    EngineUnavailable,
    ModelCard,
    Prompt,
    PromptTooLong,
    Sampling,
    TokenLogprob,
    UnsupportedOption,
    Usage,
)
from serving.inbox import Inbox
from serving.openvino_engine import OpenVinoOptions

_log = logging.getLogger("bedside.serving.worker_engine")
_DIED = "The model's process ended while it was answering; send the request again."
_MOST_STARTS = 3
_WITHIN_SECONDS = 600.0

Deliver = Callable[[Chunk | EngineError], None]


def error_from_data(data: Mapping[str, Any]) -> EngineError:
    """The error that the worker met."""
    if data["kind"] == "EngineBusy":
        return EngineBusy(data["retry_after"])
    if data["kind"] == "PromptTooLong":
        return PromptTooLong(data["tokens"], data["limit"])
    kinds: dict[str, type[EngineError]] = {
        kind.__name__: kind for kind in (EngineUnavailable, UnsupportedOption)
    }
    return kinds.get(data["kind"], EngineError)(data["message"])


def _chunk_from_data(data: Mapping[str, Any]) -> Chunk:
    return Chunk(
        text=data["text"],
        token_ids=tuple(data["token_ids"]),
        finish_reason=data["finish_reason"],
        usage=Usage(**data["usage"]) if data["usage"] else None,
        logprobs=tuple(TokenLogprob(**entry) for entry in data["logprobs"]),
    )


class _Process:
    """One life of the worker."""

    def __init__(self, folder: Path, options: OpenVinoOptions) -> None:
        """Start it and wait until the model is loaded.  Raises EngineUnavailable."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "serving.worker", str(folder), json.dumps(asdict(options))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="ascii",
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input, self._output = self._process.stdin, self._process.stdout
        self._writing = threading.Lock()
        self._waiting: dict[int, Deliver] = {}
        self.alive = True
        first = self._output.readline()
        told: dict[str, Any] = json.loads(first) if first else {"failed": {"message": ""}}
        if "failed" in told:
            self._process.wait()
            message = told["failed"]["message"] or "The model's process ended while loading."
            raise EngineUnavailable(message)
        self.card = ModelCard(**told["ready"]["card"])
        threading.Thread(target=self._read, name="bedside-worker-output", daemon=True).start()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def ask(self, number: int, request: Mapping[str, Any], deliver: Deliver) -> None:
        """Send a request whose chunks and error go to ``deliver``."""
        self._waiting[number] = deliver
        self._send({"op": "generate", "id": number, **request})
        if not self.alive and self._waiting.pop(number, None) is not None:
            deliver(EngineError(_DIED))

    def cancel(self, number: int) -> None:
        """Forget a request; its place is free at once."""
        if self._waiting.pop(number, None) is not None:
            self._send({"op": "cancel", "id": number})

    def close(self) -> None:
        """End the process and wait for it."""
        with suppress(OSError):
            self._input.close()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _send(self, data: Mapping[str, Any]) -> None:
        with suppress(OSError, ValueError), self._writing:
            self._input.write(json.dumps(data, ensure_ascii=True) + "\n")
            self._input.flush()

    def _read(self) -> None:
        for line in self._output:
            answer = json.loads(line)
            number: int = answer["id"]
            if "error" in answer:
                if deliver := self._waiting.pop(number, None):
                    deliver(error_from_data(answer["error"]))
                continue
            chunk = _chunk_from_data(answer["chunk"])
            last = chunk.finish_reason is not None
            found = self._waiting.pop(number, None) if last else self._waiting.get(number)
            if found is not None:
                found(chunk)
        self.alive = False
        for number in list(self._waiting):
            if deliver := self._waiting.pop(number, None):
                deliver(EngineError(_DIED))


class WorkerEngine(Engine):
    """A prepared model folder, loaded in a process of its own."""

    def __init__(self, folder: Path, options: OpenVinoOptions | None = None) -> None:
        """Load the model (a few seconds).

        Raises:
            EngineUnavailable: the folder is no prepared model, or cannot be loaded.
        """
        self._folder = folder
        self._options = options or OpenVinoOptions()
        _, self._tokenizer = tokenizer.load(folder)
        self._numbers = itertools.count(1)
        self._starting = threading.Lock()
        self._starts: deque[float] = deque(maxlen=_MOST_STARTS)
        self._closed = False
        self._process = self._start()

    @property
    def card(self) -> ModelCard:
        """See `Engine.card`."""
        return self._process.card

    @property
    def pid(self) -> int:
        """The id of the model's process."""
        return self._process.pid

    def count_tokens(self, text: str) -> int:
        """See `Engine.count_tokens`."""
        return int(tokenizer.encode(self._tokenizer, text).get_shape()[1])

    async def generate(
        self,
        prompt: Prompt,
        sampling: Sampling | None = None,
        schema: Mapping[str, Any] | None = None,
    ) -> AsyncGenerator[Chunk]:
        """See `Engine.generate`."""
        inbox = Inbox()
        process = await asyncio.to_thread(self._running)
        number = next(self._numbers)
        request = {
            "prompt": prompt if isinstance(prompt, str) else [asdict(m) for m in prompt],
            "sampling": asdict(sampling or Sampling()),
            "schema": schema,
        }
        stream = inbox.chunks(
            lambda: process.ask(number, request, inbox.deliver), lambda: process.cancel(number)
        )
        async with aclosing(stream):
            async for chunk in stream:
                yield chunk

    async def close(self) -> None:
        """See `Engine.close`."""
        self._closed = True
        await asyncio.to_thread(self._process.close)

    def _running(self) -> _Process:
        """The process, started again if it has died."""
        with self._starting:
            if self._closed:
                raise EngineUnavailable("The model has been unloaded.")
            if not self._process.alive:
                _log.error("the model's process has died; it is started again")
                self._process.close()
                self._process = self._start()
            return self._process

    def _start(self) -> _Process:
        full = len(self._starts) == _MOST_STARTS
        if full and time.monotonic() - self._starts[0] < _WITHIN_SECONDS:
            raise EngineUnavailable(
                f"The model's process has died {_MOST_STARTS} times within minutes; "
                "see the server's log, then restart the server."
            )
        self._starts.append(time.monotonic())
        return _Process(self._folder, self._options)
