"""What reading bills gives: one draft for each document that stands on the pages."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from assistant.draft import Draft
from assistant.tasks.bill_ocr.document import BillDocument
from assistant.tasks.bill_ocr.page_line import PageLine


class BillReading(Draft):
    """One document as it was read and checked; nothing of it is confirmed by a person yet.

    ``number`` counts the documents of a request from 1; ``attachments`` are the ids of its pages,
    in the order of ``document.pages``.
    """

    kind: Literal["bill"] = "bill"
    document: BillDocument
    file: str = ""
    number: int = Field(default=1, ge=1)
    attachments: list[str] = Field(default_factory=list)
    lines: list[PageLine] = Field(default_factory=list)
    warnings: list[str] = Field(default_factory=list)
    seconds: float = 0.0

    def place(self) -> tuple[str, str]:
        return "read", str(self.number)

    def key(self) -> str:
        return str(self.number)

    def plain_text(self) -> str:
        """Fields and items as lines."""
        lines = [f"{name}：{cell.value}" for name, cell in self.document.fields.items()]
        rows = (" ".join(cell.value for cell in item.values()) for item in self.document.items)
        return "\n".join([*lines, *rows])
