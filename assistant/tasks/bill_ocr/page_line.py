"""What stands on the pages, line by line: for the archive, and for what layouts teach."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from assistant.record.evidence import Rectangle

if TYPE_CHECKING:
    from assistant.tasks.bill_ocr.page import ReadPage


class PageLine(BaseModel):
    """A line of print, with its box in the pixels of the picture that was given."""

    model_config = ConfigDict(frozen=True)

    text: str
    box: Rectangle
    page: int = 1
    confidence: float = Field(default=1.0, ge=0, le=1)


def page_lines(pages: Iterable[ReadPage]) -> list[PageLine]:
    """The lines of the pages, in reading order."""
    found = []
    for page in pages:
        for line in page.lines:
            corners = [page.to_original(x, y) for x, y in line.corners]
            left = max(0, round(min(x for x, _ in corners)))
            top = max(0, round(min(y for _, y in corners)))
            box = Rectangle(
                x=left,
                y=top,
                width=max(1, round(max(x for x, _ in corners)) - left),
                height=max(1, round(max(y for _, y in corners)) - top),
            )
            sure = min(1.0, max(0.0, line.confidence))
            found.append(PageLine(text=line.text, box=box, page=page.number, confidence=sure))
    return found
