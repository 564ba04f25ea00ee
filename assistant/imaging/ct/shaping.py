"""Dilation and closing of flat discs on large arrays, in steps that cost little."""

from __future__ import annotations

import numpy as np

from assistant.imaging.volume import Mask


def dilated(mask: Mask, steps: tuple[int, int]) -> Mask:
    """Each axial slice dilated by an octagon of (rows, columns) voxels.

    Shifted copies are joined: much quicker than a general structuring element.
    """
    found = mask
    for axis, count in ((1, steps[0]), (2, steps[1])):
        reach = 0
        total = count - count // 3
        while reach < total:
            step = min(reach + 1, total - reach)
            found = _shifted(found, axis, step)
            reach += step
    for _ in range(max(steps[0] // 3, steps[1] // 3)):
        found = _shifted(found, 1, 1, mask=_shifted(found, 2, 1))
    return found


def eroded(mask: Mask, steps: tuple[int, int]) -> Mask:
    """The dual of `dilated`; outside of the image counts as within."""
    return ~dilated(~mask, steps)


def closed(mask: Mask, steps: tuple[int, int]) -> Mask:
    """Gaps and bays up to twice ``steps`` wide filled, in each axial slice."""
    wide = ((0, 0), (steps[0], steps[0]), (steps[1], steps[1]))
    padded = np.pad(mask, wide)
    return np.asarray(
        eroded(dilated(padded, steps), steps)[
            :, steps[0] : steps[0] + mask.shape[1], steps[1] : steps[1] + mask.shape[2]
        ]
    )


def _shifted(found: Mask, axis: int, step: int, mask: Mask | None = None) -> Mask:
    """``mask`` (or ``found``) joined with ``found`` moved both ways."""
    joined = found.copy() if mask is None else mask
    low = [slice(None)] * 3
    high = [slice(None)] * 3
    low[axis], high[axis] = slice(None, -step), slice(step, None)
    joined[tuple(high)] |= found[tuple(low)]
    joined[tuple(low)] |= found[tuple(high)]
    return joined
