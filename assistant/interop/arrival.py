"""What a message or a notification brought, handed to whoever starts work on it.

Who takes it is found by name, so that reading messages does not depend on what is done with them:
`assistant.interop.events.arriving` has ``arrive(arrival, *, settings, store)``, which makes record
events of them.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from importlib import import_module
from typing import Literal, Protocol

from assistant.record.encounter import Encounter
from assistant.record.note import Note
from assistant.settings import Settings
from assistant.store import Store

logger = logging.getLogger("bedside.assistant.interop")
_TAKER = "assistant.interop.events.arriving"

ArrivalKind = Literal[
    "encounter.start", "encounter.changed", "encounter.discharge", "note.saved", "result.final"
]


@dataclass(frozen=True, slots=True)
class Arrival:
    """One record event.

    ``message_id`` is the same whenever the same message is handed on again, so that its taker can
    do the work once.  ``encounter`` is the stay as all kept messages have it; ``at`` when the
    sender says that it happened.  ``source`` names the application that sent it; ``note`` is the
    one that was saved.
    """

    kind: ArrivalKind
    message_id: str
    patient_id: str
    encounter_id: str
    at: datetime | None
    source: str
    encounter: Encounter
    note: Note | None = None


class Taker(Protocol):
    """Takes an event; when it returns, the event is on the disk."""

    def __call__(self, arrival: Arrival) -> None:
        """Raises what it likes: the event is then handed on again."""


def taker(settings: Settings, store: Store) -> Taker | None:
    """What takes record events in this installation; None where nothing does."""
    try:
        found = getattr(import_module(_TAKER), "arrive", None)
    except ModuleNotFoundError as error:
        if error.name is not None and not _TAKER.startswith(error.name):
            raise
        return None
    return None if found is None else partial(found, settings=settings, store=store)
