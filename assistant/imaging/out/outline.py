"""A mask as closed contours: the inverse of `assistant.imaging.contour.fill`.

A contour runs half way between voxels inside and outside, so that filling it gives the mask again.
A hole is joined to its outer contour by a channel of no width (the keyhole of PS3.3 C.8.8.6.3),
since systems differ on what a contour within another means.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from skimage.measure import find_contours

from assistant.imaging.volume import Floats, Mask


def outlines(plane: Mask) -> list[Floats]:
    """The contours of a slice: (n, 2) corners each, as (row, column) of pixel centres."""
    parts, count = ndimage.label(plane)
    found = []
    for number, part in enumerate(ndimage.find_objects(parts), start=1):
        assert count
        piece = np.pad(parts[part] == number, 1)
        loops = [_straightened(loop[:-1]) for loop in find_contours(piece.astype(float), 0.5)]
        loops.sort(key=_area, reverse=True)
        outer = loops[0]
        for hole in loops[1:]:
            outer = _joined(outer, hole)
        corner = np.array([part[0].start - 1, part[1].start - 1])
        found.append(outer + corner)
    return found


def _area(loop: Floats) -> float:
    ends = np.roll(loop, -1, axis=0)
    return abs(float((loop[:, 0] * ends[:, 1] - ends[:, 0] * loop[:, 1]).sum())) / 2


def _straightened(loop: Floats) -> Floats:
    """Without the corners that lie on a straight line."""
    before, after = loop - np.roll(loop, 1, axis=0), np.roll(loop, -1, axis=0) - loop
    turns = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    kept: Floats = loop[np.abs(turns) > 1e-9]
    return kept


def _joined(outer: Floats, hole: Floats) -> Floats:
    """One contour: along ``outer``, over to ``hole``, around it, and back the same way."""
    apart = np.linalg.norm(outer[:, None] - hole[None], axis=2)
    here, there = np.unravel_index(int(apart.argmin()), apart.shape)
    around = np.roll(hole, -int(there), axis=0)
    joined: Floats = np.vstack(
        [outer[: here + 1], around, around[:1], outer[here : here + 1], outer[here + 1 :]]
    )
    return joined
