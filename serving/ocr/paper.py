"""Sheets of paper on a photo: where their four corners are, and how to lay them flat."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from serving.ocr.detection import Box, clockwise, sides
from serving.ocr.network import Bytes

_LOOKED_AT = 640
_LEAST_SHARE = 0.12
_WHOLE = 0.94
_FILLED = 0.9
_BRIGHTER = 25.0
_MARGIN = 0.004


def sheets(image: Bytes) -> list[Box]:
    """The corners of each sheet on ``image``, clockwise from the top left one, sheets from the top
    left on; none where paper fills the picture or cannot be told from what it lies on."""
    scale = min(1.0, _LOOKED_AT / max(image.shape[:2]))
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    # Paper is bright and has little colour; a desk is darker or has more.
    lightness = small.min(axis=2)
    lightness = cv2.morphologyEx(lightness, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    lightness = cv2.GaussianBlur(lightness, (5, 5), 0)
    _, mask = cv2.threshold(lightness, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((7, 7), np.uint8))
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    found = []
    for outline in outlines:
        corners = _corners(outline, lightness)
        if corners is not None:
            found.append(_inward(corners) / scale)
    found.sort(key=lambda box: (float(box[:, 1].mean()) // (0.3 * image.shape[0]), box[0, 0]))
    return found


def _corners(outline: NDArray[np.int32], lightness: Bytes) -> Box | None:
    height, width = lightness.shape
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
    if area < _FILLED * cv2.contourArea(corners):
        return None
    # A sheet that runs out of the picture on all sides is the picture.
    at_edge = (corners <= 2) | (corners >= np.array([width - 3, height - 3]))
    if at_edge.any(axis=1).all():
        return None
    inside = np.zeros(lightness.shape, np.uint8)
    cv2.fillConvexPoly(inside, corners.astype(np.int32), (1,))
    # Just around it, as another sheet may lie beside.
    around_it = cv2.dilate(inside, np.ones((25, 25), np.uint8)) - inside
    within, without = lightness[inside == 1], lightness[around_it == 1]
    if not without.size or float(np.median(within)) - float(np.median(without)) < _BRIGHTER:
        return None
    return corners


def _inward(corners: Box) -> Box:
    """A little inside, so that the edge of the paper is not read as a stroke."""
    middle = corners.mean(axis=0)
    inner: Box = (corners + (middle - corners) * _MARGIN).astype(np.float32)
    return inner


def flattening(corners: Box) -> tuple[NDArray[np.float64], tuple[int, int]]:
    """(the matrix from the picture to the flat sheet, the sheet's (width, height))."""
    lower = np.array([corners[3], corners[2], corners[1], corners[0]])
    (top, left), (bottom, right) = sides(corners), sides(lower)
    width, height = max(8, round(max(top, bottom))), max(8, round(max(left, right)))
    onto = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    return cv2.getPerspectiveTransform(corners, onto).astype(np.float64), (width, height)
