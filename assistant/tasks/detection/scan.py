"""Where in a CT nodules are looked for: the lungs, with what lies against the pleura."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from assistant.imaging.ct.hounsfield import HU, hounsfield
from assistant.imaging.ct.orientation import Orientation
from assistant.imaging.ct.pipeline import Report, available
from assistant.imaging.ct.shaping import closed
from assistant.imaging.problem import ImageProblem
from assistant.imaging.volume import Floats, Mask, Volume

_BAY = 11.0
"""Millimetres: half the width of the bay that a nodule at the pleura makes in the lung's border."""
_MARGIN = 12.0

Spacing = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Scan:
    """Arrays are turned (to the head, to the back, to the left) and cut to the lungs.

    ``lung`` is the lung as segmented, ``field`` the lung with the bays of its border filled, but
    for those at the mediastinum, in which the vessels of the hilum lie; ``left`` is the left lung;
    ``corner`` is the index of [0, 0, 0] in the turned image.
    """

    volume: Volume
    turn: Orientation
    spacing: Spacing
    hu: HU
    lung: Mask
    field: Mask
    left: Mask
    corner: tuple[int, int, int]

    @classmethod
    def of(cls, volume: Volume, progress: Report) -> Scan:
        """Raises `ImageProblem` for what is no CT and where there are no lungs."""
        sides = available(volume, ("lung_left", "lung_right"), progress)
        if not sides:
            raise ImageProblem(
                "图像里没有肺，请提供胸部 CT。",
                "There are no lungs in this image; give a CT of the chest.",
            )
        turn = Orientation.of(volume.grid)
        spacing = turn.spacing(volume.grid)
        none = np.zeros(volume.grid.shape, bool)
        left, right = (turn.turned(sides.get(f"lung_{side}", none)) for side in ("left", "right"))
        box = _box(left | right, spacing)
        hu = np.ascontiguousarray(turn.turned(hounsfield(volume))[box])
        left, right = np.ascontiguousarray(left[box]), np.ascontiguousarray(right[box])
        steps = max(1, round(_BAY / spacing[1])), max(1, round(_BAY / spacing[2]))
        bays = (closed(left, steps) | closed(right, steps)) & ~between(left, right)
        field = bays | left | right
        z, y, x = (part.start for part in box)
        return cls(volume, turn, spacing, hu, left | right, field, left, (z, y, x))

    def original(self, index: Floats) -> Floats:
        """(n, 3) indices here → indices (slice, row, column) of the volume as stored."""
        turned = np.asarray(index, float) + self.corner
        sizes = np.asarray(self.volume.grid.shape)[list(self.turn.order)]
        turned = np.where(self.turn.flipped, sizes - 1 - turned, turned)
        found = np.empty_like(turned)
        found[:, list(self.turn.order)] = turned
        return found

    def here(self, index: Floats) -> Floats:
        """The inverse of `original`."""
        turned = np.asarray(index, float)[:, list(self.turn.order)]
        sizes = np.asarray(self.volume.grid.shape)[list(self.turn.order)]
        turned = np.where(self.turn.flipped, sizes - 1 - turned, turned)
        return np.asarray(turned - self.corner)


def between(left: Mask, right: Mask) -> Mask:
    """The mediastinum: in its row of an axial slice, the next lung to one side is the right one,
    and to the other the left one."""
    columns = np.arange(left.shape[2], dtype=np.int32)
    nearest = []
    for flip in (slice(None), slice(None, None, -1)):
        last = [
            np.maximum.accumulate(np.where(lung[..., flip], columns, -1), axis=2)[..., flip]
            for lung in (left, right)
        ]
        nearest.append(last)
    (low_left, low_right), (high_left, high_right) = nearest
    return np.asarray((low_right > low_left) & (high_left > high_right) & ~left & ~right)


def _box(mask: Mask, spacing: Spacing) -> tuple[slice, slice, slice]:
    found = ndimage.find_objects(mask.astype(np.uint8))[0]
    z, y, x = (
        slice(max(part.start - int(_MARGIN / size) - 1, 0), part.stop + int(_MARGIN / size) + 1)
        for part, size in zip(found, spacing, strict=True)
    )
    return z, y, x
