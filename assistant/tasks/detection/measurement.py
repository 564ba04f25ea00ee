"""Size and density of a nodule: it is cut out at half of its contrast, and its axes are taken on
the axial slice on which it is largest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import ndimage

from assistant.imaging.volume import Floats, Mask
from assistant.tasks.detection.candidate import Candidate
from assistant.tasks.detection.scan import Scan

Density = Literal["solid", "part_solid", "ground_glass"]

_STEP = 0.6
"""Millimetres of the cube in which it is measured."""
_SOLID = -300.0
"""HU above which tissue is solid and vessels cannot be seen through it."""
_HAZE = 110.0
"""HU by which ground glass is denser than the lung around it."""
_BLUR = 2.0
"""Millimetres at the border of a solid nodule that are grey for no other reason than blur."""
_HAZY = 0.35
_CORE = 2.0
"""Millimetres: a smaller solid part is not told."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Lengths in mm.  ``mask`` lies in the `Scan` at ``box``; ``solid_mm`` is the mean diameter of
    the solid part, 0 where there is none."""

    long_mm: float
    short_mm: float
    volume_mm3: float
    density: Density
    solid_mm: float
    mean_hu: float
    box: tuple[slice, slice, slice]
    mask: Mask

    @property
    def mean_mm(self) -> float:
        """The mean of the long and the short axis."""
        return (self.long_mm + self.short_mm) / 2


def measured(one: Candidate, scan: Scan, background: float) -> Measured | None:
    """None where nothing can be cut out at the candidate."""
    half = int(np.ceil((0.85 * one.diameter + 5) / _STEP))
    offsets: Floats = np.arange(-half, half + 1, dtype=float) * _STEP
    cube, inside = _cube(one, scan, offsets)
    away = np.linalg.norm(np.stack(np.meshgrid(offsets, offsets, offsets, indexing="ij")), axis=0)
    cube[~inside] = background
    core = float(np.percentile(cube[away <= max(0.25 * one.diameter, 1.0)], 60))
    if core - background < _HAZE / 2:
        return None
    reach = inside & (away <= 0.85 * one.diameter + 2)
    part = _grown(reach & (cube > (background + core) / 2), one.diameter, away)
    if part is None:
        return None
    density: Density = "solid" if core > _SOLID else "ground_glass"
    solid = _thick(part & (cube > _SOLID))
    haze = _grown(reach & (cube > background + _HAZE), one.diameter, away)
    if density == "solid" and haze is not None:
        beyond = haze & (ndimage.distance_transform_edt(~part) * _STEP > _BLUR)
        if beyond.sum() > _HAZY * haze.sum():
            density = "part_solid"
            rim = float(np.median(cube[beyond]))
            whole = _grown(reach & (cube > (background + rim) / 2), one.diameter, away)
            part = haze if whole is None else whole
    elif density == "ground_glass" and _mean_diameter(solid) >= _CORE:
        density = "part_solid"
    long_mm, short_mm = _axes(part)
    solid_mm = {"solid": (long_mm + short_mm) / 2, "ground_glass": 0.0}.get(
        density, _mean_diameter(solid)
    )
    box, mask = _back(one, scan, part, half)
    return Measured(
        long_mm,
        short_mm,
        float(part.sum()) * _STEP**3,
        density,
        solid_mm,
        float(cube[part].mean()),
        box,
        mask,
    )


def _cube(one: Candidate, scan: Scan, offsets: Floats) -> tuple[Floats, Mask]:
    steps = [middle + offsets / size for middle, size in zip(one.index, scan.spacing, strict=True)]
    index = np.stack(np.meshgrid(*steps, indexing="ij"))
    values = ndimage.map_coordinates(scan.hu, index, output=np.float32, order=1, mode="nearest")
    field = ndimage.map_coordinates(
        scan.field.view(np.uint8), index, output=np.uint8, order=0, mode="nearest"
    )
    return values.astype(float), field > 0


def _grown(mask: Mask, diameter: float, away: Floats) -> Mask | None:
    """The part at the middle, without vessels that leave it (opened by a third of its radius)."""
    depth = ndimage.distance_transform_edt(mask) * _STEP
    near = np.where(away <= 0.5 * diameter, depth, 0)
    deepest = float(near.max())
    if deepest <= 0:
        return None
    opened = depth > 0.45 * deepest
    labels, _ = ndimage.label(opened)
    name = labels[np.unravel_index(int(near.argmax()), near.shape)]
    seed = labels == name
    found: Mask = mask & (ndimage.distance_transform_edt(~seed) * _STEP <= 0.5 * deepest)
    return found


def _axes(part: Mask) -> tuple[float, float]:
    """The longest line within the largest axial section, and the widest at right angles to it."""
    section = part[int(part.sum(axis=(1, 2)).argmax())]
    border = section & ~ndimage.binary_erosion(section)
    places = np.argwhere(border) * _STEP
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)
    first, last = np.unravel_index(int(apart.argmax()), apart.shape)
    long_mm = float(apart[first, last])
    if long_mm == 0:
        return _STEP, _STEP
    along = (places[last] - places[first]) / long_mm
    across = places @ np.array([-along[1], along[0]])
    return long_mm + _STEP, float(across.max() - across.min()) + _STEP


def _thick(part: Mask) -> Mask:
    """The largest part that is no thread: vessels run through ground glass and are no solid part
    of it."""
    opened = ndimage.binary_opening(part, iterations=2)
    labels, count = ndimage.label(opened)
    if not count:
        return np.zeros(part.shape, bool)
    return np.asarray(labels == 1 + int(np.bincount(labels.ravel())[1:].argmax()))


def _mean_diameter(part: Mask) -> float:
    return float(np.mean(_axes(part))) if part.any() else 0.0


def _back(
    one: Candidate, scan: Scan, part: Mask, half: int
) -> tuple[tuple[slice, slice, slice], Mask]:
    """The part on the voxels of the scan."""
    steps, slices = [], []
    for middle, size, count in zip(one.index, scan.spacing, scan.hu.shape, strict=True):
        reach = int(half * _STEP / size)
        low, high = max(middle - reach, 0), min(middle + reach + 1, count)
        slices.append(slice(low, high))
        steps.append(np.round((np.arange(low, high) - middle) * size / _STEP).astype(int) + half)
    mask = part[np.ix_(*steps)]
    z, y, x = slices
    if not mask.any():
        mask = mask.copy()
        mask[one.index[0] - z.start, one.index[1] - y.start, one.index[2] - x.start] = True
    return (z, y, x), mask
