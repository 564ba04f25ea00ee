"""Boxes are read from every kind of head, and one is left for each thing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.vision.boxes import Found, anchors, decoded, ious, suppressed
from serving.vision.description import Anchors, Boxes
from serving.vision.problem import VisionProblem

SIZE = (64, 96)
BOX = np.array([12.0, 20, 30, 44])  # left, top, right, bottom
CENTRE = np.array([21.0, 32, 18, 24])


def only(found: Found) -> tuple[list[float], float, int]:
    assert len(found) == 1
    return found.corners[0].tolist(), float(found.scores[0]), int(found.numbers[0])


@pytest.mark.parametrize("first", [0, 1])
def test_decoded_boxes_with_classes(first: int) -> None:
    how = Boxes(kind="decoded", first=first)
    outputs = [
        np.array([[BOX, [0, 0, 5, 5]]]),
        np.array([[0.8, 0.1]]),
        np.array([[first + 1, first]]),
    ]
    assert only(decoded(outputs, how, SIZE)) == (BOX.tolist(), 0.8, 2)


def test_decoded_boxes_as_shares_with_a_score_for_each_class() -> None:
    how = Boxes(kind="decoded", first=1, unit="share", form="centre")
    outputs = [CENTRE[None] / [96, 64, 96, 64], np.array([[0.9, 0.02, 0.6]])]
    corners, score, number = only(decoded(outputs, how, SIZE))
    assert corners == pytest.approx(BOX.tolist())
    # The first score is the background's.
    assert (score, number) == (0.6, 2)


def test_rows_end_where_the_image_is_minus_1() -> None:
    rows = np.array([[0, 1, 0.7, *BOX], [-1, 1, 0.9, *BOX]])[None, None]
    assert only(decoded([rows], Boxes(kind="rows", first=1), SIZE)) == (BOX.tolist(), 0.7, 1)


@pytest.mark.parametrize("turned", [False, True])
def test_yolo_with_and_without_objectness(turned: bool) -> None:
    plain = np.zeros((1, 40, 6))
    plain[0, 3] = [*CENTRE, 0.1, 0.7]
    given = plain.transpose(0, 2, 1) if turned else plain
    assert only(decoded([given], Boxes(kind="yolo"), SIZE)) == (BOX.tolist(), 0.7, 2)
    known = np.zeros((1, 40, 7))
    known[0, 3] = [*CENTRE, 0.5, 0.1, 0.8]
    given = known.transpose(0, 2, 1) if turned else known
    found = only(decoded([given], Boxes(kind="yolo", objectness=True), SIZE))
    assert found == (BOX.tolist(), 0.4, 2)


def test_retinanet_corrects_its_anchors() -> None:
    how = Boxes(kind="retinanet", anchors=Anchors(strides=(8, 16), sizes=(32, 64)))
    base = anchors(how.anchors, SIZE)
    assert len(base) == (8 * 12 + 4 * 6) * 9
    at = 9 * (12 * 2 + 5) + 4  # row 2, column 5 of the first level; ratio 1, scale 2^(1/3)
    side = 32 * 2 ** (1 / 3)
    assert base[at] == pytest.approx([40 - side / 2, 16 - side / 2, 40 + side / 2, 16 + side / 2])
    moves = np.zeros((1, len(base), 4))
    moves[0, at] = [*((CENTRE[:2] - [40, 16]) / side), *np.log(CENTRE[2:] / side)]
    logits = np.full((1, len(base), 2), -9.0)
    logits[0, at, 1] = 2.0
    corners, score, number = only(decoded([logits, moves], how, SIZE))
    assert corners == pytest.approx(BOX.tolist())
    assert score == pytest.approx(1 / (1 + np.exp(-2)))
    assert number == 2


@pytest.mark.parametrize(
    ("how", "outputs"),
    [
        (Boxes(kind="retinanet"), [np.zeros((1, 7, 2)), np.zeros((1, 7, 4))]),
        (Boxes(kind="rows"), [np.zeros((1, 5, 6))]),
        (Boxes(kind="decoded"), [np.zeros((1, 3, 4)), np.zeros((1, 3)), np.zeros((1, 2))]),
        (Boxes(kind="yolo"), [np.zeros((1, 50, 4))]),
    ],
)
def test_outputs_that_are_not_what_is_described(how: Boxes, outputs: list) -> None:
    with pytest.raises(VisionProblem, match=how.kind):
        decoded(outputs, how, SIZE)


BOXES = st.lists(
    st.tuples(*[st.integers(0, 40)] * 2, *[st.integers(1, 30)] * 2, st.integers(1, 2)),
    min_size=1,
    max_size=25,
)


@given(BOXES, st.floats(0.1, 0.9))
@settings(max_examples=60, deadline=None)
def test_what_is_left_does_not_overlap_and_what_is_gone_does(
    boxes: list[tuple[int, ...]], overlap: float
) -> None:
    corners = np.array([[x, y, x + w, y + h] for x, y, w, h, _ in boxes], float)
    scores = np.linspace(0.9, 0.1, len(boxes))
    found = Found(corners, scores, np.array([one[4] for one in boxes]))
    left = suppressed(found, overlap, 100)
    for n in range(len(left)):
        same = left.numbers == left.numbers[n]
        same[n] = False
        assert (ious(left.corners[n], left.corners[same]) < overlap).all()
    for corner, score, number in zip(corners, scores, found.numbers, strict=True):
        better = left.of((left.numbers == number) & (left.scores >= score))
        assert (ious(corner, better.corners) >= overlap).any() or score in left.scores
    assert (np.diff(left.scores) <= 0).all()
