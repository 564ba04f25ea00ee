"""Vectors of the knowledge base, made behind the server while it already searches by words."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from knowledge.base import KnowledgeBase

logger = logging.getLogger("bedside.assistant.vectors")

State = Literal["none", "running", "ready", "failed"]
"""``none``: the base has no vectors and waits for none."""

STARTS = 3
"""How often the process is started: one that was killed goes on where it was."""
_SECONDS_BETWEEN = 2.0
_SECONDS_TO_END = 10.0


@dataclass(frozen=True, slots=True)
class VectorProgress:
    """How far they are: ``done`` of the ``total`` passages that are embedded in this run."""

    state: State
    done: int = 0
    total: int = 0
    problem: str = ""


class VectorBuilding:
    """Starts the process that makes them, follows it, and lets the base take what it made."""

    def __init__(self, base: KnowledgeBase | None, encoder: str) -> None:
        """``encoder``: its name in the settings."""
        self._base, self._encoder = base, encoder
        self._process: subprocess.Popen[str] | None = None
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()
        hybrid = base is not None and base.retrieval == "hybrid"
        self.progress = VectorProgress("ready" if hybrid else "none")

    def start(self) -> None:
        """Begin, if the base waits for vectors."""
        if self._base is not None and self._base.waits_for_vectors:
            self.progress = VectorProgress("running")
            self._thread = threading.Thread(
                target=self._run, args=(self._base,), name="bedside-vectors", daemon=True
            )
            self._thread.start()

    def close(self) -> None:
        """End the process; what it embedded is kept."""
        self._closing.set()
        if (process := self._process) is not None:
            process.kill()
        if self._thread is not None:
            self._thread.join(_SECONDS_TO_END)
        self._base = None

    def _run(self, base: KnowledgeBase) -> None:
        try:
            for _ in range(STARTS):
                self._follow(base)
                if self._closing.is_set() or self._taken(base):
                    return
                if self._closing.wait(_SECONDS_BETWEEN):
                    return
        except OSError as error:
            self._fail(f"{type(error).__name__}: {error.strerror}")
            return
        self._fail(self.progress.problem or "its process ended")

    def _follow(self, base: KnowledgeBase) -> None:
        command = (sys.executable, "-m", "knowledge.vector_worker", str(base.folder))
        self._process = process = subprocess.Popen(
            [*command, self._encoder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="ascii",
            # A Ctrl-C at the terminal is for the server to answer.
            start_new_session=True,
        )
        if self._closing.is_set():
            process.kill()
        assert process.stdout is not None
        with process:
            for line in process.stdout:
                with suppress(ValueError):  # half a line, of a process that was killed
                    self._read(json.loads(line))

    def _read(self, told: dict[str, object]) -> None:
        if "failed" in told:
            self.progress = VectorProgress("running", problem=str(told["failed"]))
        else:
            done, total = told["done"], told["total"]
            self.progress = VectorProgress("running", int(str(done)), int(str(total)))

    def _taken(self, base: KnowledgeBase) -> bool:
        taken = base.take_vectors()
        if taken:
            self.progress = VectorProgress("ready", self.progress.total, self.progress.total)
            logger.info("the vectors of the knowledge base are there: search is hybrid")
        return taken

    def _fail(self, problem: str) -> None:
        self.progress = VectorProgress("failed", problem=problem)
        logger.error("the vectors of the knowledge base are not made: %s", problem)
