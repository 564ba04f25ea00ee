"""Pages as a perfect reader sees them: generated, with their truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from assistant.tasks.bill_ocr.document import BillDocument
from assistant.tasks.bill_ocr.page import ReadPage
from eval.clinical.bills.generator.fonts import NoFont
from eval.clinical.bills.generator.layout import layouts
from eval.clinical.bills.generator.render import draw
from serving.ocr.line import TextLine

Make = Callable[..., tuple[ReadPage, BillDocument]]


@pytest.fixture
def generated() -> Make:
    """A page of a layout by its name and a seed, with the truth."""

    def make(name: str, seed: int = 1, number: int = 1) -> tuple[ReadPage, BillDocument]:
        (layout,) = [one for one in layouts("seen") if one.name == name]
        try:
            page, _ = draw(layout, seed)
        except NoFont:
            pytest.skip("no Chinese font is installed")
        return ReadPage(number, page.lines()), page.document()

    return make


def _line(text: str, x: float, y: float, height: float = 20.0) -> TextLine:
    widths = [height if ord(character) > 0x2E7F else height / 2 for character in text]
    ends = tuple(sum(widths[: i + 1]) for i in range(len(text)))
    right, bottom = x + ends[-1], y + height
    return TextLine(text, ((x, y), (right, y), (right, bottom), (x, bottom)), 0.99, ends)


@pytest.fixture
def printed() -> Callable[[Sequence[Sequence[tuple[float, str]]]], ReadPage]:
    """A page from rows of (x, text), forty pixels apart."""

    def make(rows: Sequence[Sequence[tuple[float, str]]]) -> ReadPage:
        return ReadPage(
            1, [_line(text, x, 40.0 * number) for number, row in enumerate(rows) for x, text in row]
        )

    return make
