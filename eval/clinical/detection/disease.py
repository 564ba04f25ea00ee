"""Diseased lung that is no nodule: masses with a rough border, and patches of networks and clumps.

Both are level sets of a smooth random field, so that no two are alike.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from assistant.imaging.volume import Floats, Mask
from eval.clinical.detection.scars import Field, Places, away_from, box_around

_SOFT = 0.35
"""How gradually, in deviations of the random field, its level sets end."""


def add_disease(
    hu: Field,
    lung: Mask,
    places: Places,
    spacing: tuple[float, float, float],
    rng: np.random.Generator,
) -> None:
    """Change ``hu`` in place: up to three patches, and in two of five scans a mass."""
    inside = np.argwhere(lung[::3, ::3, ::3]) * 3
    sizes = np.asarray(spacing)
    origin = np.array([float(place.ravel()[0]) for place in places])
    kinds = ["patch"] * int(rng.integers(1, 4)) + ["mass"] * int(rng.random() < 0.4)
    for kind in kinds:
        middle = inside[rng.integers(len(inside))] * sizes + origin
        reach = float(rng.uniform(12, 35) if kind == "patch" else rng.uniform(14, 26))
        box = box_around(middle, 1.6 * reach, origin, sizes, lung.shape)
        far = np.linalg.norm(away_from(box, places, middle), axis=-1) / reach
        grain = float(rng.uniform(1.2, 4.5))
        texture = _texture(far.shape, grain / sizes, rng)
        share = _patch(far, texture, rng) if kind == "patch" else _mass(far, texture, rng)
        target = float(rng.uniform(-500, 50) if kind == "patch" else rng.uniform(0, 60))
        share = share * lung[box]
        part = hu[box]
        part += (share * (np.maximum(target, part) - part)).astype(np.float32)


def _texture(shape: tuple[int, ...], widths: Floats, rng: np.random.Generator) -> Floats:
    made = ndimage.gaussian_filter(rng.standard_normal(shape), widths)
    found: Floats = made / max(float(made.std()), 1e-9)
    return found


def _patch(far: Floats, texture: Floats, rng: np.random.Generator) -> NDArray[np.float64]:
    """Sheets where the field is near 0 (a network), or clumps where it is high."""
    level = rng.uniform(0.6, 1.6)
    inner = 0.35 - np.abs(texture) if rng.random() < 0.5 else texture - level
    dense = 1 / (1 + np.exp(-inner / (_SOFT / 3)))
    found: NDArray[np.float64] = dense * np.clip(2 * (1 - far), 0, 1)
    return found


def _mass(far: Floats, texture: Floats, rng: np.random.Generator) -> NDArray[np.float64]:
    rough = rng.uniform(0.05, 0.3)
    found: NDArray[np.float64] = np.clip((1 + rough * texture - far) / 0.08 + 0.5, 0, 1)
    return found
