"""What else is dense in a lung and is no nodule: fissures, plates and bands, dilated bronchi with a
wall, and patches of ground glass without a border."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assistant.imaging.volume import Floats, Mask

Field = NDArray[np.float32]
Places = tuple[Field, Field, Field]

_COUNT = 16


def add_scars(
    hu: Field,
    lung: Mask,
    places: Places,
    spacing: tuple[float, float, float],
    size: float,
    rng: np.random.Generator,
) -> None:
    """Change ``hu`` in place.  ``places`` are the voxels' positions along each axis, mm."""
    _fissures(hu, lung, places, size)
    inside = np.argwhere(lung[::3, ::3, ::3]) * 3
    sizes = np.asarray(spacing)
    origin = np.array([float(place.ravel()[0]) for place in places])
    for number in range(_COUNT):
        middle = inside[rng.integers(len(inside))] * sizes + origin
        normal, along = np.linalg.qr(rng.standard_normal((3, 3)))[0][:2]
        reach = float(rng.uniform(6, 22))
        box = box_around(middle, reach, origin, sizes, lung.shape)
        away = away_from(box, places, middle)
        part = hu[box]
        near = lung[box] & (np.linalg.norm(away, axis=-1) < reach)
        if number % 4 == 0:
            _haze(part, lung[box], away, reach)
        elif number % 4 == 1:
            _bronchus(part, near, away, along, rng)
        else:
            _plate(part, near, away, normal, along, reach, number % 4 == 3, rng)


def _fissures(hu: Field, lung: Mask, places: Places, size: float) -> None:
    z, y, x = places
    slope = (z + 0.8 * (y - 15 * size)) / 1.28
    for side in (1, -1):
        fissure = np.broadcast_to(np.abs(slope + side * 4) < 0.6, lung.shape) & (side * x > 0)
        hu[fissure & lung] = np.maximum(hu, -720)[fissure & lung]


def box_around(
    middle: Floats, reach: float, origin: Floats, sizes: Floats, shape: tuple[int, ...]
) -> tuple[slice, ...]:
    """The voxels within ``reach`` mm of ``middle``, and a little more."""
    low = np.floor((middle - reach - 3 - origin) / sizes).astype(int)
    high = np.ceil((middle + reach + 3 - origin) / sizes).astype(int) + 1
    ends = zip(np.maximum(low, 0), np.minimum(high, shape), strict=True)
    return tuple(slice(int(a), int(b)) for a, b in ends)


def away_from(box: tuple[slice, ...], places: Places, middle: Floats) -> Floats:
    """(…, 3): how far each voxel of a box is from ``middle`` along each axis, mm."""
    axes = []
    for axis, (place, centre) in enumerate(zip(places, middle, strict=True)):
        part = tuple(box[axis] if n == axis else slice(None) for n in range(3))
        axes.append(place[part] - centre)
    return np.stack(np.broadcast_arrays(*axes), axis=-1)


def _haze(part: Field, inside: Mask, away: Floats, reach: float) -> None:
    far = np.linalg.norm(away, axis=-1)
    haze = 180 * np.exp(-((far / (0.6 * reach)) ** 2))
    part[inside] += haze[inside]


def _bronchus(
    part: Field, near: Mask, away: Floats, along: Floats, rng: np.random.Generator
) -> None:
    across = np.linalg.norm(away - (away @ along)[..., None] * along, axis=-1)
    wide = rng.uniform(1.5, 4.0)
    wall = (np.abs(across - wide) < 0.8) & near
    part[wall] = np.maximum(part[wall], -250)
    part[(across < wide - 0.8) & near] = -980


def _plate(
    part: Field,
    near: Mask,
    away: Floats,
    normal: Floats,
    along: Floats,
    reach: float,
    is_band: bool,
    rng: np.random.Generator,
) -> None:
    """A thin plate; a band where it is cut narrow."""
    narrow = np.abs(away @ along) < (rng.uniform(1.5, 4) if is_band else reach)
    thick = rng.uniform(0.5, 1.6)
    plate = (np.abs(away @ normal) < thick) & near & narrow
    part[plate] = np.maximum(part[plate], rng.uniform(-400, 20))
