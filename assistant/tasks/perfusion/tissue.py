"""Which voxels are brain: inside the skull on CT, above the background on MR."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from assistant.imaging.problem import ImageProblem
from assistant.imaging.volume import Mask

AIR, BONE = -300.0, 200.0
PARENCHYMA = (15.0, 100.0)
"""HU before contrast: below is CSF, above calcification or bone."""

_OPENING_MM = 4.0
_LEAST_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Tissue:
    """``brain``: all that maps are made of.  ``parenchyma``: of it, without CSF.  ``whole``: no
    anatomy was found, and every voxel that changes counts."""

    brain: Mask
    parenchyma: Mask
    whole: bool = False


def on_ct(before: NDArray[np.float32], spacing: tuple[float, float, float]) -> Tissue:
    """The brain of a CT before contrast (HU).  Raises `ImageProblem` where there is none."""
    body = before > AIR
    pixel = min(spacing[1:])
    # A phantom may have no skull and no air; then HU alone decide.
    inner = body
    if (before > BONE).mean() > 0.01 and body.mean() < 0.98:
        body = _largest(ndimage.binary_opening(body, _disc(1)))
        body = np.stack([ndimage.binary_fill_holes(plane) for plane in body])
        bone = (before > BONE) & body
        size = max(1, round(_OPENING_MM / pixel))
        cavity = body & ~bone & _enclosed(bone, size)
        opened = np.stack([_main(ndimage.binary_opening(p, _disc(size)[0])) for p in cavity])
        inner = _grown(opened, cavity, size)
    smooth = _masked_mean(before, inner, 1.5)
    parenchyma = inner & (smooth > PARENCHYMA[0]) & (smooth < PARENCHYMA[1])
    if parenchyma.sum() >= _LEAST_SHARE * max(inner.sum(), 1):
        return Tissue(inner & (before < BONE) & (smooth > -20), parenchyma)
    return _anything(before, body)


def on_mr(before: NDArray[np.float32]) -> Tissue:
    """The brain of a T2*-weighted MR before contrast."""
    from skimage.filters import threshold_otsu

    smooth = ndimage.gaussian_filter(before, (0, 1, 1))
    if np.ptp(smooth) <= 0:
        return _anything(before, np.ones(before.shape, bool))
    level = threshold_otsu(smooth[:, ::2, ::2]) * 0.6
    brain = _largest(ndimage.binary_opening(smooth > level, _disc(1)))
    brain = np.stack([ndimage.binary_fill_holes(plane) for plane in brain])
    if not brain.any():
        return _anything(before, np.ones(before.shape, bool))
    usual = float(np.median(before[brain]))
    return Tissue(brain, brain & (smooth < 2.0 * usual) & (smooth > 0.3 * usual))


def inner(found: Tissue) -> Tissue:
    """The same without its outermost pixels, where bone that moved has been mixed in."""
    brain = np.stack([ndimage.binary_erosion(plane, iterations=2) for plane in found.brain])
    return Tissue(brain, found.parenchyma & brain, found.whole) if brain.any() else found


def _anything(before: NDArray[np.float32], body: Mask) -> Tissue:
    if not body.any():
        raise ImageProblem(
            "没有找到脑组织，请确认是头部灌注检查，CT 值以 HU 为单位。",
            "No brain was found; is it a study of the head, in HU?",
        )
    return Tissue(body, body.copy(), whole=True)


def _disc(size: int) -> Mask:
    y, x = np.ogrid[-size : size + 1, -size : size + 1]
    disc: Mask = (x * x + y * y <= size * size)[None]
    return disc if size > 0 else np.ones((1, 1, 1), bool)


def _enclosed(bone: Mask, size: int) -> Mask:
    """What bone surrounds in a slice, gaps of the skull closed."""
    found = np.zeros_like(bone)
    for number, plane in enumerate(bone):
        padded = np.pad(plane, 2 * size)
        closed = ndimage.binary_closing(padded, _disc(2 * size)[0])
        filled = ndimage.binary_fill_holes(closed)
        found[number] = filled[2 * size : -2 * size, 2 * size : -2 * size]
    return found


def _main(plane: Mask) -> Mask:
    labels, count = ndimage.label(plane)
    if count < 2:
        return plane
    sizes = np.bincount(labels.ravel())[1:]
    main: Mask = np.isin(labels, 1 + np.flatnonzero(sizes > 0.2 * sizes.max()))
    return main


def _grown(opened: Mask, cavity: Mask, size: int) -> Mask:
    return np.stack(
        [
            ndimage.binary_dilation(a, _disc(size)[0]) & c if a.any() else a
            for a, c in zip(opened, cavity, strict=True)
        ]
    )


def _largest(mask: Mask) -> Mask:
    labels, count = ndimage.label(mask)
    if count < 2:
        return mask
    largest: Mask = labels == 1 + np.argmax(np.bincount(labels.ravel())[1:])
    return largest


def _masked_mean(image: NDArray[np.float32], mask: Mask, sigma: float) -> NDArray[np.float32]:
    """Gaussian mean within slices over the voxels of ``mask`` alone."""
    widths = (0, sigma, sigma)
    weight = ndimage.gaussian_filter(mask.astype(np.float32), widths)
    total = ndimage.gaussian_filter(np.where(mask, image, 0).astype(np.float32), widths)
    mean: NDArray[np.float32] = np.where(mask, total / np.maximum(weight, 1e-3), image)
    return mean
