"""Where the lines of text stand: a network's map of what is text, and boxes around its islands.

The boxes are made as in "Real-time Scene Text Detection with Differentiable Binarization" (Liao et
al., 2020): threshold, outline, smallest rectangle, and that rectangle enlarged, as the map shows
text shrunk.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from serving.ocr.network import Bytes, Floats, Network

_STEP = 32
_IS_TEXT = 0.3
_BOX_SURE = 0.5
_ENLARGE = 1.6
_SMALLEST = 3.0
_MOST_BOXES = 3_000
_KERNEL = np.ones((2, 2), np.uint8)

Box = NDArray[np.float32]
"""Four corners [4, 2], clockwise from the top left one."""


def scale_for(height: int, width: int, longest: int) -> float:
    """By what to shrink a picture so that its longer side is at most ``longest`` pixels."""
    return min(1.0, longest / max(height, width))


def fitted(image: Bytes, scale: float) -> Bytes:
    """``image`` scaled, and padded with its own border to sides that the network takes."""
    height, width = image.shape[:2]
    size = max(_STEP, round(width * scale)), max(_STEP, round(height * scale))
    if size != (width, height):
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        image = cv2.resize(image, size, interpolation=way).astype(np.uint8, copy=False)
    below, right = -size[1] % _STEP, -size[0] % _STEP
    if below or right:
        image = cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_REPLICATE).astype(
            np.uint8, copy=False
        )
    return image


def find(network: Network, image: Bytes, longest: int) -> list[Box]:
    """Boxes of the lines in ``image`` [H, W, 3], in its pixels, in no order."""
    height, width = image.shape[:2]
    scale = scale_for(height, width, longest)
    text = network.run(fitted(image, scale)[None])[0][0, 0]
    return [_inside(box / scale, height, width) for box in boxes_of(text)]


def boxes_of(text: Floats) -> list[Box]:
    """Boxes around the islands of a map [H, W] of how surely each pixel is text."""
    mask = cv2.dilate((text > _IS_TEXT).astype(np.uint8), _KERNEL)
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    found: list[Box] = []
    for outline in outlines[:_MOST_BOXES]:
        middle, (across, down), angle = cv2.minAreaRect(outline)
        if min(across, down) < _SMALLEST:
            continue
        rectangle = cv2.boxPoints((middle, (across, down), angle))
        if _mean_inside(text, rectangle) < _BOX_SURE:
            continue
        # Moving each side of a rectangle out by this is what offsetting its outline comes to.
        out = across * down * _ENLARGE / (2 * (across + down))
        larger = cv2.boxPoints((middle, (across + 2 * out, down + 2 * out), angle))
        found.append(clockwise(larger))
    return found


def clockwise(points: NDArray[np.generic]) -> Box:
    """Four corners in order: top left, top right, bottom right, bottom left."""
    order = points[np.argsort(points[:, 0], kind="stable")]
    left, right = order[:2], order[2:]
    left = left[np.argsort(left[:, 1])]
    right = right[np.argsort(right[:, 1])]
    return np.array([left[0], right[0], right[1], left[1]], np.float32)


def _mean_inside(text: Floats, rectangle: NDArray[np.generic]) -> float:
    height, width = text.shape
    low = np.floor(rectangle.min(axis=0)).astype(int).clip(0, (width - 1, height - 1))
    high = np.ceil(rectangle.max(axis=0)).astype(int).clip(0, (width - 1, height - 1))
    part = text[low[1] : high[1] + 1, low[0] : high[0] + 1]
    mask = np.zeros(part.shape, np.uint8)
    cv2.fillPoly(mask, [(rectangle - low).astype(np.int32)], (1,))
    return float(cv2.mean(part, mask)[0])


def _inside(box: Box, height: int, width: int) -> Box:
    return box.clip((0, 0), (width - 1, height - 1)).astype(np.float32)


def sides(box: Box) -> tuple[float, float]:
    """(along, across): the lengths of the top and of the left side."""
    along, across = box[1] - box[0], box[3] - box[0]
    return math.hypot(*along), math.hypot(*across)
