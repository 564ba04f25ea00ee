"""Organs that never were: volumes with known truth, to try a way from images to a model.

Ellipsoids of chance size and place in a body of chance shape, with bias field, texture, blur and
noise; the intensities of organs overlap with those of blobs that are none, so that brightness alone
does not tell them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

NAMES = ("background", "liver", "spleen", "kidney")
"""Of the classes 0 to 3; a body has one large, one small and one bean-shaped organ."""


@dataclass(frozen=True, slots=True)
class _Organ:
    middle: tuple[float, float, float]
    radius: tuple[float, float, float]
    value: float


_ORGANS = (
    _Organ((0.5, 0.42, 0.32), (0.30, 0.19, 0.17), 0.62),
    _Organ((0.5, 0.40, 0.74), (0.20, 0.10, 0.09), 0.70),
    _Organ((0.5, 0.66, 0.62), (0.24, 0.10, 0.11), 0.55),
)
_BODY, _AIR, _BLOBS = 0.40, 0.03, 6


def organs(
    shape: tuple[int, int, int], random: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """An image (about 0 to 1,000) and its classes, [slice, row, column]."""
    places = np.indices(shape).astype(np.float32) + np.float32(0.5)
    places /= np.array(shape, np.float32).reshape(3, 1, 1, 1)
    body = _ellipsoid(places, (0.5, 0.5, 0.5), (2.0, 0.42, 0.46), random)
    image = np.where(body, _BODY, _AIR).astype(np.float32)
    labels = np.zeros(shape, np.uint8)
    for _ in range(_BLOBS):
        middle = tuple(random.uniform(0.15, 0.85, 3))
        radius = tuple(random.uniform(0.03, 0.06, 3))
        blob = _ellipsoid(places, middle, radius, random) & body
        image[blob] = random.uniform(0.5, 0.75)
    for number, one in enumerate(_ORGANS, start=1):
        mask = _ellipsoid(places, one.middle, one.radius, random, 0.1) & body & (labels == 0)
        image[mask] = one.value + random.normal(0, 0.02)
        labels[mask] = number
    image = ndimage.gaussian_filter(image, 0.7)
    field = ndimage.zoom(random.normal(0, 0.05, (3, 3, 3)), np.array(shape) / 3, order=1)
    texture = ndimage.gaussian_filter(random.normal(0, 0.06, shape), 1.2)
    image = image * (1 + field) + texture + random.normal(0, 0.03, shape)
    return (1000 * image).astype(np.float32), labels


def _ellipsoid(
    places: NDArray[np.float32],
    middle: tuple[float, ...],
    radius: tuple[float, ...],
    random: np.random.Generator,
    wander: float = 0.05,
) -> NDArray[np.bool_]:
    """One of about this middle and radius, its surface bent by a slow wave."""
    middle_here = np.array(middle) + random.uniform(-wander, wander, 3) / 2
    radius_here = np.array(radius) * random.uniform(1 - 2 * wander, 1 + 2 * wander, 3)
    away = (places - middle_here.reshape(3, 1, 1, 1)) / radius_here.reshape(3, 1, 1, 1)
    phase = random.uniform(0, 2 * np.pi, 3)
    bent = 1 + 0.08 * sum(np.sin(5 * away[axis] / 2 + phase[axis]) for axis in range(3))
    found: NDArray[np.bool_] = np.linalg.norm(away, axis=0) < bent
    return found


def write(
    folder: Path, count: int, shape: tuple[int, int, int] = (24, 96, 96), seed: int = 1
) -> None:
    """``count`` bodies as ``images/`` and ``masks/`` in NIfTI; slices 3 mm, pixels 2 mm apart."""
    import nibabel

    (folder / "images").mkdir(parents=True, exist_ok=True)
    (folder / "masks").mkdir(exist_ok=True)
    affine = np.diag([-2.0, -2.0, 3.0, 1.0])
    for number in range(count):
        image, labels = organs(shape, np.random.default_rng([seed, number]))
        made: tuple[tuple[str, Any], ...] = (("images", np.rint(image)), ("masks", labels))
        for place, array in made:
            kind = np.int16 if place == "images" else np.uint8
            held = nibabel.Nifti1Image(array.astype(kind).transpose(2, 1, 0), affine)
            nibabel.save(held, folder / place / f"body{number:03d}.nii.gz")
