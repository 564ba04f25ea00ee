"""Trees of vessels that fill a lung: tubes that branch and grow thinner towards the pleura."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.imaging.volume import Mask

Floats = NDArray[np.float64]

_FIRST = 4.5
_LAST = 0.6
_MURRAY = 2 ** (-1 / 3)
"""Each of two branches has this share of its parent's radius (Murray 1926)."""
_TRUNKS = 5


@dataclass(frozen=True, slots=True)
class _Segment:
    start: Floats
    end: Floats
    radius: float


def grow(
    lung: Mask,
    hilum: tuple[float, float, float],
    spacing: tuple[float, float, float],
    places: tuple[NDArray[np.float32], ...],
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """The share of each voxel that a vessel has, 0 to 1, within ``lung``."""
    share = np.zeros(lung.shape, np.float32)
    origin = np.array([float(place.ravel()[0]) for place in places])
    sizes = np.asarray(spacing)
    inside = np.argwhere(lung[::4, ::4, ::4]) * 4 * sizes + origin
    for trunk in range(_TRUNKS):
        target = inside[rng.integers(len(inside))]
        away = target - np.asarray(hilum)
        stack = [(np.asarray(hilum, float), away / np.linalg.norm(away), _FIRST - 0.4 * trunk)]
        while stack:
            start, direction, radius = stack.pop()
            length = radius * rng.uniform(4, 8) + 3
            end = start + direction * length
            _draw(share, _Segment(start, end, radius), origin, sizes)
            index = np.round((end - origin) / sizes).astype(int)
            within = ((index >= 0) & (index < lung.shape)).all() and lung[tuple(index)]
            # The first part of a trunk leads from the hilum into the lung.
            if radius * _MURRAY < _LAST or (not within and radius < 0.8 * _FIRST):
                continue
            for turn in (1, -1):
                stack.append((end, _turned(direction, turn, rng), radius * _MURRAY))
    return np.where(lung, share, 0)


def _turned(direction: Floats, side: int, rng: np.random.Generator) -> Floats:
    across = np.cross(direction, rng.standard_normal(3))
    across /= np.linalg.norm(across)
    angle = rng.uniform(0.2, 0.7) * side
    turned: Floats = np.cos(angle) * direction + np.sin(angle) * across
    return turned / np.linalg.norm(turned)


def _draw(share: NDArray[np.float32], part: _Segment, origin: Floats, sizes: Floats) -> None:
    """A tube with soft edges (the share of a voxel that it covers)."""
    soft = float(sizes.max()) / 2
    reach = part.radius + soft
    low = np.floor((np.minimum(part.start, part.end) - reach - origin) / sizes).astype(int)
    high = np.ceil((np.maximum(part.start, part.end) + reach - origin) / sizes).astype(int) + 1
    low, high = np.maximum(low, 0), np.minimum(high, share.shape)
    if (low >= high).any():
        return
    axes = [np.arange(a, b) * s + o for a, b, s, o in zip(low, high, sizes, origin, strict=True)]
    places = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1) - part.start
    along = part.end - part.start
    t = np.clip(places @ along / (along @ along), 0, 1)[..., None]
    apart = np.linalg.norm(places - t * along, axis=-1)
    covered = np.clip((part.radius - apart) / (2 * soft) + 0.5, 0, 1)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    np.maximum(share[box], covered, out=share[box], casting="unsafe")
