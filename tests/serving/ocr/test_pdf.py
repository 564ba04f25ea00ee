"""A PDF's own text: taken where it is what one sees."""

from __future__ import annotations

from dataclasses import replace

import pytest
from drawing import ROWS, pdf, text_stream

from serving.ocr.opening_process import opened
from serving.ocr.pages import _righted, open_pages
from serving.ocr.pdf import Glyph, lines_of
from serving.ocr.reader import Ocr


def test_printed_text_is_taken_exactly(ocr: Ocr) -> None:
    (page,) = open_pages(pdf(text_stream(ROWS)), "bill.pdf", ocr)
    assert page.text_lines is not None
    assert [line.text for line in page.text_lines] == list(ROWS)
    assert {line.confidence for line in page.text_lines} == {1.0}


def test_boxes_lie_on_the_print(ocr: Ocr) -> None:
    (page,) = open_pages(pdf(text_stream(ROWS)), "bill.pdf", ocr)
    assert page.text_lines is not None
    for line in page.text_lines:
        (left, top), _, (right, bottom), _ = line.corners
        ink = page.image[int(top) : int(bottom) + 1, int(left) : int(right) + 1]
        assert ink.min() < 100
        assert len(line.ends) == len(line.text)
        assert list(line.ends) == sorted(line.ends)
        assert line.ends[-1] == pytest.approx(right - left, abs=1)


def test_text_that_cannot_be_seen_is_not_taken(ocr: Ocr) -> None:
    (page,) = opened(pdf(text_stream(ROWS[:3]) + " " + text_stream(["hidden 999"], mode=3)))
    assert page.text_lines is None


def test_text_in_white_is_not_taken() -> None:
    (page,) = opened(pdf("1 g " + text_stream(ROWS[:3]) + " 0 g 100 100 200 20 re f"))
    assert page.text_lines is None


def test_text_that_reads_otherwise_than_it_is_drawn_is_not_taken(ocr: Ocr) -> None:
    """As a font does whose table of characters lies."""
    (raw,) = opened(pdf(text_stream(ROWS)))
    assert raw.text_lines is not None
    lies = [replace(line, text="73 1409 " * 3) for line in raw.text_lines]
    taken = [
        list(_righted(replace(raw, text_lines=lines), ocr)) for lines in (raw.text_lines, lies)
    ]
    assert taken[0][0].text_lines is not None
    assert taken[1][0].text_lines is None


def test_a_wide_gap_parts_cells() -> None:
    glyphs = [Glyph(c, 10 * at, 0, 10 * at + 9, 12) for at, c in enumerate("ab")]
    glyphs += [Glyph(c, 100 + 10 * at, 1, 109 + 10 * at, 13) for at, c in enumerate("36")]
    glyphs += [Glyph(c, 10 * at, 30, 10 * at + 9, 42) for at, c in enumerate("xy")]
    assert [line.text for line in lines_of(glyphs)] == ["ab", "36", "xy"]
