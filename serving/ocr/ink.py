"""What makes print hard to read and is not print: seals over it, shadow and pale paper."""

from __future__ import annotations

import cv2
import numpy as np

from serving.ocr.network import Bytes

_RED, _PINK = 45, 14
_SEAL_SIDES = (0.05, 0.45)
_SEAL_SHAPE = 3.0
_UNEVEN = 0.82
_PALE = 120
# Percent of a page that ink covers, and of one with a few words only; what tells ink from paper.
_INK, _LITTLE_INK = 0.5, 0.005
_INKED = 40.0


def cleaned(image: Bytes) -> Bytes:
    """``image`` with even light and contrast, and without red seals; as it is where it has none."""
    return without_seals(evenly_lit(image))


def without_seals(image: Bytes) -> Bytes:
    """Red seals turned to paper; black print under them stays, red print elsewhere too."""
    red, green, blue = cv2.split(image)
    redness = cv2.subtract(red, cv2.max(green, blue))
    reddish = redness > _RED
    if reddish.mean() < 0.0003:
        return image
    regions = _seals(reddish.astype(np.uint8))
    if not regions:
        return image
    image = image.copy()
    for top, bottom, left, right in regions:
        part, core = image[top:bottom, left:right], reddish[top:bottom, left:right]
        if not core.any():
            continue
        # Edges and thin letters of a seal are paler than it is.
        mask = redness[top:bottom, left:right] > _PINK
        ground = float(np.median(part[..., 0][core]))
        lightness = ((part[..., 0] / max(ground, 1.0) - 0.58) / 0.28).clip(0, 1)
        paper = np.median(part[~mask], axis=0) if (~mask).any() else np.full(3, 255.0)
        part[mask] = (lightness[..., None] * paper)[mask].astype(np.uint8)
    return image


def _seals(reddish: Bytes) -> list[tuple[int, int, int, int]]:
    """(top, bottom, left, right) of each spot of red that is as large as seals are."""
    height, width = reddish.shape
    scale = 600 / max(height, width)
    small = cv2.resize(reddish * 255, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    joined = cv2.morphologyEx((small > 40).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3)))
    _, _, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    found = []
    least, most = (share * max(joined.shape) for share in _SEAL_SIDES)
    for left, top, wide, high, _ in stats[1:].tolist():
        shape = max(wide, high) / max(1, min(wide, high))
        if min(wide, high) < least or max(wide, high) > most or shape > _SEAL_SHAPE:
            continue
        box = (top - 2, top + high + 2, left - 2, left + wide + 2)
        top, bottom, left, right = (max(0, round(value / scale)) for value in box)
        found.append((top, min(bottom, height), left, min(right, width)))
    return found


def evenly_lit(image: Bytes) -> Bytes:
    """``image`` divided by the light that falls on its paper, where that is uneven or weak."""
    light = _light(image)
    low, high = np.percentile(light, (2, 98))
    darkest = _darkest(image, float(high))
    if high < 30:
        return image
    even, strong = low >= _UNEVEN * high, high - darkest >= _PALE
    if even and strong:
        return image
    height, width = image.shape[:2]
    factor = 245.0 / np.maximum(light, max(8.0, float(low) * 0.5))
    wide = cv2.resize(factor.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    bright = image * wide[..., None]
    if not strong:
        # However pale the ink is, paper stays light.
        floor = min(darkest * 245.0 / float(high), 245.0 - _INKED)
        bright = (bright - floor) * (245.0 / (245.0 - floor))
    lit: Bytes = bright.clip(0, 255).astype(np.uint8)
    return lit


def _darkest(image: Bytes, paper: float) -> float:
    """How dark the ink is."""
    darkest = float(np.percentile(cv2.cvtColor(image[::4, ::4], cv2.COLOR_RGB2GRAY), _INK))
    if paper - darkest >= _INKED:
        return darkest
    return float(np.percentile(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), _LITTLE_INK))


def _light(image: Bytes) -> Bytes:
    """How light the paper is, place by place, on a coarse grid: print is thinner than the grid."""
    height, width = image.shape[:2]
    size = max(16, width // 12), max(16, height // 12)
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    coarse = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    coarse = cv2.dilate(coarse, np.ones((5, 5), np.uint8))
    light: Bytes = cv2.medianBlur(coarse, 9).astype(np.uint8, copy=False)
    return light
