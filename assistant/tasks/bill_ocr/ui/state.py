"""What the page 票据识别 holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from assistant.record.attachment import PageImage
from assistant.store import Context
from assistant.tasks.bill_ocr.corrections import Bill
from assistant.tasks.bill_ocr.draft import BillReading
from assistant.tasks.bill_ocr.routes import ArchivedBill
from assistant.ui.session import PageState, Session, Work


@dataclass
class BillState(PageState):
    """Pages that wait, the request, the bills in front and the one that is shown."""

    work: Work = field(default_factory=Work)
    context: Context | None = None
    pages: list[PageImage] = field(default_factory=list)
    file: str = ""
    refused: list[str] = field(default_factory=list)
    bills: list[str] = field(default_factory=list)
    at: int = 0
    bill: Bill | None = None
    problem: str = ""
    said: str = ""
    found: list[ArchivedBill] | None = None
    archive_problem: str = ""

    def works(self) -> Sequence[Work]:
        """The one request."""
        return (self.work,)

    def read(self) -> list[str]:
        """The ids of what was read, in the order of the pages."""
        shown = [s for s in self.work.shown.values() if isinstance(s.draft, BillReading)]
        shown.sort(key=lambda s: s.draft.number if isinstance(s.draft, BillReading) else 0)
        return [one.draft_id for one in shown]


def here(session: Session) -> BillState:
    """The page's part of the session."""
    return session.of(BillState)
