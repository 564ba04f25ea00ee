"""What a process has answered, told to the server, whose metrics count all."""

from __future__ import annotations

import asyncio
import json

from assistant.interop.hooks.processes.channel import COUNTS, Channel
from assistant.metrics import Metrics

EVERY_SECONDS = 1.0
MOST = 1_000
"""Answers in one message."""

Answer = tuple[str, str, int, float]
"""Method, path of the route, status, seconds."""


class Answered:
    """Takes the place of the metrics in a process of hooks."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._answers: list[Answer] = []
        self._waits: asyncio.TimerHandle | None = None

    def count(self, method: str, path: str, status: int, seconds: float) -> None:
        """One request was answered."""
        self._answers.append((method, path, status, seconds))
        if self._waits is None:
            self._waits = asyncio.get_running_loop().call_later(EVERY_SECONDS, self._tell)

    def _tell(self) -> None:
        self._waits = None
        answers, self._answers = self._answers, []
        for at in range(0, len(answers), MOST):
            self._channel.send(COUNTS, json.dumps(answers[at : at + MOST]).encode())


def add_to(metrics: Metrics, told: bytes) -> None:
    """Count what a process has told."""
    for method, path, status, seconds in json.loads(told):
        metrics.count(method, path, status, seconds)
