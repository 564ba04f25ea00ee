"""The patient's body, without table, clothes and pads."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from assistant.imaging.ct.coarse import Coarse
from assistant.imaging.volume import Mask

SKIN = -300
"""HU between air and fat."""

_SHELL = 5.0
"""Half the thickness in mm of what is taken for a table's shell or a cover, and not for body."""

_LEAST = 20.0
"""Millilitres: a smaller thing is no body."""

FLAT = np.zeros((3, 3, 3), bool)
FLAT[1] = ndimage.generate_binary_structure(2, 1)


def coarse_body(coarse: Coarse) -> Mask:
    """The largest thick thing and what it encloses in each axial slice; empty where there is none.

    Parts beside it which are thick as well (arms, legs) belong to it.
    """
    solid = coarse.hu > SKIN
    thick = coarse.distance(solid) > _SHELL
    labels, count = ndimage.label(thick, np.ones((3, 3, 3)))
    if not count:
        return np.zeros(solid.shape, bool)
    sizes = np.bincount(labels.ravel())[1:]
    kept = sizes * coarse.millilitres >= _LEAST
    kept &= sizes >= 0.02 * sizes.max()
    kept = np.concatenate([[False], kept])
    body = coarse.dilated(kept[labels], _SHELL) & solid
    return filled(body)


def filled(mask: Mask) -> Mask:
    """With the holes of each axial slice."""
    holes, count = ndimage.label(~mask, FLAT)
    if not count:
        return mask
    open_ = np.zeros(count + 1, bool)
    for edge in (holes[:, 0], holes[:, -1], holes[:, :, 0], holes[:, :, -1]):
        open_[np.unique(edge)] = True
    open_[0] = True
    return np.asarray(mask | ~open_[holes])


def fine_body(hu: NDArray[np.int16], coarse: Coarse, body: Mask) -> Mask:
    """The body on the image's own voxels."""
    near = coarse.fine(coarse.dilated(body, max(coarse.spacing)))
    return filled(near & (hu > SKIN))
