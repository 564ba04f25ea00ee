"""Colour maps of all slices with a bar, and curves of artery, vein and tissue, as PNG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from assistant.imaging.volume import Mask

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

    from assistant.tasks.perfusion.analysis import Analysis

SCALES: dict[str, tuple[float, float, str]] = {
    "cbf": (0, 80, "CBF ml/100 g/min"),
    "cbv": (0, 6, "CBV ml/100 g"),
    "mtt": (0, 16, "MTT s"),
    "tmax": (0, 12, "Tmax s"),
    "ttp": (0, 40, "TTP s"),
    "delay": (0, 12, "Delay s"),
}
"""Of each map: the values of the first and the last colour, and what stands at the bar."""

_COLOURS = (
    (0.0, (0, 0, 60)),
    (0.15, (0, 0, 200)),
    (0.4, (0, 190, 210)),
    (0.55, (30, 200, 60)),
    (0.75, (250, 220, 0)),
    (0.92, (240, 60, 0)),
    (1.0, (170, 0, 0)),
)
_CORE, _PENUMBRA = (230, 40, 150), (40, 200, 90)
_WIDEST = 1600
_BAR = 110


@dataclass(frozen=True, slots=True)
class Montage:
    """A PNG of all slices.  ``tiles``: the upper left corner (x, y) of each slice; ``scale``: its
    pixels to a voxel (row, column)."""

    png: bytes
    tiles: tuple[tuple[int, int], ...]
    scale: tuple[float, float]


def coloured(shares: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Shares of the range, 0 to 1, as colours (…, 3)."""
    places = [place for place, _ in _COLOURS]
    parts = [np.interp(shares, places, [c[i] for _, c in _COLOURS]) for i in range(3)]
    made: NDArray[np.uint8] = np.stack(parts, axis=-1).astype(np.uint8)
    return made


def map_picture(found: Analysis, name: str) -> Montage:
    """One map of `SCALES` in colours, the slices from below to above."""
    low, high, title = SCALES[name]
    values = found.maps[name]
    if name == "ttp":
        high = float(found.times[-1])
    pixels = coloured(np.clip((values - low) / (high - low), 0, 1))
    pixels[~found.brain] = 0
    return _montage(found, pixels, (low, high, title))


def lesion_picture(found: Analysis) -> Montage:
    """Core and hypoperfused tissue on the slices before contrast."""
    low, high = (0.0, 80.0) if found.is_ct else np.percentile(found.before, [1, 99])
    grey = (np.clip((found.before - low) / max(high - low, 1e-9), 0, 1) * 255).astype(np.uint8)
    pixels = np.repeat(grey[..., None], 3, axis=-1)
    for mask, colour in (
        (found.lesion.hypoperfused & ~found.lesion.core, _PENUMBRA),
        (found.lesion.core, _CORE),
    ):
        pixels[mask] = (0.45 * pixels[mask] + 0.55 * np.array(colour)).astype(np.uint8)
    return _montage(found, pixels, None)


def box(mask: Mask, picture: Montage) -> tuple[int, int, int, int, int]:
    """Slice, x, y, width and height (in pixels of the picture) of the part of a mask on the slice
    where it is largest."""
    number = int(np.argmax(mask.sum(axis=(1, 2))))
    rows, columns = np.nonzero(mask[number])
    left, top = picture.tiles[number]
    down, across = picture.scale
    x, y = left + int(columns.min() * across), top + int(rows.min() * down)
    width = int(np.ceil((np.ptp(columns) + 1) * across))
    height = int(np.ceil((np.ptp(rows) + 1) * down))
    return number, x, y, max(width, 1), max(height, 1)


def _montage(
    found: Analysis, pixels: NDArray[np.uint8], scale: tuple[float, float, str] | None
) -> Montage:
    from PIL import Image, ImageDraw

    count, rows, columns = pixels.shape[:3]
    across = int(np.ceil(np.sqrt(count * 1.3)))
    factor = min(max(1.0, 200 / columns), (_WIDEST - _BAR) / (across * columns))
    down, right = found.study.grid.spacing[1:]
    size = max(int(columns * factor), 1), max(int(rows * factor * down / right), 1)
    lines = -(-count // across)
    whole = Image.new("RGB", (across * size[0] + (_BAR if scale else 0), max(lines * size[1], 160)))
    tiles = []
    for number in range(count):
        corner = (number % across * size[0], number // across * size[1])
        tile = Image.fromarray(pixels[number]).resize(size, Image.Resampling.NEAREST)
        whole.paste(tile, corner)
        tiles.append(corner)
        ImageDraw.Draw(whole).text((corner[0] + 4, corner[1] + 2), str(number + 1), fill="white")
    if scale:
        _bar(whole, across * size[0], scale)
    return Montage(_png(whole), tuple(tiles), (size[1] / rows, size[0] / columns))


def _bar(whole: Picture, left: int, scale: tuple[float, float, str]) -> None:
    from PIL import Image, ImageDraw

    low, high, title = scale
    height = min(whole.height - 50, 400)
    shares = np.linspace(1, 0, height)[:, None].repeat(18, axis=1)
    whole.paste(Image.fromarray(coloured(shares)), (left + 8, 36))
    pen = ImageDraw.Draw(whole)
    pen.text((left + 6, 4), title.replace(" ", "\n", 1), fill="white")
    for share in (0, 0.25, 0.5, 0.75, 1):
        y = 36 + (1 - share) * (height - 1)
        pen.text((left + 32, y - 6), f"{low + share * (high - low):g}", fill="white")


def curve_picture(found: Analysis) -> bytes:
    """The curves of artery, vein, healthy and hypoperfused tissue (this one ten times as high)."""
    from PIL import Image, ImageDraw

    width, height, left, bottom = 900, 420, 70, 50
    lines: list[tuple[str, str, Sequence[float]]] = [
        ("AIF", "#e33", list(found.artery.curve)),
        ("tissue x10", "#3c3", list(found.tissue_curve * 10)),
    ]
    if found.vein is not None:
        lines.append(("VOF", "#48f", list(found.vein.curve)))
    if found.lesion_curve is not None:
        lines.append(("Tmax>6 s x10", "#fa0", list(found.lesion_curve * 10)))
    top = max(max(values) for _, _, values in lines) * 1.05
    low = min(0.0, *(min(values) for _, _, values in lines))
    last = float(found.times[-1]) or 1.0
    whole = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(whole)

    def place(time: float, value: float) -> tuple[float, float]:
        share = (value - low) / max(top - low, 1e-9)
        return left + time / last * (width - left - 20), height - bottom - share * (
            height - bottom - 20
        )

    pen.line([place(0, low), place(last, low)], fill="#666")
    pen.line([place(0, low), place(0, top)], fill="#666")
    for part in range(6):
        time, value = last * part / 5, low + (top - low) * part / 5
        pen.text((place(time, low)[0] - 8, height - bottom + 6), f"{time:.0f}", fill="black")
        pen.text((6, place(0, value)[1] - 6), f"{value:.3g}", fill="black")
    pen.text((width / 2, height - 20), "s", fill="black")
    pen.text((6, 2), "HU" if found.is_ct else "dR2* 1/s", fill="black")
    for number, (name, colour, values) in enumerate(lines):
        points = [place(float(t), float(v)) for t, v in zip(found.times, values, strict=True)]
        pen.line(points, fill=colour, width=2)
        pen.text((width - 150, 24 + 18 * number), name, fill=colour)
    return _png(whole)


def _png(picture: Picture) -> bytes:
    written = BytesIO()
    picture.save(written, "PNG")
    return written.getvalue()
