"""Candidates: bright blobs in the lungs at several scales (scale-normalised Laplacian of Gauss,
Lindeberg 1998), of which those that are tubes or sheets by their Hessian are left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from assistant.imaging.volume import Floats
from assistant.tasks.detection.scan import Scan, Spacing

DIAMETERS = (4.0, 6.0, 8.5, 12.0, 17.0, 23.0)
"""Millimetres; a ball of diameter d answers most at a sigma of d / (2 √3)."""

_CLIP = (-1000, 100)
_LEAST = 75.0
"""HU of the normalised answer: a ball answers with nine tenths of its contrast."""
_ROUND = 0.15
"""Least to largest curvature; a tube has nearly 0."""
_MOST = 1500

Image = NDArray[np.float32]
Kernels = tuple[Floats, Floats, Floats]


@dataclass(frozen=True, slots=True)
class Candidate:
    """``index`` is in the `Scan`; ``curvatures`` (least first) and ``answer`` in HU."""

    index: tuple[int, int, int]
    diameter: float
    answer: float
    curvatures: tuple[float, float, float]


def candidates(scan: Scan) -> list[Candidate]:
    """The strongest first; none lies within another."""
    image = prepared(scan)
    found: list[Candidate] = []
    for diameter in DIAMETERS:
        found += _blobs(image, scan, diameter)
    found.sort(key=lambda one: one.answer * (0.3 + one.curvatures[0] / one.curvatures[2]))
    return _apart(found[::-1], scan.spacing)[:_MOST]


def prepared(scan: Scan) -> Image:
    """HU with lung put in the place of what is no lung, so that no wall outshines a nodule."""
    image = np.clip(scan.hu, *_CLIP).astype(np.float32)
    image[~scan.field] = background(scan)
    return image


def background(scan: Scan) -> float:
    """The median of lung, HU."""
    values = scan.hu[scan.lung]
    return float(np.median(values[:: max(1, values.size // 100_000)]))


def _blobs(image: Image, scan: Scan, diameter: float) -> list[Candidate]:
    sigma = diameter / (2 * np.sqrt(3))
    # Large blobs are looked for on fewer voxels.
    steps = tuple(max(1, int(sigma / 2 / size)) for size in scan.spacing)
    part = tuple(slice(None, None, step) for step in steps)
    spacing = tuple(size * step for size, step in zip(scan.spacing, steps, strict=True))
    blurred = image
    if max(steps) > 1:
        blurred = ndimage.uniform_filter(image, steps, mode="nearest")[part]
    widths = [sigma / size for size in spacing]
    answer = np.zeros(blurred.shape, np.float32)
    for axis, size in enumerate(spacing):
        order = [2 if axis == other else 0 for other in range(3)]
        answer -= (
            ndimage.gaussian_filter(blurred, widths, order, truncate=3.0) * (sigma / size) ** 2
        )
    highest = ndimage.maximum_filter(answer, 3)
    peaks = np.argwhere((answer == highest) & (answer > _LEAST) & scan.field[part])
    kernels = [_kernels(size, sigma) for size in spacing]
    found = []
    for peak in peaks:
        curvatures = _curvatures(blurred, peak, kernels, sigma)
        if curvatures is None:
            continue
        place = np.minimum(peak * steps, np.asarray(scan.hu.shape) - 1)
        z, y, x = (int(n) for n in place)
        found.append(Candidate((z, y, x), diameter, float(answer[tuple(peak)]), curvatures))
    return found


def _curvatures(
    image: Image, peak: NDArray[np.int64], kernels: list[Kernels], sigma: float
) -> tuple[float, float, float] | None:
    """The negated eigenvalues of the Hessian times sigma²; None for what is no blob."""
    reach = [len(kernel[0]) // 2 for kernel in kernels]
    z, y, x = (
        np.clip(np.arange(p - r, p + r + 1), 0, n - 1)
        for p, r, n in zip(peak, reach, image.shape, strict=True)
    )
    patch = image[z[:, None, None], y[:, None], x].astype(float)
    hessian = np.empty((3, 3))
    for i in range(3):
        for j in range(i, 3):
            orders = [0, 0, 0]
            orders[i] += 1
            orders[j] += 1
            value = patch
            for axis in (2, 1, 0):
                value = value @ kernels[axis][orders[axis]]
                # The last axis is summed each time.
            hessian[i, j] = hessian[j, i] = -float(value) * sigma**2
    least, middle, most = np.linalg.eigvalsh(hessian)
    if least <= 0 or least < _ROUND * most:
        return None
    return float(least), float(middle), float(most)


def _kernels(size: float, sigma: float) -> Kernels:
    """Sampled Gauss and its first two derivatives, per millimetre."""
    reach = int(np.ceil(3 * sigma / size))
    x = np.arange(-reach, reach + 1) * size
    gauss = np.exp(-(x**2) / (2 * sigma**2))
    gauss /= gauss.sum()
    first = x / sigma**2 * gauss
    second = (x**2 / sigma**4 - 1 / sigma**2) * gauss
    return gauss, first, second - second.mean()


def _apart(found: list[Candidate], spacing: Spacing) -> list[Candidate]:
    kept: list[Candidate] = []
    places = np.empty((0, 3))
    radii = np.empty(0)
    for one in found:
        place = np.asarray(one.index) * spacing
        if len(kept):
            near = np.linalg.norm(places - place, axis=1)
            if (near < np.maximum(radii, one.diameter / 2)).any():
                continue
        kept.append(one)
        places = np.vstack([places, place])
        radii = np.append(radii, one.diameter / 2)
        if len(kept) >= 2 * _MOST:
            break
    return kept
