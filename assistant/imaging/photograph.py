"""A PNG or JPEG as channels; it says no spacing, so a pixel counts as a millimetre."""

from __future__ import annotations

from io import BytesIO

import numpy as np

from assistant.imaging.problem import ImageProblem
from assistant.imaging.volume import Grid, Volume

MAX_PIXELS = 120_000_000
_DEEP = ("I", "I;16", "I;16B", "F")


def read(data: bytes) -> tuple[Volume, ...]:
    """One grey channel, or red, green and blue; turned as the camera was held.

    Raises `ImageProblem`.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(BytesIO(data), formats=["PNG", "JPEG"]) as opened:
            width, height = opened.size
            if width * height > MAX_PIXELS:
                raise ImageProblem(
                    f"图像过大（{width} × {height}），请裁剪或缩小后重试。",
                    "The image is too large; crop or shrink it.",
                )
            image = ImageOps.exif_transpose(opened)
            grey = image.mode in ("1", "L", "LA", *_DEEP)
            if image.mode in _DEEP:
                array = np.asarray(image, np.float32)[..., None]
            else:
                array = np.asarray(image.convert("L" if grey else "RGB"), np.float32)
                array = array.reshape(*array.shape[:2], -1)
    except ImageProblem:
        raise
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise ImageProblem(
            "图片损坏或不完整，请重新导出为 PNG 或 JPEG。",
            "The picture is broken; export it again as PNG or JPEG.",
        ) from None
    grid = Grid((1, array.shape[0], array.shape[1]), (1.0, 1.0, 1.0))
    return tuple(
        Volume(np.ascontiguousarray(array[None, ..., at]), grid) for at in range(array.shape[2])
    )
