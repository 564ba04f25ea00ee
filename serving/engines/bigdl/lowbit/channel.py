"""Lines of JSON from and to the server, on what were standard input and output."""

from __future__ import annotations

import json
import os
import queue
import threading
from typing import Any


class Channel:
    """Requests are read on a thread of their own, so that a cancellation is known at once."""

    def __init__(self) -> None:
        """Take over file descriptors 0 and 1."""
        # Whatever a library prints must not get between the lines.
        self._answers = os.fdopen(os.dup(1), "w", encoding="ascii")
        os.dup2(2, 1)
        self._requests = os.fdopen(os.dup(0), "r", encoding="ascii")
        self._arrived: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._cancelled: set[int] = set()
        threading.Thread(target=self._read, name="lowbit-input", daemon=True).start()

    def take(self, wait: bool) -> dict[str, Any] | None:
        """The next request; None where there is none and ``wait`` is false."""
        try:
            return self._arrived.get(block=wait)
        except queue.Empty:
            return None

    def send(self, data: dict[str, Any]) -> None:
        """Write one line.  The process ends where nobody reads it any more."""
        try:
            self._answers.write(json.dumps(data, ensure_ascii=True) + "\n")
            self._answers.flush()
        except OSError:
            os._exit(0)

    def cancelled(self, number: int) -> bool:
        """Whether nobody waits for this request any more."""
        return number in self._cancelled

    def forget(self, number: int) -> None:
        """A request has ended; its number does not come again."""
        self._cancelled.discard(number)

    def _read(self) -> None:
        for line in self._requests:
            request: dict[str, Any] = json.loads(line)
            if request["op"] == "cancel":
                self._cancelled.add(request["id"])
            else:
                self._arrived.put(request)
        # The server has closed its end, or is gone: there is nothing here that is worth saving.
        os._exit(0)
