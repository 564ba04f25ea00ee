"""Sheets on photos: found where their edges are, and never so that text falls off."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from drawing import ROWS, encoded, page
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.ocr import paper
from serving.ocr.pages import OpenedPage, open_pages
from serving.ocr.reader import Ocr
from serving.ocr.spill import without

SIZE = (1_200, 1_100)
CORNERS = np.array([[190, 130], [1010, 180], [1060, 930], [120, 880]], np.float32)
DESK = (96, 74, 58)


def photo(corners: np.ndarray = CORNERS, desk: tuple[int, int, int] = DESK) -> np.ndarray:
    """A page seen from aslant, on a desk."""
    flat = np.array([[0, 0], [800, 0], [800, 700], [0, 700]], np.float32)
    matrix = cv2.getPerspectiveTransform(flat, corners)
    moved = cv2.warpPerspective(page(), matrix, SIZE)
    mask = cv2.warpPerspective(np.ones((700, 800), np.uint8), matrix, SIZE)
    return np.asarray(np.where(mask[..., None] == 1, moved, np.array(desk, np.uint8)))


def shaded(picture: np.ndarray, angle: float, edge: float, deep: float) -> np.ndarray:
    """``picture`` in light that falls off, with a soft shadow's edge across it."""
    height, width = picture.shape[:2]
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    along = xs / width * np.cos(angle) + ys / height * np.sin(angle)
    along = (along - along.min()) / np.ptp(along)
    light = (1 - 0.45 * along) * (1 - deep / (1 + np.exp(-(along - edge) * 40)))
    return np.asarray(picture * light[..., None], np.uint8)


def said(ocr: Ocr, pages: list[OpenedPage]) -> str:
    return "".join(line.text for one in pages for line in ocr.read(one.image)).replace(" ", "")


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(-60, 60), min_size=8, max_size=8),
    st.floats(0, 6.28),
    st.floats(0.3, 0.7),
    st.floats(0, 0.35),
    st.sampled_from([DESK, (70, 72, 78), (140, 128, 110)]),
)
def test_a_shadow_is_no_edge_of_paper(
    shifts: list[int], angle: float, edge: float, deep: float, desk: tuple[int, int, int]
) -> None:
    corners = CORNERS + np.array(shifts, np.float32).reshape(4, 2)
    (found,) = paper.sheets(shaded(photo(corners, desk), angle, edge, deep))
    assert np.abs(found - corners).max() < 16


def test_the_sharp_shadow_of_a_hand_costs_nothing() -> None:
    light = np.ones(SIZE[::-1], np.float32)
    hand = np.array([[500, 1_100], [760, 480], [640, 430], [250, 1_100]], np.int32)
    cv2.fillConvexPoly(light, hand, 0.5)
    picture = (photo() * cv2.GaussianBlur(light, (0, 0), 2)[..., None]).astype(np.uint8)
    for found in paper.sheets(picture):
        assert np.abs(found - CORNERS).max() < 16


def test_a_sharp_shadow_over_half_of_a_page_costs_no_text(ocr: Ocr) -> None:
    half = photo().copy()
    half[:, 520:] = half[:, 520:] // 3
    found = open_pages(encoded(half), "half.png", ocr)
    text = said(ocr, found)
    assert sum(row.replace(" ", "")[-5:] in text for row in ROWS) == len(ROWS)


@pytest.mark.parametrize("desk", [(255, 255, 255), (236, 236, 236)])
def test_paper_on_what_is_as_light_is_left_as_it_lies(desk: tuple[int, int, int]) -> None:
    assert paper.sheets(photo(desk=desk)) == []


@pytest.mark.parametrize(
    ("corners", "wanted"),
    [
        ([[0, 0], [400, 0], [400, 300], [0, 300]], True),
        ([[20, 0], [380, 30], [420, 300], [0, 280]], True),
        ([[0, 0], [400, 0], [120, 100], [0, 300]], False),
        ([[179, 51], [1290, 31], [1307, 875], [464, 466]], False),
        ([[0, 0], [400, 0], [400, 20], [0, 20]], False),
        ([[0, 0], [400, 0], [400, 100], [0, 300]], False),
    ],
)
def test_what_may_be_a_sheet(corners: list[list[int]], wanted: bool) -> None:
    assert paper.is_sheet(np.array(corners, np.float32)) is wanted


def test_two_bills_of_which_one_has_no_edge_lose_nothing(ocr: Ocr) -> None:
    desk = np.full((800, 1_800, 3), (60, 70, 80), np.uint8)
    desk[50:750, 60:860] = page()
    desk[:, 900:] = 255
    desk[50:750, 940:1740] = page(["Second bill 77.50", "Other total 99.10"])
    found = open_pages(encoded(desk, "JPEG", quality=92), "two.jpg", ocr)
    text = said(ocr, found)
    for row in (*ROWS, "Second bill 77.50", "Other total 99.10"):
        assert row.replace(" ", "") in text
    assert any("核对" in warning for warning in found[0].warnings)


def test_text_beside_two_sheets_is_a_page_of_its_own(ocr: Ocr) -> None:
    desk = np.full((1_100, 1_800, 3), (120, 130, 140), np.uint8)
    desk[50:750, 60:860] = page()
    desk[50:750, 940:1740] = page(["Second bill 77.50"])
    note = page(["Ticket of the car park 41"])[40:130]
    desk[850:940, 300:1_100] = np.minimum(note, 120 + 0 * note)
    found = open_pages(encoded(desk, "JPEG", quality=92), "two.jpg", ocr)
    assert [one.sheet for one in found] == [1, 2, 3]
    assert said(ocr, found[2:]) == "Ticketofthecarpark41"
    assert any("另作一页" in warning for warning in found[0].warnings)


def test_a_sheet_painted_over_leaves_the_desk() -> None:
    rest = without(photo(), [CORNERS])
    assert (rest == np.array(DESK)).all()
