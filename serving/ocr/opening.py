"""Pixels and text out of a file, whoever made it: runs in the confined process only."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from serving.ocr.network import Bytes
from serving.ocr.pdf import pages_of_pdf
from serving.ocr.raw_page import (
    MOST_PIXELS,
    WORKING_SIDE,
    RawPage,
    check_count,
    check_size,
    is_blank,
    shrunk,
)
from serving.ocr.refusal import PageRefused

_FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "WEBP", "HEIF")
_ORIENTATION = 0x0112


def prepare() -> None:
    """Load what opens files, before the process gives up reading."""
    import cv2
    import pillow_heif
    import pypdfium2
    from PIL import Image

    pillow_heif.register_heif_opener()
    Image.init()
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    # Threads do not live on in a forked process.
    cv2.setNumThreads(1)
    # The first document starts the library.
    pypdfium2.PdfDocument.new().close()


def pages_of(content: bytes) -> Iterator[RawPage]:
    """Every page of a file.

    Raises:
        PageRefused: it is none, or it must not be opened.
    """
    if not content:
        raise PageRefused("empty", "文件是空的，请重新上传。(The file is empty; upload it again.)")
    if content[:1024].lstrip().startswith(b"%PDF-"):
        yield from pages_of_pdf(content)
    else:
        yield from _pictures(content)


def _pictures(content: bytes) -> Iterator[RawPage]:
    from PIL import Image, UnidentifiedImageError

    try:
        opened = Image.open(io.BytesIO(content), formats=_FORMATS)
    except UnidentifiedImageError:
        raise _wrong_type() from None
    except Image.DecompressionBombError:
        raise PageRefused(
            "too_large", "图片的像素太多，请缩小后上传。(The picture has too many pixels.)"
        ) from None
    except (OSError, SyntaxError, ValueError):
        raise _damaged() from None
    with opened:
        # Only a TIFF's further frames are pages; a phone's are previews.
        count = getattr(opened, "n_frames", 1) if opened.format == "TIFF" else 1
        check_count(count)
        for number in range(count):
            try:
                opened.seek(number)
                check_size(*opened.size)
                yield _picture(opened, number + 1)
            except PageRefused:
                raise
            except MemoryError:
                raise PageRefused(
                    "too_large", "打开图片所需内存太多，请缩小后上传。(It takes too much memory.)"
                ) from None
            except Exception:
                raise _damaged() from None


def _picture(opened: Any, number: int) -> RawPage:
    turn = int(opened.getexif().get(_ORIENTATION, 1))
    size = opened.size
    if opened.format in ("JPEG", "MPO") and max(size) > 2 * WORKING_SIDE:
        opened.draft(None, (WORKING_SIDE, WORKING_SIDE))
    image = _flat(opened)
    # The opener of HEIF turns by itself.
    if opened.format != "HEIF" and turn in _TURNS:
        image = np.ascontiguousarray(_TURNS[turn](image))
        size = size[::-1] if turn >= 5 else size
    image = shrunk(image)
    back = np.diag([size[0] / image.shape[1], size[1] / image.shape[0], 1.0])
    return RawPage(number, image, (size[0], size[1]), back, blank=is_blank(image))


_TURNS: dict[int, Callable[[Bytes], Bytes]] = {
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.transpose(1, 0, 2),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: pixels[::-1, ::-1].transpose(1, 0, 2),
    8: lambda pixels: np.rot90(pixels),
}
"""What each EXIF orientation asks for."""


def _flat(opened: Any) -> Bytes:
    """RGB, on white where the picture lets its ground through; of sixteen bits, the upper eight."""
    from PIL import Image

    if opened.mode.startswith("I;16"):
        grey = (np.asarray(opened) >> 8).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    if opened.mode in ("I", "F"):
        values = np.asarray(opened, np.float32)
        most = 257.0 if values.max(initial=0) > 255 else 1.0
        grey = (values / most).clip(0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    if opened.has_transparency_data:
        clear = opened.convert("RGBA")
        ground = Image.new("RGBA", clear.size, "white")
        ground.alpha_composite(clear)
        return np.asarray(ground.convert("RGB"))
    return np.asarray(opened.convert("RGB"))


def _wrong_type() -> PageRefused:
    return PageRefused(
        "wrong_type",
        "不是能读的文件，请上传 JPEG、PNG、TIFF、HEIC 图片或 PDF。"
        "(Not a file that can be read; send a JPEG, PNG, TIFF or HEIC picture or a PDF.)",
    )


def _damaged() -> PageRefused:
    return PageRefused(
        "damaged",
        "文件不完整或已损坏，请重新拍照或导出后上传。"
        "(The file is damaged or cut short; take or export it again.)",
    )
