"""Sheets of paper on a photo: where their four corners are, and how to lay them flat.

A shadow is as dark as a desk, but its edge is soft.  So outlines are proposed in two ways (what is
lighter than one threshold; what no sharp edge divides), and one is believed only where the
lightness falls sharply all along each of its sides.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from serving.ocr.detection import Box, clockwise, sides
from serving.ocr.network import Bytes, Floats

_LOOKED_AT = 640
_LEAST_SHARE = 0.05
_WHOLE = 0.94
# Of its hull: the shadow of a hand may leave out a part.
_FILLED = 0.6
_MARGIN = 0.004
_NARROWEST, _FLATTEST = 9.0, 45.0
_LONGER = 1.6
_SAMPLES, _NEAR = 48, 7
# Logarithms of lightness: what an edge of paper changes it by; what a shadow does not.
_FALLS, _SHARP = 0.18, 0.07
_FALLING = 0.85
_SAME = 0.5


def sheets(image: Bytes) -> list[Box]:
    """The corners of each sheet on ``image``, clockwise from the top left one, sheets from the top
    left on; none where paper fills the picture or cannot be told from what it lies on."""
    scale = min(1.0, _LOOKED_AT / max(image.shape[:2]))
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    # Paper is bright and has little colour; a desk is darker or has more.
    lightness = small.min(axis=2)
    lightness = cv2.morphologyEx(lightness, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    lightness = cv2.GaussianBlur(lightness, (5, 5), 0).astype(np.uint8, copy=False)
    logarithm: Floats = np.log(lightness.astype(np.float32) + 8)
    believed = []
    for outline in (*_lighter(lightness), *_undivided(logarithm)):
        corners = _corners(outline, lightness.shape)
        if corners is not None and _is_edged(corners, logarithm):
            believed.append(corners)
    found = [_inward(corners, lightness.shape) / scale for corners in _apart(believed)]
    found.sort(key=lambda box: (float(box[:, 1].mean()) // (0.3 * image.shape[0]), box[0, 0]))
    return found


def _lighter(lightness: Bytes) -> Iterator[NDArray[np.int32]]:
    """Outlines of what is lighter than the threshold that parts the picture best."""
    _, mask = cv2.threshold(lightness, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((7, 7), np.uint8))
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    for outline in outlines:
        yield np.asarray(outline, np.int32)


def _undivided(logarithm: Floats) -> Iterator[NDArray[np.int32]]:
    """Outlines of the regions that sharp edges part from one another, shadows on them or not."""
    change = cv2.morphologyEx(logarithm, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    smooth = (change < _SHARP).astype(np.uint8)
    smooth = cv2.morphologyEx(smooth, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(smooth, connectivity=4)
    least = _LEAST_SHARE * logarithm.size / 2
    for label in range(1, count):
        if stats[label, cv2.CC_STAT_AREA] < least:
            continue
        # An edge is a few pixels wide; its middle is the sheet's.
        region = cv2.dilate((labels == label).astype(np.uint8), np.ones((5, 5), np.uint8))
        outlines, _ = cv2.findContours(region, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        yield np.asarray(max(outlines, key=cv2.contourArea), np.int32)


def _corners(outline: NDArray[np.int32], shape: tuple[int, ...]) -> Box | None:
    """The four corners of an outline that is one of a sheet by its shape."""
    height, width = shape
    area = cv2.contourArea(outline)
    if not _LEAST_SHARE * height * width < area < _WHOLE * height * width:
        return None
    hull = cv2.convexHull(outline)
    around = cv2.arcLength(hull, True)
    for tolerance in (0.015, 0.025, 0.04, 0.06):
        rough = cv2.approxPolyDP(hull, tolerance * around, True)
        if len(rough) <= 4:
            break
    if len(rough) != 4:
        return None
    corners = clockwise(rough[:, 0].astype(np.float32))
    if area < _FILLED * cv2.contourArea(corners) or not is_sheet(corners):
        return None
    # A sheet that runs out of the picture on all sides is the picture.
    at_edge = (corners <= 2) | (corners >= np.array([width - 3, height - 3]))
    return None if at_edge.any(axis=1).all() else corners


def is_sheet(corners: Box) -> bool:
    """Whether four corners can be those of a rectangle that is seen from aslant: convex, no corner
    far from a right one, no side far longer than the opposite one, no mere strip."""
    if not cv2.isContourConvex(corners):
        return False
    to = np.roll(corners, -1, axis=0) - corners
    lengths = np.hypot(to[:, 0], to[:, 1])
    if lengths.min() < 8:
        return False
    cosines = np.sum(-to * np.roll(to, 1, axis=0), axis=1) / (lengths * np.roll(lengths, 1))
    if np.abs(np.degrees(np.arccos(cosines.clip(-1, 1))) - 90).max() > _FLATTEST:
        return False
    if max(lengths[:2] / lengths[2:]) > _LONGER or max(lengths[2:] / lengths[:2]) > _LONGER:
        return False
    across, down = lengths[0] + lengths[2], lengths[1] + lengths[3]
    return bool(max(across, down) <= _NARROWEST * min(across, down))


def _is_edged(corners: Box, logarithm: Floats) -> bool:
    """Whether the lightness falls sharply, outward, nearly all along each side."""
    height, width = logarithm.shape
    last = np.array([width - 1, height - 1], np.float32)
    along = np.linspace(0.04, 0.96, _SAMPLES, dtype=np.float32)[:, None]
    steps = np.arange(-_NEAR, _NEAR + 1, dtype=np.float32)
    for begin, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        # Where the sheet runs out of the picture there is no edge to be seen.
        if ((np.minimum(begin, end) >= last - 3) | (np.maximum(begin, end) <= 3)).any():
            continue
        across, down = (end - begin) / math.hypot(*(end - begin))
        outward = np.array([down, -across], np.float32)
        places = (begin + along * (end - begin))[:, None] + steps[:, None] * outward
        places = places.clip(0, last).round().astype(int)
        values = logarithm[places[..., 1], places[..., 0]]
        inner, outer = values[:, :4].max(axis=1), values[:, -4:].min(axis=1)
        if float((inner - outer > _FALLS).mean()) < _FALLING:
            return False
    return True


def _apart(believed: list[Box]) -> list[Box]:
    """The largest of those that lie on one another."""
    kept: list[Box] = []
    for corners in sorted(believed, key=cv2.contourArea, reverse=True):
        own = cv2.contourArea(corners)
        if all(cv2.intersectConvexConvex(corners, one)[0] < _SAME * own for one in kept):
            kept.append(corners)
    return kept


def _inward(corners: Box, shape: tuple[int, ...]) -> Box:
    """A little inside, so that the edge of the paper is not read as a stroke; where the sheet runs
    out of the picture it has no edge."""
    middle = corners.mean(axis=0)
    inner: Box = (corners + (middle - corners) * _MARGIN).astype(np.float32)
    last = np.array([shape[1] - 1, shape[0] - 1], np.float32)
    return np.where((corners <= 2) | (corners >= last - 2), corners, inner)


def flattening(corners: Box) -> tuple[NDArray[np.float64], tuple[int, int]]:
    """(the matrix from the picture to the flat sheet, the sheet's (width, height))."""
    lower = np.array([corners[3], corners[2], corners[1], corners[0]])
    (top, left), (bottom, right) = sides(corners), sides(lower)
    width, height = max(8, round(max(top, bottom))), max(8, round(max(left, right)))
    onto = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    return cv2.getPerspectiveTransform(corners, onto).astype(np.float64), (width, height)
