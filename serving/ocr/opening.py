"""Pixels and text out of a file, whoever made it: runs in the confined process only."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serving.ocr.line import TextLine
from serving.ocr.network import Bytes
from serving.ocr.refusal import PageRefused

MOST_PAGES = 100
LONGEST_SIDE = 16_000
MOST_PIXELS = 120_000_000
WORKING_SIDE = 4_000
_FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "WEBP", "HEIF")
_ORIENTATION = 0x0112
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


def prepare() -> None:
    """Load what opens files, before the process gives up reading."""
    import cv2
    import pillow_heif
    import pypdfium2
    from PIL import Image

    import serving.ocr.pdf  # noqa: F401

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
        from serving.ocr.pdf import pages_of_pdf

        yield from pages_of_pdf(content)
    else:
        yield from _pictures(content)


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
