"""What the page 后结构化 holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from assistant.store import RequestRow
from assistant.tasks.structuring.draft import StructuredNotes
from assistant.tasks.structuring.request import NotesToStructure
from assistant.tasks.structuring.task import Structuring
from assistant.tasks.structuring.ui.upload import Upload
from assistant.ui.earlier import Kind
from assistant.ui.session import PageState, Session, Work


@dataclass
class NotesWork(Work):
    """Notes to structure, and what they came to."""

    request: NotesToStructure | None = None

    @property
    def result(self) -> StructuredNotes | None:
        """What the notes came to; None before it is there."""
        made = (shown.draft for shown in self.shown.values())
        return next((draft for draft in made if isinstance(draft, StructuredNotes)), None)


@dataclass
class NotesState(PageState):
    """The notes in front, the files that were given, and earlier runs."""

    work: NotesWork = field(default_factory=NotesWork)
    uploads: list[Upload] = field(default_factory=list)
    refused_files: list[str] = field(default_factory=list)
    sample_notes: str = ""
    """The stay whose notes were taken last."""

    def works(self) -> Sequence[Work]:
        """The one request."""
        return (self.work,)


def here(session: Session) -> NotesState:
    """The page's part of the session."""
    return session.of(NotesState)


def _opened(row: RequestRow) -> NotesWork:
    return NotesWork(request=NotesToStructure.model_validate(row.payload))


KIND = Kind(Structuring.kind, _opened)
