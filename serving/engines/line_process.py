"""A child process that speaks JSON, one object a line, over two pipes.

The child writes ``ready`` or ``failed`` once, before that any number of ``progress`` lines, then
answers that carry the number of the request which they belong to; ``last`` marks a request's final
one, ``error`` one that failed.  It ends with this process, however this one ends: its input closes.
"""

from __future__ import annotations

import json
import logging
import queue
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from serving.engine import (
    EngineBusy,
    EngineError,
    EngineLost,
    EngineUnavailable,
    PromptTooLong,
    UnsupportedOption,
)

_log = logging.getLogger("bedside.serving.line_process")
_DIED = "The model's process ended while it was answering; send the request again."
_MOST_STARTS = 3
_WITHIN_SECONDS = 600.0
_SECONDS_TO_END = 20.0

Answer = Mapping[str, Any]
Deliver = Callable[[Answer | EngineError], None]


def error_as_data(error: EngineError) -> dict[str, Any]:
    """What `error_from_data` makes the same error from."""
    data: dict[str, Any] = {"kind": type(error).__name__, "message": str(error)}
    if isinstance(error, EngineBusy):
        data["retry_after"] = error.retry_after
    elif isinstance(error, PromptTooLong):
        data |= {"tokens": error.tokens, "limit": error.limit}
    return data


def error_from_data(data: Mapping[str, Any]) -> EngineError:
    """The error that the child met."""
    if data["kind"] == "EngineBusy":
        return EngineBusy(data["retry_after"])
    if data["kind"] == "PromptTooLong":
        return PromptTooLong(data["tokens"], data["limit"])
    kinds: dict[str, type[EngineError]] = {
        kind.__name__: kind for kind in (EngineUnavailable, UnsupportedOption)
    }
    return kinds.get(data["kind"], EngineError)(data["message"])


class LineProcess:
    """One life of the child."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        greeting: Mapping[str, Any] | None = None,
        progress: Callable[[Mapping[str, Any]], None] | None = None,
    ) -> None:
        """Start it and wait until it is ready.

        ``greeting`` is the first line that it gets; ``progress`` is told what its ``progress``
        lines carry.

        Raises:
            EngineUnavailable: it failed, and said why, or it died.
        """
        try:
            self._process = subprocess.Popen(
                [*command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                encoding="ascii",
                env=dict(environment) if environment is not None else None,
                cwd=folder,
                # A Ctrl-C at the terminal is for this process to answer, not for its child.
                start_new_session=True,
            )
        except OSError as error:
            raise EngineUnavailable(f"{command[0]} cannot be started: {error.strerror}.") from error
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input, self._output = self._process.stdin, self._process.stdout
        self._unsent: queue.SimpleQueue[Mapping[str, Any] | None] = queue.SimpleQueue()
        self._waiting: dict[int, Deliver] = {}
        self.alive = True
        # Nobody who asks or cancels waits for a child that does not read just now.
        threading.Thread(target=self._write, name="bedside-worker-input", daemon=True).start()
        if greeting is not None:
            self._unsent.put(greeting)
        self.ready = self._await_ready(progress or (lambda told: None))
        threading.Thread(target=self._read, name="bedside-worker-output", daemon=True).start()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def ask(self, number: int, request: Mapping[str, Any], deliver: Deliver) -> None:
        """Send a request whose answers, or error, go to ``deliver``."""
        self._waiting[number] = deliver
        self._unsent.put({"op": "generate", "id": number, **request})
        if not self.alive and self._waiting.pop(number, None) is not None:
            deliver(EngineLost(_DIED))

    def cancel(self, number: int) -> None:
        """Forget a request; its place is free at once."""
        if self._waiting.pop(number, None) is not None:
            self._unsent.put({"op": "cancel", "id": number})

    def close(self) -> None:
        """End the process and wait for it."""
        self._unsent.put(None)
        try:
            self._process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _await_ready(self, progress: Callable[[Mapping[str, Any]], None]) -> Mapping[str, Any]:
        try:
            for line in self._output:
                message: dict[str, Any] = json.loads(line)
                if "ready" in message:
                    ready: dict[str, Any] = message["ready"]
                    return ready
                if "failed" in message:
                    self._process.wait()
                    raise EngineUnavailable(message["failed"]["message"])
                progress(message.get("progress") or {})
        except BaseException:
            self._unsent.put(None)
            self._process.kill()
            self._process.wait()
            raise
        self._unsent.put(None)
        status = self._process.wait()
        raise ProcessDied(f"The model's process ended while loading (status {status}).")

    def _write(self) -> None:
        """What is put into the queue, until it ends or the child is gone; then closes the pipe."""
        with suppress(OSError, ValueError):
            while (data := self._unsent.get()) is not None:
                self._input.write(json.dumps(data, ensure_ascii=True) + "\n")
                self._input.flush()
        with suppress(OSError, ValueError):
            self._input.close()

    def _read(self) -> None:
        try:
            for line in self._output:
                self._take(json.loads(line))
        except ValueError:
            # A process that is killed may leave half a line.
            self._process.kill()
        finally:
            self.alive = False
            self._unsent.put(None)
            for number in list(self._waiting):
                if deliver := self._waiting.pop(number, None):
                    deliver(EngineLost(_DIED))

    def _take(self, answer: Answer) -> None:
        number: int = answer["id"]
        last = "error" in answer or answer.get("last", False)
        found = self._waiting.pop(number, None) if last else self._waiting.get(number)
        if found is not None:
            found(error_from_data(answer["error"]) if "error" in answer else answer)


class ProcessDied(EngineUnavailable):
    """The child ended before it was ready, without a word."""


class LastingProcess:
    """A `LineProcess` that is started again when it has died, a few times within minutes."""

    def __init__(self, start: Callable[[], LineProcess]) -> None:
        """Start it.  Raises what ``start`` raises."""
        self._make = start
        self._starting = threading.Lock()
        self._starts: deque[float] = deque(maxlen=_MOST_STARTS)
        self._closed = False
        self._process = self._start()

    @property
    def now(self) -> LineProcess:
        """The process as it is, dead or alive."""
        return self._process

    def running(self) -> LineProcess:
        """The process, started again if it has died.

        Raises:
            EngineUnavailable: it is closed, or dies again and again.
        """
        with self._starting:
            if self._closed:
                raise EngineUnavailable("The model has been unloaded.")
            if not self._process.alive:
                _log.error("the model's process has died; it is started again")
                self._process.close()
                self._process = self._start()
            return self._process

    def close(self) -> None:
        """End it for good."""
        self._closed = True
        self._process.close()

    def _start(self) -> LineProcess:
        full = len(self._starts) == _MOST_STARTS
        if full and time.monotonic() - self._starts[0] < _WITHIN_SECONDS:
            raise EngineUnavailable(
                f"The model's process has died {_MOST_STARTS} times within minutes; "
                "see the server's log, then restart the server."
            )
        self._starts.append(time.monotonic())
        return self._make()
