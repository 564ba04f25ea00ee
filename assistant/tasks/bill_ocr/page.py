"""Opened pages with their lines and codes: what structure is read from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.tasks.bill_ocr.fragment import ToOriginal
from serving.ocr.line import TextLine

if TYPE_CHECKING:
    from serving.ocr.reader import Ocr


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


_opened: dict[int, Ocr] = {}


def opened_pages(
    content: Path | bytes, name: str = "", *, number: int = 1, threads: int = 0
) -> list[ReadPage]:
    """Open a file, right its pages and read their lines; pages count from ``number``.

    Raises `serving.ocr.refusal.PageRefused` for what is no page.
    """
    from assistant.tasks.bill_ocr.likeness import likeness
    from assistant.tasks.bill_ocr.qr import read_codes
    from serving.ocr.pages import open_pages

    found = []
    for page in open_pages(content, name):
        lines = page.text_lines
        if lines is None:
            lines = _reader(threads).read(page.image)
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


def _reader(threads: int) -> Ocr:
    """The reader of this process; one of ``threads`` where it shares the machine with others."""
    from serving.ocr.reader import Ocr, default_ocr

    if not threads:
        return default_ocr()
    if threads not in _opened:
        _opened[threads] = Ocr(threads=threads)
    return _opened[threads]
