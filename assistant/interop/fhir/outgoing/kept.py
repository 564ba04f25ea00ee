"""A kept draft as it stands now: what it says, and what doctors did with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from assistant.draft import Draft, Statement
from assistant.record.fields import ZONE
from assistant.review.fill_in import Resolution
from assistant.store import DraftRow


@dataclass(frozen=True)
class Kept:
    """A draft with its decisions.

    ``title`` is the task's; ``server`` the base of the hospital's FHIR server, whose patients the
    ids are of, "" where there is none.
    """

    row: DraftRow
    draft: Draft
    title: str
    resolutions: Mapping[str, Resolution] = field(default_factory=dict)
    server: str = ""

    @property
    def is_signed(self) -> bool:
        """Whether a doctor has signed a text made from it."""
        return self.row.signed_at is not None

    @property
    def is_accepted(self) -> bool:
        """Whether a doctor has filled it in."""
        return self.row.accepted_at is not None

    def text_of(self, statement: Statement) -> str:
        """The statement's words now; "" where a doctor deleted it."""
        resolution = self.resolutions.get(statement.id)
        if resolution is None or resolution.action in ("confirmed", "restored"):
            return statement.text
        if resolution.action == "deleted":
            return ""
        return resolution.text or ""

    def answered_for(self, statement: Statement) -> bool:
        """Whether a doctor has confirmed or edited it."""
        resolution = self.resolutions.get(statement.id)
        return resolution is not None and resolution.action in ("confirmed", "edited")

    @property
    def last_changed(self) -> datetime:
        """When it was last signed, filled in, or made."""
        row = self.row
        return row.signed_at or row.accepted_at or row.created_at


def instant(at: datetime) -> str:
    """A time as FHIR's instant, in the hospital's zone."""
    return at.astimezone(ZONE).isoformat(timespec="seconds")
