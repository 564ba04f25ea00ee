"""Saved notes are read in a process of their own, behind everything else that the machine does.

Reading a whole stay takes some 200 ms of Python: in the server's process that is 200 ms in which
every hook waits for the interpreter.  The process begins with the first note, is one for all
applications of the server's process, and ends with it, however that ends: its pipe closes.
Questions and answers are JSON.
"""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.alerts.alert import Alert
    from assistant.record.encounter import Encounter

logger = logging.getLogger("bedside.assistant.hooks")
_LAST = 19
"""The lowest priority (`nice`)."""


class NoteProcess:
    """The process, begun when it is first asked and again where it was lost."""

    def __init__(self) -> None:
        self._asking = threading.Lock()
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None

    def ask(
        self, places: Sequence[str], encounter: Encounter, note_id: str, home: Path
    ) -> list[Alert]:
        """What the functions at ``places`` (`Task.at_save`) say of the note, one after the other.

        Raises:
            EOFError: the process was ended from outside; the next question begins another.
        """
        from assistant.alerts.alert import Alert

        question = {
            "places": list(places),
            "encounter": encounter.model_dump(mode="json"),
            "note_id": note_id,
            "home": str(home),
        }
        with self._asking:
            pipe = self._running()
            try:
                pipe.send_bytes(json.dumps(question, ensure_ascii=False).encode())
                answer = json.loads(pipe.recv_bytes())
            except (OSError, EOFError) as error:
                self._end()
                raise EOFError("the process that reads saved notes has ended") from error
        for kind, name in answer["failed"]:
            logger.error("%s said nothing of a note: %s", kind, name)
        return [Alert.model_validate(one) for one in answer["alerts"]]

    def _running(self) -> Connection:
        if self._pipe is None or self._process is None or not self._process.is_alive():
            self._end()
            spawning = multiprocessing.get_context("spawn")
            self._pipe, theirs = spawning.Pipe()
            self._process = spawning.Process(target=_serve, args=(theirs,), daemon=True)
            self._process.start()
            theirs.close()
        return self._pipe

    def _end(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
        if self._process is not None:
            self._process.kill()
            self._process.join()
        self._pipe = self._process = None


NOTE_PROCESS = NoteProcess()


def _serve(pipe: Connection) -> None:
    """Answer until the other end closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A process of hooks ignores it and would pass that on; at its end it is how this one is ended.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if sys.platform != "win32":
        os.nice(_LAST)
    with suppress(EOFError, OSError):
        while True:
            pipe.send_bytes(_answer(pipe.recv_bytes()))


def _answer(question: bytes) -> bytes:
    from assistant.record.encounter import Encounter
    from assistant.work.task import load as load_place

    asked = json.loads(question)
    encounter = Encounter.model_validate(asked["encounter"])
    alerts, failed = [], []
    for place in asked["places"]:
        try:
            found = load_place(place)(encounter, asked["note_id"], Path(asked["home"]))
        except Exception as error:
            # One task that fails takes no card away.
            failed.append([place, type(error).__name__])
        else:
            alerts += [one.model_dump(mode="json") for one in found]
    return json.dumps({"alerts": alerts, "failed": failed}, ensure_ascii=False).encode()
