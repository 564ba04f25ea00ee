"""What a job tells while it runs, each step a type of its own.

A task may tell more: a subclass of `Event` beside its work.  On the wire an event is its name and
its fields as JSON.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, SerializeAsAny

from assistant.draft import Draft


class Event(BaseModel):
    """One step of a job.  Events carry patient text and live in memory only."""

    model_config = ConfigDict(frozen=True)

    name: ClassVar[str]
    last: ClassVar[bool] = False
    """Whether nothing comes after it."""

    @property
    def data(self) -> dict[str, Any]:
        """The fields as JSON data."""
        return self.model_dump(mode="json")


class Waiting(Event):
    """The request stands in the queue behind others."""

    name: ClassVar[str] = "waiting"

    id: str
    place: int = Field(description="1 is next.")
    expected_seconds: float | None = Field(
        default=None, description="From how long such requests took of late; None: not known yet."
    )


class Started(Event):
    """The work has begun."""

    name: ClassVar[str] = "started"

    id: str
    kind: str


class Restarted(Started):
    """The work begins once more; what was told since it began counts no more."""

    name: ClassVar[str] = "restarted"


class Delta(Event):
    """Text as it is written, not checked yet."""

    name: ClassVar[str] = "delta"

    text: str
    section: str = ""


class DraftReady(Event):
    """A draft that is kept: its id beside its own fields."""

    name: ClassVar[str] = "draft"

    id: str
    draft: SerializeAsAny[Draft]

    @property
    def data(self) -> dict[str, Any]:
        """Flat, as the draft itself."""
        return {"id": self.id, **self.draft.model_dump(mode="json")}


class Finished(Event):
    """All is done."""

    name: ClassVar[str] = "finished"
    last: ClassVar[bool] = True

    id: str
    message: str = ""


class Failed(Finished):
    """It could not be done; ``message`` says why."""

    name: ClassVar[str] = "failed"


class Cancelled(Finished):
    """It was stopped."""

    name: ClassVar[str] = "cancelled"


ENDS: dict[str, type[Finished]] = {end.name: end for end in (Finished, Failed, Cancelled)}
"""The last event by the status of the request."""

COMMON: tuple[type[Event], ...] = (Waiting, Started, Restarted, Delta, Finished, Failed, Cancelled)
"""What the job of any task may tell beside its drafts."""
