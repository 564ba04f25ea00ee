"""A file opened as pages: pixels the right way up, and the way back to the picture as it came."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from serving.ocr import ink, paper
from serving.ocr.detection import Box
from serving.ocr.line import TextLine
from serving.ocr.models import OcrUnavailable
from serving.ocr.network import Bytes
from serving.ocr.opening_process import opened
from serving.ocr.raw_page import RawPage
from serving.ocr.refusal import PageRefused
from serving.ocr.spill import spill, without
from serving.ocr.upright import Posture, posture

if TYPE_CHECKING:
    from serving.ocr.reader import Ocr

_COMPARED = 6
_ALIKE = 0.6
BLANK = "第 {} 页是空白页。(Page {} is blank.)"
SEVERAL = (
    "第 {} 页的照片上有 {} 张单据，已分开读取，请核对。"
    "(The photo of page {} shows {} sheets; they are read one by one, please check.)"
)
WHOLE = (
    "第 {} 页的照片上，单据的边界不清楚或单据之外还有文字，已按整张照片读取，请核对。"
    "(On the photo of page {} the border of the sheet is in doubt, or there is text beside it; the "
    "whole photo is read, please check.)"
)
REST = (
    "第 {} 页的照片上，找到的单据之外还有文字，已另作一页读取，请核对。"
    "(The photo of page {} has text beside the sheets; it is read as a page of its own, please "
    "check.)"
)
MIRRORED = "第 {} 页是镜像的，已翻转。(Page {} was mirrored and has been turned over.)"


@dataclass(frozen=True, slots=True)
class OpenedPage:
    """One page.

    ``image`` is uint8 RGB [H, W, 3], upright and cleaned for reading; ``original_size`` (width,
    height) is that of the picture as a viewer shows it (turned by its EXIF tag; of a PDF, its page
    drawn at the size that is read), in whose pixels ``to_original`` answers; ``back`` is that
    transformation's matrix; ``text_lines`` are a PDF's own text where it is true, in pixels of
    ``image``.  ``number`` counts pages of the file from 1, ``sheet`` the sheets on one photo.
    ``warnings`` are sentences for the user.
    """

    number: int
    image: Bytes
    original_size: tuple[int, int]
    text_lines: list[TextLine] | None = None
    back: NDArray[np.float64] = field(default_factory=lambda: np.eye(3))
    warnings: tuple[str, ...] = ()
    sheet: int = 1
    blank: bool = False

    def to_original(self, x: float, y: float) -> tuple[float, float]:
        """A place on ``image`` as a place on the picture as it came (pixels)."""
        across, down, scale = self.back @ (x, y, 1.0)
        return float(across / scale), float(down / scale)


def open_pages(file: Path | bytes, name: str = "", ocr: Ocr | None = None) -> list[OpenedPage]:
    """The pages of a picture or a PDF; see `each_page`."""
    return list(each_page(file, name, ocr))


def each_page(file: Path | bytes, name: str = "", ocr: Ocr | None = None) -> Iterator[OpenedPage]:
    """The pages of a picture or a PDF, one at a time in memory.

    ``ocr``: what finds out which way up a page lies; the process's own if not given, and pages stay
    as they lie where there is none.

    Raises:
        PageRefused: the file cannot or must not be opened, or nothing is on it.
    """
    del name
    content = file if isinstance(file, bytes) else _read(file)
    ocr = ocr or _default_ocr()
    seen = False
    blanks: list[OpenedPage] = []
    for raw in opened(content):
        if raw.blank:
            # Blank pages are given only beside others, so that page numbers have no gap.
            page = OpenedPage(raw.number, raw.image, raw.original_size, [], raw.back, blank=True)
            blanks.append(replace(page, warnings=(BLANK.format(raw.number, raw.number),)))
            if seen:
                yield blanks.pop()
            continue
        yield from blanks
        blanks, seen = [], True
        yield from _righted(raw, ocr)
    if not seen:
        raise PageRefused(
            "blank",
            "页面是空白的，什么也看不到；请重新拍照或扫描。"
            "(The page is blank; take the photo or the scan again.)",
        )


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        raise PageRefused(
            "missing", "找不到或读不了这个文件。(The file is not there or cannot be read.)"
        ) from None


def _default_ocr() -> Ocr | None:
    from serving.ocr.reader import default_ocr

    try:
        return default_ocr()
    except OcrUnavailable:
        return None


def _righted(raw: RawPage, ocr: Ocr | None) -> Iterator[OpenedPage]:
    if raw.text_lines and _is_what_is_drawn(raw.image, raw.text_lines, ocr):
        yield OpenedPage(raw.number, raw.image, raw.original_size, raw.text_lines, raw.back)
        return
    found, warnings, rest = _sheets(raw, ocr)
    for place, corners in enumerate(found or [None]):
        page = _sheet(raw, corners, ocr)
        yield replace(page, sheet=place + 1, warnings=(*warnings, *page.warnings))
    if rest:
        page = _sheet(replace(raw, image=without(raw.image, found)), None, ocr)
        yield replace(page, sheet=len(found) + 1, warnings=(*warnings, *page.warnings))


def _sheets(raw: RawPage, ocr: Ocr | None) -> tuple[list[Box], tuple[str, ...], bool]:
    """(the sheets to read one by one, none for the whole picture; warnings; whether the rest of the
    picture has to be read too)."""
    found = paper.sheets(raw.image)
    rest = False
    if found and ocr is not None:
        beside = spill(raw.image, found, ocr)
        # One sheet and text beside it may be one sheet that was cut in two.
        if beside.text and len(beside.whole) < 2:
            return [], (WHOLE.format(raw.number, raw.number),), False
        found, rest = beside.whole, beside.text
    if len(found) < 2:
        return found, (), False
    several = SEVERAL.format(raw.number, len(found), raw.number, len(found))
    return found, (several, REST.format(raw.number, raw.number)) if rest else (several,), rest


def _sheet(raw: RawPage, corners: Box | None, ocr: Ocr | None) -> OpenedPage:
    height, width = raw.image.shape[:2]
    flatten, size, flat = np.eye(3), (width, height), raw.image
    if corners is not None:
        flatten, size = paper.flattening(corners)
        flat = _warped(raw.image, flatten, size)
    how = posture(flat, ocr) if ocr is not None else Posture()
    turn, turned_size = how.matrix(*size)
    matrix = turn @ flatten
    if how == Posture():
        image = flat
    elif corners is None and not how.slope:
        image = np.rot90(raw.image, how.quarters)
        image = np.ascontiguousarray(image[:, ::-1] if how.mirrored else image)
    else:
        image = _warped(raw.image, matrix, turned_size)
    warnings = (MIRRORED.format(raw.number, raw.number),) if how.mirrored else ()
    back = raw.back @ np.linalg.inv(matrix)
    return OpenedPage(raw.number, ink.cleaned(image), raw.original_size, None, back, warnings)


def _warped(image: Bytes, matrix: NDArray[np.float64], size: tuple[int, int]) -> Bytes:
    moved: Bytes = cv2.warpPerspective(
        image, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    ).astype(np.uint8, copy=False)
    return moved


def _is_what_is_drawn(image: Bytes, lines: Sequence[TextLine], ocr: Ocr | None) -> bool:
    """Whether a few long lines read as the text says: a font's table of characters may lie."""
    if ocr is None:
        return True
    from rapidfuzz import fuzz

    from serving.ocr.alphabet import folded

    longest = sorted(lines, key=lambda line: -len(line.text))[:_COMPARED]
    boxes = [np.array(line.corners, np.float32) for line in longest]
    readings = ocr.read_boxes(image, boxes)
    alike = [
        fuzz.ratio(folded(reading.text), folded(line.text)) / 100
        for reading, line in zip(readings, longest, strict=True)
    ]
    return float(np.mean(alike)) >= _ALIKE
