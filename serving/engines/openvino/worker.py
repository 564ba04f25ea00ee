"""The model's own process: an `OpenVinoEngine` behind two pipes.

GenAI's step keeps Python's global lock for as long as it computes, up to seconds while a prompt is
read.  In a process of its own that stops nobody else; a server in the same process would not even
answer a health check.  `serving.engines.openvino.worker_engine` is the other end.

Each line is one JSON object.  In: ``generate``, ``cancel``; the end of the input ends the process.
Out: ``ready`` or ``failed`` once, then chunks and errors by request number.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from contextlib import aclosing
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from serving.engine import EngineError, Message, Prompt, Sampling
from serving.engines.line_process import error_as_data
from serving.engines.openvino.engine import OpenVinoEngine, OpenVinoOptions
from serving.hardware import topology


class Worker:
    """Answers requests that come as lines until there are no more."""

    def __init__(self, engine: OpenVinoEngine, requests: TextIO, answers: TextIO) -> None:
        self._engine = engine
        self._requests = requests
        self._answers = answers
        self._tasks: dict[int, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Serve until the input ends."""
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()

        def read() -> None:
            for line in self._requests:
                loop.call_soon_threadsafe(self._take, json.loads(line))
            loop.call_soon_threadsafe(ended.set)

        threading.Thread(target=read, name="bedside-worker-input", daemon=True).start()
        await ended.wait()
        for task in self._tasks.values():
            task.cancel()
        await self._engine.close()

    def send(self, data: dict[str, Any]) -> None:
        """Write one line."""
        self._answers.write(json.dumps(data, ensure_ascii=True) + "\n")
        self._answers.flush()

    def _take(self, request: dict[str, Any]) -> None:
        number: int = request["id"]
        if request["op"] == "cancel":
            if task := self._tasks.get(number):
                task.cancel()
            return
        task = asyncio.get_running_loop().create_task(self._answer(number, request))
        self._tasks[number] = task
        task.add_done_callback(lambda _: self._tasks.pop(number, None))

    async def _answer(self, number: int, request: dict[str, Any]) -> None:
        given = request["prompt"]
        prompt: Prompt = given if isinstance(given, str) else [Message(**turn) for turn in given]
        sampling = Sampling(**request["sampling"] | {"stop": tuple(request["sampling"]["stop"])})
        try:
            stream = self._engine.generate(prompt, sampling, request["schema"])
            async with aclosing(stream):
                async for chunk in stream:
                    last = chunk.finish_reason is not None
                    self.send({"id": number, "chunk": asdict(chunk), "last": last})
        except EngineError as error:
            self.send({"id": number, "error": error_as_data(error)})


def main() -> None:
    """``python -m serving.engines.openvino.worker FOLDER OPTIONS`` with the pipes on file descriptors 0 and 1."""
    # Whatever a library prints must not get between the lines.
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)
    options = OpenVinoOptions(**json.loads(sys.argv[2]))
    topology.pin(options.cores)
    requests = os.fdopen(os.dup(0), "r", encoding="ascii")
    try:
        engine = OpenVinoEngine(Path(sys.argv[1]), options)
    except EngineError as error:
        print(json.dumps({"failed": error_as_data(error)}), file=answers, flush=True)
        return
    worker = Worker(engine, requests, answers)
    worker.send({"ready": {"card": asdict(engine.card)}})
    try:
        asyncio.run(worker.run())
    except (KeyboardInterrupt, BrokenPipeError):
        os._exit(0)


if __name__ == "__main__":
    main()
