"""Vessels of the lungs: what is denser than lung within it, and long rather than round."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from assistant.imaging.ct.hounsfield import HU
from assistant.imaging.ct.shaping import eroded
from assistant.imaging.volume import Mask

_DENSE = -500
_SURE = -300
_RIND = 2.0
"""Millimetres at the pleura, where the chest wall blurs into lung."""
_LEAST = 40.0
"""Cubic millimetres."""


def lung_vessels(hu: HU, lung: Mask, spacing: tuple[float, float, float]) -> Mask:
    """``lung`` is filled: it has the vessels in it."""
    steps = max(1, round(_RIND / spacing[1])), max(1, round(_RIND / spacing[2]))
    inner = eroded(lung, steps)
    for _ in range(max(1, round(_RIND / spacing[0]))):
        inner = _between_slices(inner)
    within = inner & (hu > _DENSE)
    labels, count = ndimage.label(within, np.ones((3, 3, 3)))
    if not count:
        return within
    sizes = np.bincount(labels.ravel(), minlength=count + 1) * float(np.prod(spacing))
    sure = np.bincount(labels[within & (hu > _SURE)], minlength=count + 1) > 0
    kept = (sizes >= _LEAST) & sure
    kept[0] = False
    for name, part in enumerate(ndimage.find_objects(labels), 1):
        if kept[name] and part is not None:
            kept[name] = _long(part, sizes[name], spacing)
    return np.asarray(kept[labels])


def _between_slices(mask: Mask) -> Mask:
    """What is also in the slices above and below; the image's ends count as within."""
    found = mask.copy()
    found[1:] &= mask[:-1]
    found[:-1] &= mask[1:]
    return found


def _long(part: tuple[slice, ...], size: float, spacing: tuple[float, float, float]) -> bool:
    """Whether a part fills less of the ball around it than a round thing does."""
    sides = [(p.stop - p.start) * s for p, s in zip(part, spacing, strict=True)]
    ball = np.pi / 6 * max(sides) ** 3
    return bool(size < 0.35 * ball)
