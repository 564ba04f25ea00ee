"""Pages are read, whichever way they lie."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from drawing import ROWS, encoded, page

from serving.ocr.line import TextLine
from serving.ocr.pages import OpenedPage, open_pages
from serving.ocr.reader import Ocr
from serving.ocr.refusal import PageRefused

WANTED = "".join(ROWS).replace(" ", "")


def said(lines: list[TextLine]) -> str:
    return "".join(line.text for line in lines).replace(" ", "")


def test_a_page_is_read_in_order(ocr: Ocr) -> None:
    lines = ocr.read(page())
    assert said(lines) == WANTED
    for line in lines:
        assert 0.5 < line.confidence <= 1
        assert len(line.ends) == len(line.text)
        assert list(line.ends) == sorted(line.ends)


def test_lines_that_are_found_in_eight_bits_read_the_same(tmp_path: Path) -> None:
    ocr = Ocr("int8", threads=1, kept=tmp_path / "kept.json")
    assert ocr.finding_numbers == "int8"
    assert said(ocr.read(page())) == WANTED


def test_ends_point_at_the_characters(ocr: Ocr) -> None:
    """What lies left of where the space ends is the first word."""
    (line,) = [line for line in ocr.read(page()) if "Ward" in line.text]
    place = line.text.index("1")
    left = line.corners[0][0] + line.ends[place - 1]
    drawn = page()[:, : int(left) + 4]
    row = slice(int(line.corners[0][1]), int(line.corners[3][1]))
    columns = np.flatnonzero((drawn[row] < 128).any(axis=(0, 2)))
    whole = np.flatnonzero((page()[row] < 128).any(axis=(0, 2)))
    assert columns.max() < whole.max() - 80


def test_many_pages_are_read_as_one_by_one(ocr: Ocr) -> None:
    pages = [page(), page(["Second 22.50"]), np.full((300, 300, 3), 255, np.uint8), page(ROWS[:2])]
    many = list(ocr.read_many(pages))
    assert [said(lines) for lines in many] == [said(ocr.read(one)) for one in pages]
    assert many[2] == []


@pytest.mark.parametrize("shape", [(10, 10), (10, 10, 4), (0, 5, 3)])
def test_what_is_no_page_is_an_error(ocr: Ocr, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="a page is uint8"):
        ocr.read(np.zeros(shape, np.uint8))


TURNS: dict[str, Callable[[Any], Any]] = {
    "left": lambda pixels: np.rot90(pixels),
    "over": lambda pixels: np.rot90(pixels, 2),
    "right": lambda pixels: np.rot90(pixels, 3),
    "mirror": lambda pixels: pixels[:, ::-1],
}


@pytest.mark.parametrize("name", TURNS)
def test_a_turned_page_is_put_upright_and_leads_back(ocr: Ocr, name: str) -> None:
    turned = np.ascontiguousarray(TURNS[name](page()))
    (found,) = open_pages(encoded(turned), "page.png", ocr)
    lines = ocr.read(found.image)
    assert said(lines) == WANTED
    assert bool(found.warnings) == (name == "mirror")
    _assert_on_ink(found, lines, turned)


def test_a_photo_on_a_desk_is_laid_flat_and_leads_back(ocr: Ocr) -> None:
    desk = np.full((1_100, 1_200, 3), (70, 60, 55), np.uint8)
    corners = np.array([[0, 0], [800, 0], [800, 700], [0, 700]], np.float32)
    onto = np.array([[190, 130], [1010, 180], [1060, 930], [120, 880]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, onto)
    photo = cv2.warpPerspective(page(), matrix, (1_200, 1_100))
    mask = cv2.warpPerspective(np.ones((700, 800), np.uint8), matrix, (1_200, 1_100))
    photo = np.where(mask[..., None] == 1, photo, desk)
    (found,) = open_pages(encoded(photo, "JPEG", quality=90), "photo.jpg", ocr)
    lines = ocr.read(found.image)
    assert said(lines) == WANTED
    _assert_on_ink(found, lines, photo)
    top_left = found.to_original(0, 0)
    assert top_left == pytest.approx((190, 130), abs=12)


def test_two_bills_on_one_photo_are_two(ocr: Ocr) -> None:
    desk = np.full((800, 1_800, 3), (60, 70, 80), np.uint8)
    desk[50:750, 60:860] = page()
    desk[50:750, 940:1740] = page(["Second bill 77.50", "Other total 99.10"])
    found = open_pages(encoded(desk, "JPEG", quality=92), "two.jpg", ocr)
    assert [(one.number, one.sheet) for one in found] == [(1, 1), (1, 2)]
    assert "2 张" in found[0].warnings[0]
    assert said(ocr.read(found[1].image)) == "Secondbill77.50Othertotal99.10"


def test_a_blank_page_alone_is_refused_and_among_others_is_kept(ocr: Ocr) -> None:
    blank = np.full((700, 800, 3), 255, np.uint8)
    with pytest.raises(PageRefused) as caught:
        open_pages(encoded(blank), "blank.png", ocr)
    assert caught.value.code == "blank"
    from PIL import Image

    frames = [Image.fromarray(pixels) for pixels in (page(ROWS[:2]), blank)]
    content = encoded(blank, "TIFF", save_all=True, append_images=frames)
    found = open_pages(content, "scan.tif", ocr)
    assert [one.number for one in found] == [1, 2, 3]
    assert [one.blank for one in found] == [True, False, True]


def test_no_text_of_a_page_is_logged(ocr: Ocr, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    (found,) = open_pages(encoded(page()), "Amoxicillin.png", ocr)
    ocr.read(found.image)
    assert "Amoxicillin" not in caplog.text


@pytest.mark.parametrize("shade", [255, 130])
def test_a_page_of_a_few_words_is_read(ocr: Ocr, shade: int) -> None:
    few = np.full((1_600, 1_200, 3), shade, np.uint8)
    few[300:390, 200:1000] = np.minimum(page(["Paid 12.50"])[40:130], shade)
    (found,) = open_pages(encoded(few), "few.png", ocr)
    assert said(ocr.read(found.image)) == "Paid12.50"


@pytest.mark.parametrize("narrow", [0.45, 0.6, 1.0])
def test_a_lone_figure_begins_at_its_top_left(ocr: Ocr, narrow: float) -> None:
    paper = np.array(page(["Ward fee total"] * 7))
    for place in range(7):
        figure = page([str(place + 2)])[40:110, 40:100]
        figure = cv2.resize(figure, (round(60 * narrow), 70), interpolation=cv2.INTER_AREA)
        paper[40 + 90 * place : 110 + 90 * place, 600 : 600 + figure.shape[1]] = figure
    lone = [line for line in ocr.read(paper) if line.corners[0][0] > 500]
    assert len(lone) == 7
    for line in lone:
        (x0, y0), (x1, y1), _, (x3, y3) = line.corners
        assert x1 - x0 > 3 * abs(y1 - y0)
        assert y3 - y0 > 3 * abs(x3 - x0)


def test_a_line_that_runs_down_is_read_from_its_top(ocr: Ocr) -> None:
    paper = np.array(page(ROWS[:4], (1_000, 800)))
    side = np.rot90(page(["Second copy for the payer"])[40:110, 40:600], 3)
    paper[100:660, 900:970] = side
    assert "Secondcopyforthepayer" in said(ocr.read(paper))


def _assert_on_ink(found: OpenedPage, lines: list[TextLine], picture: Any) -> None:
    """Each box, taken back to the picture as it came, holds most of its print."""
    grey = picture.min(axis=2)
    for line in lines:
        outline = np.array([found.to_original(x, y) for x, y in line.corners], np.float32)
        mask = np.zeros(grey.shape, np.uint8)
        cv2.fillPoly(mask, [outline.round().astype(np.int32)], (1,))
        share = (grey[mask == 1] < 128).mean()
        assert 0.03 < share < 0.5, line.text
