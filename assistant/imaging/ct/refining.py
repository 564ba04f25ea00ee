"""From blocks of 3 mm to the image's own voxels: the border of the lungs, and what lies in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from assistant.imaging.ct.body import filled
from assistant.imaging.ct.coarse import Box, Coarse
from assistant.imaging.ct.hounsfield import HU
from assistant.imaging.ct.lungs import Lungs
from assistant.imaging.ct.shaping import closed, dilated, eroded
from assistant.imaging.volume import Mask

_BORDER = -250
"""HU half-way from lung to the chest wall."""
_CLOSING = 5.0
"""Millimetres: vessels up to twice as wide are lung, the hilum is not."""

_SPECK = 500.0
"""Cubic millimetres."""
_WIDE_AIRWAY = 3.5
_AIRWAY_WALL = 2.0


@dataclass(frozen=True, slots=True)
class FineLungs:
    """Masks within ``box`` of the turned image."""

    box: Box
    left: Mask
    right: Mask


def fine_lungs(hu: HU, coarse: Coarse, lungs: Lungs, tree: Mask, box: Box) -> FineLungs:
    """``hu`` and ``tree`` (the airways) are those of ``box``."""
    spacing = tuple(
        size / factor for size, factor in zip(coarse.spacing, coarse.factors, strict=True)
    )
    near = coarse.dilated(lungs.both, 1.5 * max(coarse.spacing[1:]))
    zone = near & ~lungs.gas
    side = _nearer_left(coarse, lungs)
    aerated = (hu < _BORDER) & coarse.fine(zone, box) & ~_wide(tree, spacing)
    left = coarse.fine(side, box)
    steps = _steps(_CLOSING, spacing)
    halves = []
    for half in (aerated & left, aerated & ~left):
        part = _without_specks(half, float(np.prod(spacing)))
        halves.append(filled(closed(part, steps)))
    halves[1] &= ~halves[0]
    wide = _wide(tree, spacing)
    return FineLungs(box, halves[0] & ~wide, halves[1] & ~wide)


def _nearer_left(coarse: Coarse, lungs: Lungs) -> Mask:
    if not lungs.left.any() or not lungs.right.any():
        return np.full(lungs.left.shape, lungs.left.any())
    return np.asarray(coarse.distance(~lungs.left) < coarse.distance(~lungs.right))


def _wide(tree: Mask, spacing: tuple[float, ...]) -> Mask:
    """The trachea and the large bronchi with their wall; small ones belong to the lung."""
    if not tree.any():
        return tree
    steps = _steps(_WIDE_AIRWAY, spacing)
    wide = dilated(eroded(tree, steps), steps) & tree
    return dilated(wide, _steps(_AIRWAY_WALL, spacing))


def _steps(millimetres: float, spacing: tuple[float, ...]) -> tuple[int, int]:
    return max(1, round(millimetres / spacing[1])), max(1, round(millimetres / spacing[2]))


def _without_specks(mask: Mask, voxel: float) -> Mask:
    labels, count = ndimage.label(mask)
    if count < 2:
        return mask
    large = np.bincount(labels.ravel()) * voxel >= _SPECK
    large[0] = False
    return np.asarray(large[labels])
