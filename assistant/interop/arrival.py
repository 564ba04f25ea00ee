"""What a message or a notification brought, handed to whoever starts work on it.

Who takes it is found by name, so that reading messages does not depend on what is done with them:
`assistant.interop.events` has a function ``arrive`` where record events are installed.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Literal, Protocol

from assistant.record.encounter import Encounter

logger = logging.getLogger("bedside.assistant.interop")
_TAKER = "assistant.interop.events"

ArrivalKind = Literal[
    "encounter.start", "encounter.changed", "encounter.discharge", "note.saved", "result.final"
]


@dataclass(frozen=True, slots=True)
class Arrival:
    """One record event.

    ``message_id`` is the same whenever the same message is handed on again, so that its taker can
    do the work once.  ``encounter`` is the stay as all kept messages have it; ``at`` when the
    sender says that it happened.  ``source`` names the application that sent it.
    """

    kind: ArrivalKind
    message_id: str
    patient_id: str
    encounter_id: str
    at: datetime | None
    source: str
    encounter: Encounter


class Taker(Protocol):
    """Takes an event; when it returns, the event is on the disk."""

    def __call__(self, arrival: Arrival) -> None:
        """Raises what it likes: the event is then handed on again."""


def taker() -> Taker | None:
    """What takes record events in this installation; None where nothing does."""
    try:
        found: Taker | None = getattr(import_module(_TAKER), "arrive", None)
    except ModuleNotFoundError as error:
        if error.name is not None and not _TAKER.startswith(error.name):
            raise
        return None
    return found
