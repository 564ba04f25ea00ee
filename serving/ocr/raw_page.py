"""A page as it comes out of its file, and how large files and pages may be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from serving.ocr.line import TextLine
from serving.ocr.network import Bytes
from serving.ocr.refusal import PageRefused

MOST_PAGES = 100
LONGEST_SIDE = 16_000
MOST_PIXELS = 120_000_000
WORKING_SIDE = 4_000
_EMPTY_SHARE = 0.0002
_STANDS_OUT = 16


@dataclass(frozen=True, slots=True)
class RawPage:
    """``back`` takes pixels of ``image`` to those of the picture as it came."""

    number: int
    image: Bytes
    original_size: tuple[int, int]
    back: NDArray[np.float64]
    text_lines: list[TextLine] | None = None
    blank: bool = False


def check_count(count: int) -> None:
    """Raises `PageRefused` for more pages than are read at once."""
    if count > MOST_PAGES:
        raise PageRefused(
            "too_many_pages",
            f"文件有 {count} 页，一次最多读 {MOST_PAGES} 页，请分成几个文件上传。"
            f"(The file has {count} pages; at most {MOST_PAGES} are read: split it.)",
        )


def check_size(width: int, height: int) -> None:
    """Raises `PageRefused` for a picture that would take too much memory."""
    if max(width, height) > LONGEST_SIDE or width * height > MOST_PIXELS:
        raise PageRefused(
            "too_large",
            f"图片有 {width}×{height} 像素，每边最多 {LONGEST_SIDE}、总共最多 "
            f"{MOST_PIXELS // 1_000_000} 百万像素，请缩小后上传。"
            f"(The picture has {width}×{height} pixels, too many; make it smaller.)",
        )


def shrunk(image: Bytes) -> Bytes:
    """``image`` with its longer side at most as long as pages are worked on."""
    import cv2

    height, width = image.shape[:2]
    scale = WORKING_SIDE / max(height, width)
    if scale >= 1:
        return image
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small: Bytes = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    return small


def is_blank(image: Bytes) -> bool:
    """Whether nothing stands out from the ground around it."""
    import cv2

    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    scale = 800 / max(grey.shape)
    if scale < 1:
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    around = cv2.medianBlur(grey, 31) if min(grey.shape) > 31 else np.median(grey)
    standing_out = np.abs(grey.astype(np.int16) - np.asarray(around, np.int16)) > _STANDS_OUT
    return bool(standing_out.mean() < _EMPTY_SHARE)
