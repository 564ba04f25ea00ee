"""票据识别: pages of bills and laboratory sheets in, checked data out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, Field

from assistant.tasks.bill_ocr.document import BillDocument
from assistant.tasks.bill_ocr.draft import BillReading
from assistant.tasks.bill_ocr.request import BillToRead
from assistant.work.events import Event
from assistant.work.task import Command, Refused, Run, Submission, Task, Title

if TYPE_CHECKING:
    from assistant.settings import Settings


class BillResult(BaseModel):
    """The documents that stand on the pages, in their order."""

    documents: list[BillDocument] = Field(default_factory=list)


class BillOcr(Task[BillToRead, BillReading]):
    """No language model has a part in it: what is on the page is read, and what is read is
    reckoned."""

    kind = "bill"
    title = Title("票据识别", "Bills")
    path = "bills"
    order = 40
    request = BillToRead
    draft = BillReading
    bound = False
    needs_model = False
    reviewed = False
    extras = BillResult
    page = "assistant.tasks.bill_ocr.ui.page:PAGE"
    routes = "assistant.tasks.bill_ocr.routes:add"
    joins = "assistant.tasks.bill_ocr.joining:joined"
    evaluation = "bedside eval bills"
    tool = (
        "Fields, items and checks of photographed bills, itemised lists, prescriptions and "
        "laboratory sheets, each value with its box on the page"
    )
    command = Command(
        "bill",
        "assistant.tasks.bill_ocr.command:bill",
        "Fields, items and checks of bills and laboratory sheets; a photo, a PDF or a folder.",
        "Example: bedside bill photo.jpg --json",
    )
    examples: ClassVar[Mapping[str, Any]] = {
        "one page": {
            "patient_id": "pat-0003",
            "attachments": [
                {
                    "kind": "page_image",
                    "id": "0198f0c2-0000-7000-8000-000000000001",
                    "media_type": "image/jpeg",
                    "sha256": "0" * 64,
                    "page": 1,
                    "width": 1654,
                    "height": 2339,
                }
            ],
        }
    }

    def accept(self, body: Any, settings: Settings) -> Submission:
        """The pages, each once.  Raises `Refused`."""
        request: BillToRead = body
        if len({page.id for page in request.attachments}) < len(request.attachments):
            raise Refused("同一页给了两次。(A page is named twice.)")
        return super().accept(body, settings)

    async def run(self, request: BillToRead, run: Run) -> AsyncIterator[Event | BillReading]:
        """One draft a document."""
        from assistant.tasks.bill_ocr.run import readings

        if not run.kept:
            for reading in await readings(request, run.resources):
                yield reading

    def more(self, request: BillToRead, drafts: Sequence[BillReading]) -> BaseModel:
        """The documents themselves."""
        return BillResult(documents=[draft.document for draft in drafts])

    def position(self, draft: BillReading) -> int:
        """In the order of the pages."""
        return draft.number
