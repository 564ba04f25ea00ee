"""What the workers ask of whoever does the work."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol

from assistant.draft import Draft
from assistant.store import DraftRow, RequestRow
from assistant.work.events import Event


class Work(Protocol):
    """See `assistant.work.performer.Performer`."""

    def bound(self, kind: str) -> bool:
        """Whether such a request is the record itself.  Raises `InvalidArgument` for no kind."""

    def needs_model(self, kind: str) -> bool:
        """Whether such a request waits for a model's place."""

    def prepares(self, kind: str) -> bool:
        """Whether something of it comes at once."""

    def draft(self, row: DraftRow) -> Draft:
        """A kept draft, typed."""

    def prepare(self, row: RequestRow) -> AsyncGenerator[Event]:
        """What comes at once."""

    def perform(self, row: RequestRow, *, prepared: bool = False) -> AsyncGenerator[Event]:
        """The work."""
