"""A grey PNG as an image of one slice; it says no spacing, so a pixel counts as a millimetre."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.imaging.problem import ImageProblem
from assistant.imaging.volume import MAX_VOXELS, Grid

_GREY = ("1", "L", "I", "I;16", "I;16B")


def read(path: Path) -> tuple[NDArray[Any], Grid]:
    """Intensities [1, row, column] and their grid.  Raises `ImageProblem`."""
    from PIL import Image

    try:
        with Image.open(path, formats=["PNG"]) as image:
            mode, (width, height) = image.mode, image.size
            if width * height > MAX_VOXELS:
                raise ImageProblem("图像过大，请裁剪后重试。", "The image is too large; crop it.")
            # Palettes number the classes of a mask as well as grey does.
            plain = np.array(image) if mode in (*_GREY, "P") else None
    except ImageProblem:
        raise
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise ImageProblem(
            "PNG 文件损坏或不完整，请重新导出。", "The PNG file is broken; export it again."
        ) from None
    if plain is None:
        raise ImageProblem(
            "PNG 是彩色的，请以 8 或 16 位灰度导出。",
            "The PNG has colours; export it in grey of 8 or 16 bits.",
        )
    if plain.dtype == np.bool_:
        plain = plain.astype(np.uint8)
    return plain[np.newaxis], Grid((1, height, width), (1.0, 1.0, 1.0))
