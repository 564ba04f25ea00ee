"""One slice of an image as a PNG, with the outline of the region on it."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from assistant.imaging.volume import Mask, Volume

Window = tuple[float, float]
"""Centre and width, in units of intensity."""

WINDOWS: dict[str, Window] = {
    "soft": (40.0, 400.0),
    "lung": (-600.0, 1500.0),
    "bone": (300.0, 1500.0),
    "brain": (40.0, 80.0),
}
"""Usual presets of CT."""

PLANES = ("axial", "coronal", "sagittal")
_COLOUR = (255, 196, 0)
_MOST = 1024


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG of slice ``slice``; ``scale`` are its pixels to a voxel, (row, column)."""

    png: bytes
    slice: int
    scale: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Overlay:
    """Labels to lay over a picture.  ``colours`` [label, 3] are red, green and blue; labels whose
    number is not in ``shown`` are left out, where that is given."""

    labels: NDArray[np.uint8]
    colours: NDArray[np.uint8]
    opacity: float = 0.5
    shown: frozenset[int] | None = None

    def on(self, picture: NDArray[np.uint8], part: NDArray[np.uint8]) -> None:
        """Colour ``picture`` [row, column, 3] where its labels ``part`` are; 0 is nothing."""
        seen = part > 0
        if self.shown is not None:
            seen &= np.isin(part, list(self.shown))
        share = min(max(self.opacity, 0.0), 1.0)
        mixed = picture[seen] * (1 - share) + self.colours[part[seen]] * share
        picture[seen] = mixed.astype(np.uint8)


def largest(mask: Mask, plane: str = "axial") -> int:
    """The slice on which a region is largest."""
    axis = PLANES.index(plane)
    return int(np.argmax(mask.sum(axis=tuple(a for a in range(3) if a != axis))))


def drawn(
    volume: Volume,
    mask: Mask | None,
    number: int | None = None,
    *,
    plane: str = "axial",
    window: str = "",
    overlay: Overlay | None = None,
) -> Picture:
    """A slice (by default the one with most of the region) with square pixels.

    ``window``: a CT preset; by default soft tissue for HU, and the 1st to the 99th percentile of
    the slice for anything else.  Coronal and sagittal planes have the head above.  ``overlay``:
    labels of the whole volume.
    """
    from PIL import Image

    axis = PLANES.index(plane)
    if number is None:
        number = largest(mask, plane) if mask is not None else volume.array.shape[axis] // 2
    grey = _grey(_plane(volume.array, axis, number), volume.unit, window)
    rows, columns = (size for a, size in enumerate(volume.grid.spacing) if a != axis)
    least = min(rows, columns)
    factor = min(_MOST / max(grey.shape[0] * rows / least, grey.shape[1] * columns / least), 4.0)
    scale = (rows / least * factor, columns / least * factor)
    size = (max(round(grey.shape[1] * scale[1]), 1), max(round(grey.shape[0] * scale[0]), 1))
    shown = np.asarray(Image.fromarray(grey).resize(size, Image.Resampling.BILINEAR))
    coloured = np.repeat(shown[..., None], 3, axis=2)
    if overlay is not None:
        labels = Image.fromarray(_plane(overlay.labels, axis, number))
        overlay.on(coloured, np.asarray(labels.resize(size, Image.Resampling.NEAREST)))
    if mask is not None:
        part = Image.fromarray(_plane(mask, axis, number).astype(np.uint8) * 255)
        inside = np.asarray(part.resize(size, Image.Resampling.NEAREST)) > 0
        coloured[inside & ~ndimage.binary_erosion(inside, iterations=2)] = _COLOUR
    written = BytesIO()
    Image.fromarray(coloured).save(written, "PNG")
    return Picture(written.getvalue(), number, scale)


def place(mask: Mask, picture: Picture) -> tuple[int, int, int, int]:
    """Where the region is on an axial picture: x, y, width and height in its pixels."""
    rows, columns = np.nonzero(mask[picture.slice])
    y, x = int(rows.min() * picture.scale[0]), int(columns.min() * picture.scale[1])
    bottom = int(np.ceil((rows.max() + 1) * picture.scale[0]))
    right = int(np.ceil((columns.max() + 1) * picture.scale[1]))
    return x, y, right - x, bottom - y


def _plane(array: NDArray[np.generic], axis: int, number: int) -> NDArray[np.generic]:
    part: NDArray[np.generic] = np.take(array, number, axis=axis)
    return part if axis == 0 else part[::-1]


def _grey(part: NDArray[np.generic], unit: str, window: str) -> NDArray[np.uint8]:
    values = np.nan_to_num(np.asarray(part, float))
    if window in WINDOWS or unit == "HU":
        centre, width = WINDOWS.get(window, WINDOWS["soft"])
        low, high = centre - width / 2, centre + width / 2
    else:
        low, high = np.percentile(values, [1, 99])
    shares = np.clip((values - low) / max(float(high - low), 1e-9), 0, 1)
    found: NDArray[np.uint8] = (shares * 255).astype(np.uint8)
    return found
