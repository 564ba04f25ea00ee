"""What tells a nodule from a vessel: numbers of a cube around a candidate, in steps of its size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from assistant.imaging.volume import Floats
from assistant.tasks.detection.candidate import Candidate, Image
from assistant.tasks.detection.scan import Scan

_HALF = 12
_RADIUS = 4.0
"""Steps to the border of the candidate: the cube reaches three times as far."""

NAMES = (
    "diameter", "answer", "least_by_most", "middle_by_most", "shape_index",
    "core", "rim", "shell", "near", "far", "core_spread", "shell_spread", "contrast",
    "dense_rim", "dense_shell", "dense_near", "branches", "branch_share", "grown", "long", "flat",
    "fill", "outside_core", "outside_shell", "pleura", "core_highest",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Cube:
    """Distances from the middle of a cube, in radii of the candidate."""

    offsets: Floats
    away: Floats


def _cube() -> _Cube:
    steps = np.arange(-_HALF, _HALF + 1, dtype=float) / _RADIUS
    offsets = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"))
    return _Cube(offsets, np.linalg.norm(offsets, axis=0))


_CUBE = _cube()


def features(found: list[Candidate], scan: Scan, image: Image, background: float) -> Floats:
    """(n, len(NAMES)).  ``image`` is that of `candidate.prepared`."""
    if not found:
        return np.empty((0, len(NAMES)))
    sizes = np.asarray(scan.spacing)
    pleura = _pleura(scan)
    rows = []
    for one in found:
        places = _CUBE.offsets * (one.diameter / 2)
        index = np.asarray(one.index, float).reshape(3, 1, 1, 1) + places / sizes.reshape(
            3, 1, 1, 1
        )
        cube = ndimage.map_coordinates(image, index, order=1, mode="nearest")
        inside = ndimage.map_coordinates(
            scan.lung.view(np.uint8), index, output=np.uint8, order=0, mode="nearest"
        )
        depth = float(pleura[tuple(n // 2 for n in one.index)])
        rows.append(_row(one, cube.astype(float), inside > 0, background, depth))
    return np.asarray(rows)


def _pleura(scan: Scan) -> Floats:
    """Millimetres to the border of the lungs without bays, up to a few centimetres."""
    sizes = [2 * size for size in scan.spacing]
    found: Floats = ndimage.distance_transform_edt(scan.field[::2, ::2, ::2], sizes)
    return found


def _row(
    one: Candidate, cube: Floats, inside: np.ndarray, background: float, depth: float
) -> list[float]:
    away = _CUBE.away
    least, middle, most = one.curvatures
    rings = [(0, 0.5), (0.5, 1), (1.2, 1.6), (1.6, 2.2), (2.2, 3)]
    ring = [(away >= low) & (away < high) for low, high in rings]
    means = [float(cube[part].mean()) for part in ring]
    contrast = means[0] - background
    dense = cube > background + 0.5 * contrast
    labels, _ = ndimage.label(dense)
    name = labels[_HALF, _HALF, _HALF]
    grown = (labels == name) & (name > 0)
    branches, share = _branches(grown)
    long, flat, fill = _form(grown & (away < 2.2))
    return [
        one.diameter, one.answer, least / most, middle / most,
        2 / np.pi * np.arctan2(least + most, max(most - least, 1e-6)),
        *means, float(cube[ring[0]].std()), float(cube[ring[3]].std()), contrast,
        *(float(dense[part].mean()) for part in ring[2:5]),
        branches, share, float(grown[away < 3].mean()), long, flat, fill,
        float((~inside)[away < 1].mean()), float((~inside)[ring[3]].mean()),
        min(depth, 40.0), float(np.percentile(cube[away < 1], 95)),
    ]  # fmt: skip


def _branches(grown: np.ndarray) -> tuple[float, float]:
    """How many arms leave the candidate, and which share of a sphere around it they take."""
    sphere = (_CUBE.away >= 1.5) & (_CUBE.away < 1.85)
    _, count = ndimage.label(grown & sphere, np.ones((3, 3, 3)))
    return float(count), float(grown[sphere].mean())


def _form(part: np.ndarray) -> tuple[float, float, float]:
    """Ratios of the principal axes, and the share of the ball around it that it fills."""
    places = np.argwhere(part)
    if len(places) < 8:
        return 1.0, 1.0, 0.0
    moments = np.linalg.eigvalsh(np.cov(places.T.astype(float))) + 0.1
    reach = np.linalg.norm(places - places.mean(axis=0), axis=1).max() + 0.5
    fill = len(places) / (4 / 3 * np.pi * reach**3)
    return (
        float(np.sqrt(moments[2] / moments[1])),
        float(np.sqrt(moments[1] / moments[0])),
        float(fill),
    )
