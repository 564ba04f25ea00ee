"""What tasks say of a note that is saved, worked on beside the hooks.

Reading a whole stay for it takes a hundred times what the rules take.  So it has one thread, which
waits for a process of its own (`note_process`); of a note that is saved again the last save counts;
where more is saved than can be read, the newest are.  What comes too late for its own card waits
for the next hook of the stay.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from assistant.alerts.alert import Alert

logger = logging.getLogger("bedside.assistant.hooks")
MOST_WAITING = 64
"""Notes that wait to be read; of more the oldest are left out."""
MOST_LATE = 512
"""Stays for which something waits for the next hook."""

Stay = tuple[str, str]
"""(patient id, encounter id)"""


@dataclass(frozen=True, slots=True)
class _Asked:
    stay: Stay
    work: Callable[[], list[Alert]]
    answer: Future[list[Alert]]


class SavedNotes:
    """The notes of one application that are saved."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[tuple[Stay, str], _Asked] = OrderedDict()
        self._late: OrderedDict[Stay, list[Alert]] = OrderedDict()
        self._change = threading.Condition()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def ask(self, stay: Stay, note_id: str, work: Callable[[], list[Alert]]) -> Future[list[Alert]]:
        """What ``work`` gives of the note as it is saved now; nothing where a newer save of it, or
        too many of others, came before it was read."""
        asked = _Asked(stay, work, Future())
        with self._change:
            self._late.pop(stay, None)
            left_out = [self._waiting.pop((stay, note_id), None)]
            self._waiting[stay, note_id] = asked
            while len(self._waiting) > MOST_WAITING:
                left_out.append(self._waiting.popitem(last=False)[1])
                logger.warning("more notes are saved than can be read; the oldest is left out")
            if self._thread is None and not self._closed.is_set():
                self._thread = threading.Thread(target=self._run, name="saved-notes", daemon=True)
                self._thread.start()
            self._change.notify()
        for one in left_out:
            if one is not None:
                one.answer.set_result([])
        return asked.answer

    def keep_late(self, stay: Stay, answer: Future[list[Alert]]) -> None:
        """Have the answer wait for the next hook of the stay."""
        answer.add_done_callback(lambda done: self._came_late(stay, done.result()))

    def late(self, stay: Stay) -> Sequence[Alert]:
        """What came too late for its own card, once."""
        with self._change:
            return self._late.pop(stay, [])

    def give_back(self, stay: Stay, alerts: Sequence[Alert]) -> None:
        """Have what `late` gave wait on: it was not shown."""
        with self._change:
            if alerts and stay not in self._late:
                self._late[stay] = list(alerts)

    def close(self) -> None:
        """End the thread behind what it is at."""
        self._closed.set()
        with self._change:
            waiting = list(self._waiting.values())
            self._waiting.clear()
            self._change.notify_all()
        for one in waiting:
            one.answer.set_result([])

    def _came_late(self, stay: Stay, alerts: list[Alert]) -> None:
        with self._change:
            if alerts:
                self._late[stay] = alerts
                while len(self._late) > MOST_LATE:
                    self._late.popitem(last=False)

    def _run(self) -> None:
        while (asked := self._next()) is not None:
            try:
                found = asked.work()
            except Exception as error:
                logger.error("a saved note was not read: %s", type(error).__name__)
                found = []
            asked.answer.set_result(found)

    def _next(self) -> _Asked | None:
        """The newest save that waits; None at the end."""
        with self._change:
            while not self._waiting and not self._closed.is_set():
                self._change.wait()
            return None if self._closed.is_set() else self._waiting.popitem()[1]
