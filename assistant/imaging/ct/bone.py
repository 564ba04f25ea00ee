"""Bone: dense parts that have a hard rind, with their marrow; even, bright vessels are left out."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from assistant.imaging.ct.coarse import Coarse
from assistant.imaging.ct.hounsfield import HU
from assistant.imaging.ct.shaping import closed
from assistant.imaging.volume import Mask

_DENSE = 200
_RIND = 400
_EVEN = 45.0
"""HU by which blocks within a vessel full of contrast medium differ from their neighbours."""
_THICK = 4.0


def fine_bone(hu: HU, coarse: Coarse, body: Mask, spacing: tuple[float, float, float]) -> Mask:
    """``body`` is on the image's own voxels."""
    dense = (hu > _DENSE) & body & ~coarse.fine(_vessels(coarse))
    labels, count = ndimage.label(dense, np.ones((3, 3, 3)))
    if not count:
        return dense
    sizes = np.bincount(labels.ravel())
    hard = np.bincount(labels[hu > _RIND], minlength=count + 1)
    kept = (sizes * float(np.prod(spacing)) >= 200) & (hard >= 0.02 * sizes)
    kept[0] = False
    bone = kept[labels]
    steps = max(1, round(2.5 / spacing[1])), max(1, round(2.5 / spacing[2]))
    whole: Mask = closed(bone, steps) & body
    return whole


def _vessels(coarse: Coarse) -> Mask:
    """Thick, even parts between 150 and 600 HU: vessels, heart and kidneys with contrast medium."""
    bright = (coarse.hu > 130) & (coarse.hu < 700)
    mean = ndimage.uniform_filter(coarse.hu, 3)
    spread = np.sqrt(np.maximum(ndimage.uniform_filter(coarse.hu**2, 3) - mean**2, 0))
    even = bright & (spread < _EVEN) & (coarse.distance(bright) > _THICK)
    labels, count = ndimage.label(even)
    if not count:
        return np.zeros(bright.shape, bool)
    large = np.bincount(labels.ravel()) * coarse.millilitres >= 2
    large[0] = False
    near: Mask = coarse.dilated(large[labels], 1.5 * max(coarse.spacing[1:]))
    return np.asarray(near & bright)
