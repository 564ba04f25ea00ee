"""Nodules of known size and kind, put into a CT, simulated or real."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from assistant.imaging.volume import Mask

Kind = Literal["solid", "part_solid", "ground_glass"]
Place = Literal["within", "pleura", "vessel"]
KINDS: tuple[Kind, ...] = ("solid", "part_solid", "ground_glass")
PLACES: tuple[Place, ...] = ("within", "pleura", "vessel")

_COVERED = 0.4
_OVER = 3
"""Samples to a voxel along each axis, for the share of it that a nodule has."""


@dataclass(frozen=True, slots=True)
class Nodule:
    """``index`` in the image as stored (slice, row, column); ``diameter`` in mm."""

    index: tuple[float, float, float]
    diameter: float
    kind: Kind
    place: Place


def draw(
    count: int,
    lung: Mask,
    vessels: Mask,
    dense: Mask,
    spacing: tuple[float, float, float],
    rng: np.random.Generator,
    solid_share: float = 0.5,
) -> list[Nodule]:
    """Nodules of 4 to 20 mm (small ones are more frequent), none within 12 mm of another.

    ``dense``: what is denser than lung already; a nodule of which more than two fifths would lie
    there could not be seen, and is not drawn.
    """
    half = (slice(None), slice(None, None, 2), slice(None, None, 2))
    lung, vessels = lung[half], vessels[half]
    depth = ndimage.distance_transform_edt(lung, (spacing[0], 2 * spacing[1], 2 * spacing[2]))
    found: list[Nodule] = []
    shares = [solid_share, (1 - solid_share) / 2, (1 - solid_share) / 2]
    for number in range(count * 20):
        if len(found) == count:
            break
        kind: Kind = KINDS[int(rng.choice(3, p=shares))]
        place: Place = PLACES[number % 3]
        low = 4.0 if kind == "solid" else 6.0
        diameter = float(np.exp(rng.uniform(np.log(low), np.log(20.0))))
        where = _where(place, diameter, depth, vessels & lung, spacing, rng)
        if where is None or _hidden(where, diameter, dense, spacing):
            continue
        apart = [
            np.linalg.norm((np.asarray(where) - one.index) * spacing)
            - (one.diameter + diameter) / 2
            for one in found
        ]
        if min(apart, default=99.0) > 12:
            found.append(Nodule(where, diameter, kind, place))
    return found


def _hidden(
    where: tuple[float, float, float],
    diameter: float,
    dense: Mask,
    spacing: tuple[float, float, float],
) -> bool:
    reach = [int(np.ceil(diameter / 2 / size)) for size in spacing]
    axes = [
        np.clip(np.arange(round(c) - r, round(c) + r + 1), 0, n - 1)
        for c, r, n in zip(where, reach, dense.shape, strict=True)
    ]
    away = sum(
        ((axis - c) * size).reshape([-1 if i == n else 1 for n in range(3)]) ** 2
        for i, (axis, c, size) in enumerate(zip(axes, where, spacing, strict=True))
    )
    inside = np.asarray(away <= (diameter / 2) ** 2)
    return bool(dense[np.ix_(*axes)][inside].mean() > _COVERED) if inside.any() else True


def _where(
    place: Place,
    diameter: float,
    depth: NDArray[np.float64],
    vessels: Mask,
    spacing: tuple[float, float, float],
    rng: np.random.Generator,
) -> tuple[float, float, float] | None:
    radius = diameter / 2
    if place == "pleura":
        fit = (depth > 0.3 * radius) & (depth < 0.9 * radius)
    elif place == "vessel":
        near = vessels & (depth > radius + 3)
        fit = near
    else:
        fit = depth > radius + 3
    places = np.flatnonzero(fit)
    if not len(places):
        return None
    index = np.array(np.unravel_index(places[rng.integers(len(places))], depth.shape), float)
    if place == "vessel":
        side = rng.standard_normal(3)
        index += side / np.linalg.norm(side) * 0.7 * radius / (np.asarray(spacing) * (1, 2, 2))
    z, y, x = index * (1, 2, 2) + rng.uniform(-0.5, 0.5, 3)
    return float(z), float(y), float(x)


def insert(
    hu: NDArray[np.float32],
    nodule: Nodule,
    spacing: tuple[float, float, float],
    rng: np.random.Generator,
    blur: float = 0.0,
) -> None:
    """Change ``hu`` in place.  ``blur``: standard deviation in mm of an image's own blur, where
    the image is not blurred afterwards."""
    radius = nodule.diameter / 2
    sizes = np.asarray(spacing)
    reach = np.ceil((1.5 * radius + 3 * blur) / sizes).astype(int) + 1
    middle = np.round(nodule.index).astype(int)
    low, high = np.maximum(middle - reach, 0), np.minimum(middle + reach + 1, hu.shape)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    share, core = _shares(nodule, low, high, sizes, rng)
    if blur:
        share, core = (ndimage.gaussian_filter(part, blur / sizes) for part in (share, core))
    old = hu[box]
    dense = rng.uniform(10, 60)
    glass = old + rng.uniform(200, 380)
    grain = ndimage.gaussian_filter(rng.standard_normal(old.shape), 0.7) * 20
    if nodule.kind == "solid":
        new = old + share * (np.maximum(dense, old) - old)
    else:
        new = old + share * (np.maximum(np.minimum(glass, dense), old) - old)
        new = new + core * (np.maximum(dense, new) - new)
    hu[box] = np.where(share > 0.01, new + grain * share, old)


def _shares(
    nodule: Nodule,
    low: NDArray[np.int64],
    high: NDArray[np.int64],
    sizes: NDArray[np.float64],
    rng: np.random.Generator,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The share of each voxel in the nodule, and in its solid core."""
    axes = [
        ((np.arange((b - a) * _OVER) + 0.5) / _OVER - 0.5 + a - c) * s
        for a, b, c, s in zip(low, high, nodule.index, sizes, strict=True)
    ]
    places = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    turn = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    stretch = rng.uniform(0.85, 1.18, 3)
    stretch /= np.prod(stretch) ** (1 / 3)
    turned = places @ turn / stretch
    away = np.linalg.norm(turned, axis=-1) / (nodule.diameter / 2)
    # Lobes: the border moves with a few smooth waves over the sphere.
    unit = turned / np.maximum(np.linalg.norm(turned, axis=-1, keepdims=True), 1e-9)
    waves = np.zeros(away.shape)
    for _ in range(4):
        waves += np.cos(unit @ rng.normal(0, 3, 3) + rng.uniform(0, 6.28))
    border = 1 + rng.uniform(0, 0.08) * waves
    shift = rng.uniform(-0.15, 0.15, 3)
    inner = np.linalg.norm(turned / (nodule.diameter / 2) - shift, axis=-1)
    core = (inner < rng.uniform(0.35, 0.6)) if nodule.kind == "part_solid" else np.zeros_like(away)
    shape = tuple(n for a, b in zip(low, high, strict=True) for n in (b - a, _OVER))
    share, hard = (
        part.astype(float).reshape(shape).mean(axis=(1, 3, 5)) for part in (away < border, core)
    )
    return share, hard
