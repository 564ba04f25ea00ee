"""The slice on which a class was seen, with its heat map laid over it."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from assistant.imaging.channels import Channels
from assistant.imaging.picture import Picture, drawn, place
from assistant.tasks.classification.draft import Place

_OPACITY = 0.55


def heat_picture(
    image: Channels, heat: NDArray[np.float32], found: Place | None
) -> tuple[Picture, tuple[int, int, int, int]]:
    """A PNG of the slice with the peak, and where the hottest part is on it: x, y, width, height
    in pixels of the picture (the whole picture where no part is)."""
    from PIL import Image

    grey = image.grey()
    number = grey.grid.shape[0] // 2 if found is None else found.peak[0]
    plain = drawn(grey, None, number)
    shown = np.asarray(Image.open(BytesIO(plain.png)).convert("RGB"), np.float32)
    size = shown.shape[1], shown.shape[0]
    most = max(float(heat.max()), 1e-9)
    share = Image.fromarray(np.clip(heat[number] / most, 0, 1).astype(np.float32))
    hot = np.asarray(share.resize(size, Image.Resampling.BILINEAR), np.float32)
    opacity = hot[..., None] * np.float32(_OPACITY)
    mixed = shown * (1 - opacity) + _colours(hot) * opacity
    written = BytesIO()
    Image.fromarray(mixed.astype(np.uint8)).save(written, "PNG")
    picture = Picture(written.getvalue(), number, plain.scale)
    if found is None:
        return picture, (0, 0, *size)
    return picture, place(box_mask(heat.shape, found), picture)


def box_mask(shape: tuple[int, ...], found: Place) -> NDArray[np.bool_]:
    """The box of a place."""
    mask = np.zeros(shape, bool)
    mask[tuple(slice(low, high + 1) for low, high in zip(found.low, found.high, strict=True))] = (
        True
    )
    return mask


def _colours(share: NDArray[np.float32]) -> NDArray[np.float32]:
    """From dark red over orange to yellow, told apart without telling red from green."""
    red, green = np.clip(share * 2, 0, 1), np.clip(share * 1.6 - 0.6, 0, 1)
    return np.asarray(np.stack([red, green, np.zeros_like(share)], axis=-1) * 255, np.float32)
