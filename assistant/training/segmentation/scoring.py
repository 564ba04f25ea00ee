"""How good a segmentation is: Dice, and how far the surfaces lie apart.

HD95 and ASSD after Maier-Hein et al. 2024 (Metrics reloaded): both directions together; the
surface of a structure are its voxels with a neighbour outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Labels = NDArray[np.uint8]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Score:
    """Of one structure in one case.  Distances are in mm, and None where either has no voxel."""

    case: str
    structure: str
    dice: float
    hd95: float | None
    assd: float | None


def scores(
    case: str,
    found: Labels,
    drawn: Labels,
    spacing: tuple[float, float, float],
    names: Sequence[str],
) -> list[Score]:
    """Every structure that either has; ``names`` are those of the classes 1, 2, …"""
    made = []
    for number, name in enumerate(names, start=1):
        one, other = found == number, drawn == number
        if one.any() or other.any():
            distances = surface_distances(one, other, spacing)
            made.append(
                Score(
                    case,
                    name,
                    dice(one, other),
                    None if distances is None else float(np.percentile(distances, 95)),
                    None if distances is None else float(distances.mean()),
                )
            )
    return made


def dice(one: Mask, other: Mask) -> float:
    """Twice what both have, of what they have together; 1 where both are empty."""
    total = int(np.count_nonzero(one)) + int(np.count_nonzero(other))
    return 2 * int(np.count_nonzero(one & other)) / total if total else 1.0


def surface_distances(
    one: Mask, other: Mask, spacing: tuple[float, float, float]
) -> NDArray[np.float64] | None:
    """mm from each surface voxel of either to the other's surface; None where one is empty."""
    if not one.any() or not other.any():
        return None
    box = ndimage.find_objects((one | other).astype(np.uint8))[0]
    first, second = _surface(one[box]), _surface(other[box])
    to_second = ndimage.distance_transform_edt(~second, sampling=spacing)
    to_first = ndimage.distance_transform_edt(~first, sampling=spacing)
    found: NDArray[np.float64] = np.concatenate([to_second[first], to_first[second]])
    return found


def _surface(mask: Mask) -> Mask:
    # An axis of one voxel has no inside: its neighbours are not looked at.
    around = np.zeros((3, 3, 3), bool)
    around[1, 1, 1] = True
    for axis, size in enumerate(mask.shape):
        if size > 1:
            place: list[int | slice] = [1, 1, 1]
            place[axis] = slice(None)
            around[tuple(place)] = True
    inside = ndimage.binary_erosion(np.pad(mask, 1), around)[1:-1, 1:-1, 1:-1]
    found: Mask = mask & ~inside
    return found


def means(every: Sequence[Score], structure: str = "") -> dict[str, float]:
    """The mean Dice and distances of a structure, or of all; distances only where there are."""
    chosen = [one for one in every if not structure or one.structure == structure]
    found = {"cases": float(len({one.case for one in chosen}))}
    for name in ("dice", "hd95", "assd"):
        values = [getattr(one, name) for one in chosen if getattr(one, name) is not None]
        if values:
            found[name] = float(np.mean(values))
    return found
