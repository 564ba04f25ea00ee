"""Lungs: what is filled with air in the body, has a texture (gas has none), and is enclosed by
soft tissue; then the left one apart from the right one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.segmentation import watershed

from assistant.imaging.ct.body import FLAT
from assistant.imaging.ct.coarse import Coarse
from assistant.imaging.ct.hounsfield import AIR
from assistant.imaging.volume import Mask

AERATED = -400
"""HU between aerated lung and soft tissue."""

_RIM = 10.0
"""Millimetres to which air belongs to the nearest core of air."""
_CORE = 6.0
"""Millimetres from the border: values there are not blurred by the wall."""
_GAS = -900.0
_EVEN = 80.0
"""Gas in bowel, stomach or trachea: its 95th percentile stays below the first (HU), or half of it
below the first and its 5th to its 95th within the second, beside noise.  Lung, even emphysema, is
more uneven, since vessels run in it."""
_DENSEST = -450.0
_LEAST = 50.0
"""Millilitres of both lungs; of an image of few slices, ten square centimetres on each."""
_LEAST_AREA = 10.0
_SMALL = 10.0
"""Millilitres of a part of a lung."""
_CORNER = 0.01
_WALL = 9.0
"""Millimetres around lung in which there is soft tissue nearly everywhere; a pad in a table has a
thin shell and air."""
_WALLED = 0.75


@dataclass(frozen=True, slots=True)
class Lungs:
    """Coarse masks, empty for a side that is not there; ``gas`` is air in the body but no lung."""

    left: Mask
    right: Mask
    gas: Mask

    @property
    def both(self) -> Mask:
        """Left and right."""
        return self.left | self.right


def coarse_lungs(coarse: Coarse, body: Mask) -> Lungs | None:
    """None where there are no lungs."""
    slab = coarse.hu.shape[0] * coarse.spacing[0] / 10  # cm
    noise = _noise(coarse, body)
    inner = _inner_air(coarse)
    parts = _parts(coarse, inner)
    boxes = [coarse.around(found, _WALL) for found in ndimage.find_objects(parts)]
    names = [
        n
        for n, box in enumerate(boxes, 1)
        if _is_lung(coarse.cropped(box), parts[box] == n, body[box], slab, noise)
    ]
    sizes = {n: float((parts == n).sum()) * coarse.millilitres for n in names}
    if not names or sum(sizes.values()) < min(_LEAST, _LEAST_AREA * slab):
        return None
    lung = np.isin(parts, names)
    left, right = _sides(coarse, lung, midline(coarse, body))
    return Lungs(left, right, inner & ~lung)


def _noise(coarse: Coarse, body: Mask) -> float:
    """Standard deviation (HU) of blocks of soft tissue, from how much neighbours differ."""
    soft = body & (np.abs(coarse.hu) < 200)
    both = soft[..., 1:] & soft[..., :-1]
    if not both.any():
        return 0.0
    apart = np.abs(np.diff(coarse.hu, axis=2)[both])
    return float(np.median(apart) * 1.4826 / np.sqrt(2))


def _inner_air(coarse: Coarse) -> Mask:
    """Air that does not reach the border of its slice, and lung that does (a cropped image)."""
    air = coarse.hu < AERATED
    labels, count = ndimage.label(air, FLAT)
    if not count:
        return air
    edges = [labels[:, 0], labels[:, -1], labels[:, :, 0], labels[:, :, -1]]
    border = np.unique(np.concatenate([edge.ravel() for edge in edges]))
    border = border[border > 0]
    medians = ndimage.median(coarse.hu, labels, border)
    around = border[np.asarray(medians) < AIR + 50] if len(border) else border
    outside = np.zeros(count + 1, bool)
    outside[around] = True
    return np.asarray(air & ~outside[labels])


def _parts(coarse: Coarse, air: Mask) -> NDArray[np.int32]:
    """Air in parts that hang together by more than a block: a thin wall leaks."""
    core = coarse.distance(air) > 1.01 * coarse.spacing[2]
    seeds, count = ndimage.label(core)
    if not count:
        return np.zeros(air.shape, np.int32)
    apart, nearest = ndimage.distance_transform_edt(seeds == 0, coarse.spacing, return_indices=True)
    near = air & (apart <= _RIM)
    parts: NDArray[np.int32] = np.where(near, seeds[tuple(nearest)], 0).astype(np.int32)
    return parts


def _is_lung(coarse: Coarse, part: Mask, body: Mask, slab: float, noise: float) -> bool:
    size = float(part.sum()) * coarse.millilitres
    if size < min(_SMALL, 0.2 * _LEAST_AREA * slab):
        return False
    values = coarse.hu[coarse.distance(part) > _CORE]
    if values.size * coarse.millilitres < 0.1 * min(_SMALL, slab):
        return False
    low, median, high = np.percentile(values, (5, 50, 95))
    if median > _DENSEST or high - 1.65 * noise < _GAS:
        return False
    if median < _GAS and (high - low) ** 2 - (3.3 * noise) ** 2 < _EVEN**2:
        return False
    wall = coarse.dilated(part, _WALL) & ~coarse.dilated(part, max(coarse.spacing[1:]) * 1.1)
    air = (coarse.hu < AERATED) & body
    solid = (coarse.hu > -250) & body
    judged = wall & ~air

    return bool(solid[judged].mean() >= _WALLED) if judged.any() else True


def midline(coarse: Coarse, body: Mask) -> float:
    """The column of the spine, or of the middle of the body where there is no bone."""
    columns = np.nonzero(body.any(axis=(0, 1)))[0]
    if not len(columns):
        return float(coarse.hu.shape[2] / 2)
    middle = (columns[0] + columns[-1]) / 2
    rows = np.nonzero(body.any(axis=(0, 2)))[0]
    back = (rows[0] + rows[-1]) // 2
    bone = (coarse.hu > 200) & body
    bone[:, :back] = False
    near = 50 / coarse.spacing[2]
    low, high = max(int(middle - near), 0), int(middle + near) + 1
    weights = bone[:, :, low:high].sum(axis=(0, 1))
    if weights.sum() * coarse.millilitres < 1:
        return float(middle)
    return float(low + np.average(np.arange(len(weights)), weights=weights).item())


def _sides(coarse: Coarse, lung: Mask, middle: float) -> tuple[Mask, Mask]:
    labels, _ = ndimage.label(lung)
    left = np.zeros(lung.shape, bool)
    for number, found in enumerate(ndimage.find_objects(labels), 1):
        box = coarse.around(found, 0)
        part = labels[box] == number
        column = middle - box[2].start
        half = _split(coarse, part, column)
        if half is None:
            half = part & (_column(part) > column)
        left[box] |= half
    right = lung & ~left
    # Less than this is a corner of the other lung that reaches over the midline.
    for few, many in ((left, right), (right, left)):
        if few.sum() < _CORNER * many.sum():
            many |= few
            few[:] = False
    return left, right


def _column(part: Mask) -> float:
    """The mean column."""
    counts = part.sum(axis=(0, 1))
    return float(np.average(np.arange(len(counts)), weights=counts))


def _split(coarse: Coarse, part: Mask, middle: float) -> Mask | None:
    """The left half of lungs that touch; None where it is one lung."""
    columns = np.nonzero(part.any(axis=(0, 1)))[0]
    reach = (middle - columns[0]) * coarse.spacing[2], (columns[-1] - middle) * coarse.spacing[2]
    if min(reach) < 30:
        return None
    depth = coarse.distance(part)
    for least in (3, 5, 7, 9, 12, 15, 18, 22):
        seeds, count = ndimage.label(depth > least)
        if count < 2:
            continue
        sizes = np.bincount(seeds.ravel())[1:]
        order = np.argsort(sizes)[::-1][:2] + 1
        if sizes[order[1] - 1] < 0.2 * sizes.sum():
            continue
        centres = [_column(seeds == n) for n in order]
        if (centres[0] - middle) * (centres[1] - middle) >= 0:
            continue
        markers = np.zeros(part.shape, np.int32)
        for n, centre in zip(order, centres, strict=True):
            markers[seeds == n] = 1 if centre > middle else 2
        return np.asarray(watershed(-depth, markers, mask=part) == 1)
    return None
