"""The arterial input and the venous output: found by the shape of curves, or given."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from assistant.imaging.problem import ImageProblem
from assistant.imaging.volume import Mask
from assistant.tasks.perfusion.study import Curves, Floats

_CANDIDATES = 0.005
_LEAST, _MOST = 12, 3000
_CLUSTER = 12
_ALIKE = 0.93
_LATE = 2.0
"""Seconds of later peaking by which the score of an artery falls to 1/e."""

_GREATEST_SCALE = 6.0


@dataclass(frozen=True, slots=True)
class Vessel:
    """A cluster of voxels of one vessel: ``voxel`` (slice, row, column) is its best one, ``curve``
    their mean, with peak, time of the peak, width at half height (s) and area."""

    voxel: tuple[int, int, int]
    mask: Mask
    curve: Floats
    peak: float
    peak_time: float
    width: float
    area: float


@dataclass(frozen=True, slots=True)
class Shapes:
    """Of many curves: height, time of the peak, width at half height, area of the first pass."""

    height: Floats
    time: Floats
    width: Floats
    area: Floats


def shapes(curves: Curves, times: Floats) -> Shapes:
    """The shapes of curves (voxels, times)."""
    step = np.gradient(times)
    height = curves.max(axis=1)
    top = curves.argmax(axis=1)
    half = curves >= height[:, None] / 2
    # The run of samples above half around the peak.
    index = np.arange(len(times))
    low = np.where(~half & (index < top[:, None]), index, -1).max(axis=1)
    high = np.where(~half & (index > top[:, None]), index, len(times)).min(axis=1)
    run = (index > low[:, None]) & (index < high[:, None])
    width = (run * step).sum(axis=1)
    wide = index <= (top + 2 * (high - top))[:, None]
    area = (np.maximum(curves, 0) * step * wide).sum(axis=1)
    return Shapes(height, times[top], width, area)


def artery(curves: Curves, times: Floats, mask: Mask, start: float) -> Vessel:
    """The early, high and narrow curve; ``start``: when the contrast agent comes, s.

    Raises `ImageProblem` where no voxel can be one.
    """
    found = shapes(curves, times)
    chosen = _candidates(found, curves, start, times)
    if not len(chosen):
        raise ImageProblem(
            "没有找到可用的动脉输入，请用 --aif 指定一个动脉体素。",
            "No arterial input was found; name a voxel of an artery with --aif.",
        )
    first = np.percentile(found.time[chosen], 5)
    late = np.exp(-np.maximum(found.time[chosen] - first, 0) / _LATE)
    narrow = np.median(found.width[chosen]) / np.maximum(found.width[chosen], 1e-3)
    score = found.height[chosen] * late * np.minimum(narrow, 2)
    # One voxel may be noise: a neighbour must score as well.
    image = np.zeros(mask.shape)
    places = np.argwhere(mask)[chosen]
    image[tuple(places.T)] = score
    support = ndimage.uniform_filter(image, (1, 3, 3), mode="constant") * 9
    best = chosen[int(np.argmax(score + 0.15 * support[tuple(places.T)]))]
    return cluster(curves, times, mask, int(best))


def vein(curves: Curves, times: Floats, mask: Mask, of: Vessel, start: float) -> Vessel | None:
    """The curve of greatest area that peaks after the artery; None where there is none."""
    found = shapes(curves, times)
    step = float(np.median(np.diff(times)))
    later = (found.time >= of.peak_time + step) & (found.time <= of.peak_time + 20)
    later &= found.height >= 0.5 * of.peak
    chosen = np.flatnonzero(later)
    chosen = chosen[_steady(curves[chosen], times, start)] if len(chosen) else chosen
    if not len(chosen):
        return None
    best = chosen[int(np.argmax(found.area[chosen]))]
    return cluster(curves, times, mask, int(best))


def scale(of: Vessel, venous: Vessel | None, times: Floats) -> float:
    """By what the arterial input is multiplied, so that it has the area of the venous output.

    Small arteries share their voxels with tissue, the great sinuses do not; what flows in flows
    out.  Never below 1.
    """
    if venous is None or of.area <= 0:
        return 1.0
    step = np.gradient(times)
    inflow = float((np.maximum(of.curve, 0) * step).sum())
    outflow = float((np.maximum(venous.curve, 0) * step).sum())
    return float(np.clip(outflow / max(inflow, 1e-9), 1.0, _GREATEST_SCALE))


def given(curves: Curves, times: Floats, mask: Mask, where: Mask) -> Vessel:
    """The vessel of the voxels ``where``.  Raises `ImageProblem` where none lie in ``mask``."""
    rows = np.flatnonzero(where[mask])
    if not len(rows):
        raise ImageProblem(
            "指定的动脉不在脑内或在图像之外，请检查 --aif 的坐标（列,行,层，从 0 起）。",
            "The given artery is outside the brain or the image; look at --aif (column,row,slice "
            "from 0).",
        )
    best = rows[int(np.argmax(curves[rows].max(axis=1)))]
    return _vessel(curves, times, mask, int(best), rows)


def cluster(curves: Curves, times: Floats, mask: Mask, best: int) -> Vessel:
    """The voxels around one whose curves are alike and nearly as high."""
    places = np.argwhere(mask)
    near = np.flatnonzero(np.abs(places - places[best]).max(axis=1) <= 4)
    own = curves[best]
    centred = curves[near] - curves[near].mean(axis=1, keepdims=True)
    mine = own - own.mean()
    norm = np.linalg.norm(centred, axis=1) * np.linalg.norm(mine)
    alike = centred @ mine / np.maximum(norm, 1e-9)
    high = curves[near].max(axis=1) >= 0.75 * own.max()
    fit = near[(alike >= _ALIKE) & high]
    image = np.zeros(mask.shape, bool)
    image[tuple(places[fit].T)] = True
    image[tuple(places[best])] = True
    labels, _ = ndimage.label(image, np.ones((3, 3, 3)))
    joined = fit[labels[tuple(places[fit].T)] == labels[tuple(places[best])]]
    distance = np.abs(places[joined] - places[best]).sum(axis=1)
    order = np.lexsort((distance, -curves[joined].max(axis=1)))
    return _vessel(curves, times, mask, best, joined[order[:_CLUSTER]])


def _vessel(
    curves: Curves, times: Floats, mask: Mask, best: int, rows: NDArray[np.int64]
) -> Vessel:
    curve = curves[rows].mean(axis=0).astype(np.float64)
    shape = shapes(curve[None].astype(np.float32), times)
    place = np.argwhere(mask)
    where = np.zeros(mask.shape, bool)
    where[tuple(place[rows].T)] = True
    z, y, x = (int(v) for v in place[best])
    return Vessel(
        (z, y, x),
        where,
        curve,
        float(shape.height[0]),
        float(shape.time[0]),
        float(shape.width[0]),
        float(shape.area[0]),
    )


def _candidates(found: Shapes, curves: Curves, start: float, times: Floats) -> NDArray[np.int64]:
    """All that is nearly as high as the highest, and not only these: a great sinus has more voxels
    than the arteries, and would leave them no place."""
    number = int(np.clip(len(curves) * _CANDIDATES, _LEAST, _MOST))
    highest = np.partition(found.height, -min(number, len(curves)))[-number:]
    floor = 0.3 * float(np.percentile(highest, 90))
    high = np.flatnonzero(found.height >= floor)
    fits = (found.time[high] > start) & (found.width[high] < 25)
    # A vessel that is still rising at the end is none to go by.
    fits &= found.time[high] < times[-3]
    return high[fits & _steady(curves[high], times, start)]


def _steady(curves: Curves, times: Floats, start: float) -> NDArray[np.bool_]:
    """Whether curves are flat before the contrast agent, rise and fall again, and do not jump.

    An edge of bone that moved does none of this.
    """
    height = np.maximum(curves.max(axis=1), 1e-9)
    before = np.abs(curves[:, times <= start]).max(axis=1, initial=0)
    end = curves[:, -3:].mean(axis=1)
    lowest = curves.min(axis=1)
    steady: NDArray[np.bool_] = (
        (before < 0.25 * height) & (end < 0.6 * height) & (lowest > -0.3 * height)
    )
    return steady
