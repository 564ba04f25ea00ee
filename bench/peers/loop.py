"""What every measured process does: read a JSON line, run it, answer with a JSON line.

A runner imports only what its own environment holds, so this module keeps to the standard library.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol


class Runner(Protocol):
    """A model in one process, greedy, one sequence.  Answers are what JSON can hold."""

    def load(self, path: str, **options: Any) -> dict[str, Any]:
        """Load the model.

        Answers ``weight_bytes``, the bytes of weights that one token reads, and
        ``cache_element_bytes``, the size of a number in the key-value cache.
        """

    def prompt(self, ids: list[int], new_tokens: int) -> dict[str, Any]:
        """Read a prompt and choose a token: ``seconds`` and ``tokens``.

        ``new_tokens``: the most that will be asked for, this one included.
        """

    def decode(self, count: int) -> dict[str, Any]:
        """Choose ``count`` more tokens: ``seconds`` in all, ``times`` of each, ``tokens``."""


def memory() -> dict[str, int]:
    """Resident bytes of this process, now and at its highest; ``anonymous`` leaves files out."""
    text = Path("/proc/self/status").read_text()
    found = {key: int(value) << 10 for key, value in re.findall(r"(\w+):\s+(\d+) kB", text)}
    return {
        "resident": found["VmRSS"],
        "anonymous": found["RssAnon"],
        "peak_resident": found["VmHWM"],
    }


def timed(step: Callable[[], int], count: int) -> dict[str, Any]:
    """Call ``step``, which gives a token, ``count`` times."""
    begin = last = time.perf_counter()
    times, tokens = [], []
    for _ in range(count):
        tokens.append(step())
        now = time.perf_counter()
        times.append(now - last)
        last = now
    return {"seconds": last - begin, "times": times, "tokens": tokens}


def serve(runner: Any) -> None:
    """Answer requests until the other side closes the pipe.

    Standard output is kept for the answers: what a library prints goes to standard error.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(runner, request.pop("do"))(**request) | memory()
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
