"""Opened pages with their lines and codes: what structure is read from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from assistant.tasks.bill_ocr.fragment import ToOriginal
from serving.ocr.line import TextLine


def same_place(x: float, y: float) -> tuple[float, float]:
    """For a picture that was not turned."""
    return x, y


@dataclass(frozen=True, slots=True)
class ReadPage:
    """The lines of one page, in the pixels of the upright picture, and the way back."""

    number: int
    lines: Sequence[TextLine]
    to_original: ToOriginal = same_place
    codes: Sequence[str] = ()
    warnings: Sequence[str] = ()
    likeness: str = ""
    name: str = field(default="", compare=False)


Tell = Callable[[int, int], None]


def opened_pages(
    content: Path | bytes, name: str = "", *, number: int = 1, threads: int = 0
) -> list[ReadPage]:
    """Open a file, right its pages and read their lines; pages count from ``number``.

    Raises `serving.ocr.refusal.PageRefused` for what is no page.
    """
    from assistant.tasks.bill_ocr.likeness import likeness
    from assistant.tasks.bill_ocr.qr import read_codes
    from serving.ocr.pages import open_pages
    from serving.ocr.reader import default_ocr

    found = []
    for page in open_pages(content, name):
        lines = page.text_lines
        if lines is None:
            lines = default_ocr().read(page.image)
        found.append(
            ReadPage(
                number + page.number - 1,
                lines,
                page.to_original,
                read_codes(page.image),
                tuple(page.warnings),
                likeness(page.image),
                name,
            )
        )
    return found
