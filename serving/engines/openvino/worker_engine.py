"""An `Engine` whose model runs in a process of its own (`serving.engines.openvino.worker`).

The process ends with this one, however this one ends: its input closes.  If it dies by itself, the
requests that it was at end with an error, and the next one starts it again.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from serving import tokenizer
from serving.engine import (
    Chunk,
    Engine,
    EngineError,
    ModelCard,
    Prompt,
    Sampling,
    TokenLogprob,
    ToolCall,
    Usage,
)
from serving.engines.inbox import Inbox
from serving.engines.line_process import Answer, LastingProcess, LineProcess
from serving.engines.openvino.engine import OpenVinoOptions


def _chunk_from_data(data: Mapping[str, Any]) -> Chunk:
    return Chunk(
        text=data["text"],
        token_ids=tuple(data["token_ids"]),
        finish_reason=data["finish_reason"],
        usage=Usage(**data["usage"]) if data["usage"] else None,
        logprobs=tuple(TokenLogprob(**entry) for entry in data["logprobs"]),
        reasoning=data["reasoning"],
        tool_calls=tuple(ToolCall(**call) for call in data["tool_calls"]),
    )


class WorkerEngine(Engine):
    """A prepared model folder, loaded in a process of its own."""

    def __init__(self, folder: Path, options: OpenVinoOptions | None = None) -> None:
        """Load the model (a few seconds).

        Raises:
            EngineUnavailable: the folder is no prepared model, or cannot be loaded.
        """
        chosen = json.dumps(asdict(options or OpenVinoOptions()))
        command = [sys.executable, "-m", "serving.engines.openvino.worker", str(folder), chosen]
        _, self._tokenizer = tokenizer.load(folder)
        self._numbers = itertools.count(1)
        self._process = LastingProcess(lambda: LineProcess(command))

    @property
    def card(self) -> ModelCard:
        """See `Engine.card`."""
        told = self._process.now.ready["card"]
        return ModelCard(**told | {"adapters": tuple(told["adapters"])})

    @property
    def pid(self) -> int:
        """The id of the model's process."""
        return self._process.now.pid

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
        process = await asyncio.to_thread(self._process.running)
        number = next(self._numbers)
        request = {
            "prompt": prompt if isinstance(prompt, str) else [asdict(m) for m in prompt],
            "sampling": asdict(sampling or Sampling()),
            "schema": schema,
        }

        def deliver(item: Answer | EngineError) -> None:
            inbox.deliver(
                item if isinstance(item, EngineError) else _chunk_from_data(item["chunk"])
            )

        stream = inbox.chunks(
            lambda: process.ask(number, request, deliver), lambda: process.cancel(number)
        )
        async with aclosing(stream):
            async for chunk in stream:
                yield chunk

    async def close(self) -> None:
        """See `Engine.close`."""
        await asyncio.to_thread(self._process.close)
