"""Slices of an image in one picture, structures outlined, with the notice of research burnt in."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from assistant.imaging.out.structure import Labels, Structure
from assistant.imaging.volume import Volume

Picture = NDArray[np.uint8]
"""[row, column, RGB]"""

NOTICE = Path(__file__).parent / "data" / "notice.png"
"""科研用途 仅供研究，不得用于诊疗 RESEARCH ONLY as a picture: a server may have no Chinese font."""

_HU = (-160.0, 240.0)  # soft tissue
_TILE = 256
_NOTICE_SHARE = 0.9  # of the width


def montage(
    volume: Volume,
    labels: Labels | None = None,
    structures: Sequence[Structure] = (),
    count: int = 12,
) -> Picture:
    """``count`` axial slices evenly over what is outlined (else over the image), in a grid."""
    places = _places(volume, labels, count)
    low, high = _window(volume)
    tiles = [_tile(volume, labels, structures, place, low, high) for place in places]
    columns = int(np.ceil(np.sqrt(len(tiles) * 4 / 3)))
    blank = np.zeros_like(tiles[0])
    tiles += [blank] * (-len(tiles) % columns)
    rows = [np.hstack(tiles[at : at + columns]) for at in range(0, len(tiles), columns)]
    return noticed(np.vstack(rows))


def noticed(picture: Picture) -> Picture:
    """The picture over a strip that says what it is for; nothing of it is covered."""
    from PIL import Image

    width = picture.shape[1]
    notice = _notice()
    shown = max(int(width * _NOTICE_SHARE), 1)
    shown = min(shown, notice.shape[1])
    height = max(round(notice.shape[0] * shown / notice.shape[1]), 1)
    small = Image.fromarray(notice).resize((shown, height), Image.Resampling.LANCZOS)
    strip = np.zeros((height + 4, width, 3), np.uint8)
    left = (width - shown) // 2
    strip[2 : 2 + height, left : left + shown] = np.asarray(small)[..., None]
    return np.vstack([picture, strip])


def png(picture: Picture) -> bytes:
    """The picture as a file."""
    from PIL import Image

    made = BytesIO()
    Image.fromarray(picture).save(made, "PNG")
    return made.getvalue()


def opened(data: bytes) -> Picture:
    """A PNG or JPEG as a picture."""
    from PIL import Image

    with Image.open(BytesIO(data), formats=["PNG", "JPEG"]) as image:
        return np.asarray(image.convert("RGB"))


@cache
def _notice() -> NDArray[np.uint8]:
    from PIL import Image

    with Image.open(NOTICE) as image:
        return np.asarray(image.convert("L"))


def _places(volume: Volume, labels: Labels | None, count: int) -> list[int]:
    last = volume.grid.shape[0] - 1
    first = 0
    if labels is not None and (some := np.flatnonzero(labels.any(axis=(1, 2)))).size:
        first, last = int(some[0]), int(some[-1])
    wanted = np.linspace(first, last, min(count, last - first + 1)).round().astype(int)
    return [int(place) for place in np.unique(wanted)]


def _window(volume: Volume) -> tuple[float, float]:
    if volume.unit == "HU":
        return _HU
    finite = volume.array[np.isfinite(volume.array)]
    low, high = np.percentile(finite, [1, 99]) if finite.size else (0.0, 1.0)
    return float(low), float(high)


def _tile(
    volume: Volume,
    labels: Labels | None,
    structures: Sequence[Structure],
    place: int,
    low: float,
    high: float,
) -> Picture:
    """One slice in a square of `_TILE` pixels, pixels square in the patient."""
    from PIL import Image

    plane = np.nan_to_num(np.asarray(volume.array[place], float), nan=low)
    grey = (np.clip((plane - low) / max(high - low, 1e-9), 0, 1) * 255).astype(np.uint8)
    high_mm, wide_mm = (n * mm for n, mm in zip(plane.shape, volume.grid.spacing[1:], strict=True))
    scale = _TILE / max(high_mm, wide_mm)
    size = (max(round(wide_mm * scale), 1), max(round(high_mm * scale), 1))
    shown = np.asarray(Image.fromarray(grey).resize(size, Image.Resampling.BILINEAR))
    coloured = np.repeat(shown[..., None], 3, axis=2)
    if labels is not None:
        for one in structures:
            mask = Image.fromarray((labels[place] == one.number).astype(np.uint8))
            inside = np.asarray(mask.resize(size, Image.Resampling.NEAREST)) > 0
            coloured[inside & ~ndimage.binary_erosion(inside)] = one.shown
    tile = np.zeros((_TILE, _TILE, 3), np.uint8)
    top, left = (_TILE - size[1]) // 2, (_TILE - size[0]) // 2
    tile[top : top + size[1], left : left + size[0]] = coloured
    return tile
