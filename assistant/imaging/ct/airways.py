"""Trachea and bronchi: a round dark section near the midline is followed from slice to slice, and
grown from there until it would leak into lung."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from assistant.imaging.ct.body import FLAT
from assistant.imaging.ct.hounsfield import HU
from assistant.imaging.volume import Mask

_DARK = -880
_AREA = (50.0, 700.0)
"""Square millimetres of a trachea's section."""
_ASIDE = 45.0
"""Millimetres from the midline."""
_LENGTH = 20.0
_MOST = 130_000.0
"""Cubic millimetres: no tree of airways with its trachea has more."""
_LEAK = 1.6
_STEPS = (-960, -940, -920, -900, -880, -850)


@dataclass(frozen=True, slots=True)
class Airways:
    """``tree``: trachea and bronchi; ``trachea``: what of it lies above the carina."""

    tree: Mask
    trachea: Mask


def airways(hu: HU, inside: Mask, spacing: tuple[float, float, float], middle: float) -> Airways:
    """Empty where no trachea is found; ``middle`` is the column of the midline."""
    seed = _tracked(hu, inside, spacing, middle)
    if not seed.any():
        return Airways(seed, seed)
    tree = _grown(hu, inside, seed, float(np.prod(spacing)))
    return Airways(tree, _above_carina(tree, seed, spacing))


def _tracked(hu: HU, inside: Mask, spacing: tuple[float, float, float], middle: float) -> Mask:
    """The longest chain of round sections that overlap, from slice to slice."""
    reach = round(_ASIDE / spacing[2]) + 1
    low, high = max(int(middle) - reach, 0), int(middle) + reach + 1
    labels, count = ndimage.label((hu < _DARK)[..., low:high] & inside[..., low:high], FLAT)
    rounded = _round(labels, count, spacing)
    chain: dict[int, int] = {}
    before: dict[int, int] = {}
    for number in range(hu.shape[0]):
        for name in np.unique(labels[number]):
            if name not in rounded:
                continue
            chain[name] = 1
            if number == 0:
                continue
            under = labels[number - 1][labels[number] == name]
            under = under[np.isin(under, list(chain))]
            if len(under):
                best = max(np.unique(under).tolist(), key=lambda n: chain[n])
                chain[name], before[name] = chain[best] + 1, best
    found = np.zeros(hu.shape, bool)
    if not chain:
        return found
    last = max(chain, key=lambda n: chain[n])
    if chain[last] * spacing[0] < min(_LENGTH, hu.shape[0] * spacing[0]) or chain[last] < 2:
        return found
    names = [last]
    while names[-1] in before:
        names.append(before[names[-1]])
    found[..., low:high] = np.isin(labels, names)
    return found


def _round(labels: NDArray[np.int32], count: int, spacing: tuple[float, float, float]) -> set[int]:
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    area = spacing[1] * spacing[2]
    fit = set()
    for name, part in enumerate(ndimage.find_objects(labels), 1):
        if part is None or not _AREA[0] <= sizes[name] * area <= _AREA[1]:
            continue
        if part[2].start == 0 or part[2].stop == labels.shape[2]:
            continue
        high = (part[1].stop - part[1].start) * spacing[1]
        wide = (part[2].stop - part[2].start) * spacing[2]
        full = sizes[name] * area / (high * wide)
        if max(high, wide) / min(high, wide) < 2.2 and full > 0.55:
            fit.add(name)
    return fit


def _grown(hu: HU, inside: Mask, seed: Mask, voxel: float) -> Mask:
    """At the highest of rising thresholds before the tree explodes into lung."""
    kept = seed
    size = 0.0
    for threshold in _STEPS:
        labels, _ = ndimage.label(((hu < threshold) & inside) | seed)
        names = np.unique(labels[seed])
        grown = np.isin(labels, names) if len(names) > 1 else labels == names[0]
        volume = float(grown.sum()) * voxel
        if volume > _MOST or (size and volume > _LEAK * size):
            break
        kept, size = grown, max(volume, float(seed.sum()) * voxel)
    return kept


def _above_carina(tree: Mask, seed: Mask, spacing: tuple[float, float, float]) -> Mask:
    """The part of the tree over the highest slice from which it is in two for 6 mm downwards."""
    area = spacing[1] * spacing[2]
    slices = np.nonzero(seed.any(axis=(1, 2)))[0]
    labels, _ = ndimage.label(tree, FLAT)
    needed = max(1, round(6 / spacing[0]))
    split = 0
    carina = -1
    for number in range(slices[-1], -1, -1):
        sizes = np.bincount(labels[number][labels[number] > 0])
        split = split + 1 if (sizes * area >= 25).sum() >= 2 else 0
        if split >= needed:
            carina = number + needed - 1
            break
        if not sizes.any():
            break
    above = tree.copy()
    above[: carina + 1] = False
    if carina < 0:
        above[: slices[0]] = False
    return above
