"""What a cell of a row of items is read as."""

from __future__ import annotations

import pytest

from assistant.tasks.bill_ocr.fields import Place
from assistant.tasks.bill_ocr.fragment import Fragment
from assistant.tasks.bill_ocr.table import item_cell
from serving.ocr.line import TextLine


def fragment(text: str) -> Fragment:
    starts = tuple(10.0 * n for n in range(len(text)))
    ends = tuple(start + 10 for start in starts)
    right = ends[-1]
    line = TextLine(text, ((0, 0), (right, 0), (right, 20), (0, 20)), 0.99, ends)
    return Fragment(text, starts, ends, 0, 20, 0.99, line, 0)


def test_the_number_of_a_row_is_no_amount() -> None:
    place = Place(1, lambda x, y: (x, y))
    cell = item_cell("number", [fragment("12")], "number", place)
    assert (cell.value, cell.doubt) == ("12", "")


@pytest.mark.parametrize(
    ("text", "value", "doubted"),
    [
        ("52.00甲", "52.00", False),
        ("9.60(乙)", "9.60", False),
        ("9.60丙类", "9.60", False),
        ("9.60章", "9.60章", True),
        ("52甲", "52甲", True),
    ],
)
def test_an_amount_is_read_without_the_class_behind_it(
    text: str, value: str, doubted: bool
) -> None:
    place = Place(1, lambda x, y: (x, y))
    cell = item_cell("amount", [fragment(text)], "number", place)
    assert (cell.value, bool(cell.doubt), cell.text) == (value, doubted, text)
