"""Pages of a PDF: drawn, and their own text where it is what one sees.

Runs in the confined process only.  Coordinates of a PDF are points from the lower left; those given
are pixels of the drawn page.
"""

from __future__ import annotations

import ctypes
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from serving.ocr.line import TextLine
from serving.ocr.network import Bytes
from serving.ocr.raw_page import MOST_PAGES, WORKING_SIDE, RawPage, check_count, is_blank
from serving.ocr.refusal import PageRefused

_DOTS_PER_POINT = 200 / 72
_LEAST_SIDE = 1_200
_MOST_CHARACTERS = 30_000
_INVISIBLE = 3
_SEEN = 0.95
_UNREADABLE = 0.02
_CONTRAST = 40
_GAP = 0.9
_SPACE = 0.25
_SCRIPTS = (b"/JavaScript", b"/Launch")


@dataclass(frozen=True, slots=True)
class Glyph:
    """One character and its box in pixels."""

    text: str
    left: float
    top: float
    right: float
    bottom: float


def pages_of_pdf(content: bytes) -> Iterator[RawPage]:
    """The pages of a PDF.

    Raises:
        PageRefused: it is encrypted, damaged, holds a script or too many pages.
    """
    import pypdfium2
    import pypdfium2.raw as pdfium

    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        raise _refusal(str(error)) from None
    with document:
        if pdfium.FPDFDoc_GetJavaScriptActionCount(document) > 0 or any(
            mark in content for mark in _SCRIPTS
        ):
            raise PageRefused(
                "script",
                "PDF 里有脚本或会启动程序，不予打开；请另存为普通 PDF 或截图上传。"
                "(The PDF holds a script; save it as a plain one, or send a picture.)",
            )
        count = len(document)
        check_count(count)
        for number in range(min(count, MOST_PAGES)):
            try:
                page = document[number]
                yield _page(page, number + 1)
                page.close()
            except (pypdfium2.PdfiumError, MemoryError):
                raise _refusal("") from None


def _refusal(reason: str) -> PageRefused:
    if "password" in reason.lower() or "security" in reason.lower():
        return PageRefused(
            "encrypted",
            "PDF 有密码，请去掉密码后上传。(The PDF has a password; take it off first.)",
        )
    return PageRefused(
        "damaged",
        "PDF 不完整或已损坏，请重新导出后上传。(The PDF is damaged; export it again.)",
    )


def _page(page: Any, number: int) -> RawPage:
    width, height = page.get_size()
    longest = max(width, height, 1.0)
    scale = min(WORKING_SIDE / longest, max(_DOTS_PER_POINT, _LEAST_SIDE / longest))
    image = page.render(scale=scale, rev_byteorder=True).to_numpy()
    image = np.ascontiguousarray(image[..., :3]) if image.ndim == 3 else _grey(image)
    glyphs = _glyphs(page, image.shape[1], image.shape[0])
    lines = lines_of(glyphs) if glyphs and _is_seen(glyphs, image) else None
    size = image.shape[1], image.shape[0]
    return RawPage(number, image, size, np.eye(3), lines, is_blank(image))


def _grey(image: Bytes) -> Bytes:
    return np.repeat(image[..., None], 3, axis=2)


def _glyphs(page: Any, width: int, height: int) -> list[Glyph] | None:
    """The visible characters; None where the layer is no plain text across the page."""
    import pypdfium2.raw as pdfium

    text = page.get_textpage()
    count = text.count_chars()
    if not 0 < count <= _MOST_CHARACTERS:
        return None
    unreadable, glyphs = 0, []
    for index in range(count):
        code = pdfium.FPDFText_GetUnicode(text, index)
        character = chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd"
        if pdfium.FPDFText_IsGenerated(text, index) == 1 or character in "\r\n":
            continue
        if abs(pdfium.FPDFText_GetCharAngle(text, index)) > 0.02:
            return None
        shape = pdfium.FPDFText_GetTextObject(text, index)
        if shape and pdfium.FPDFTextObj_GetTextRenderMode(shape) == _INVISIBLE:
            return None
        unreadable += unicodedata.category(character) in ("Co", "Cn", "Cc") or code == 0xFFFD
        glyphs.append(Glyph(character, *_place(page, text, index, width, height)))
    if unreadable > _UNREADABLE * len(glyphs):
        return None
    return glyphs


def _place(
    page: Any, text: Any, index: int, width: int, height: int
) -> tuple[float, float, float, float]:
    import pypdfium2.raw as pdfium

    left, bottom, right, top = text.get_charbox(index, loose=True)
    corners = []
    # Whole pixels are all that the library gives: ask on a page sixteen times as large.
    for across, down in ((left, top), (right, bottom)):
        x, y = ctypes.c_int(), ctypes.c_int()
        pdfium.FPDF_PageToDevice(
            page, 0, 0, width * 16, height * 16, 0, across, down, ctypes.byref(x), ctypes.byref(y)
        )
        corners.append((x.value / 16, y.value / 16))
    (x0, y0), (x1, y1) = corners
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def _is_seen(glyphs: list[Glyph], image: Bytes) -> bool:
    """Whether there is ink where the text says it is, and little ink elsewhere that looks like
    text: a scan has its words in the picture, whatever a hidden layer says."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    height, width = grey.shape
    inked = printed = 0
    heights = []
    covered = np.zeros(grey.shape, np.uint8)
    for glyph in glyphs:
        left, top = max(0, int(glyph.left)), max(0, int(glyph.top))
        right, bottom = min(width, int(glyph.right) + 2), min(height, int(glyph.bottom) + 2)
        if glyph.text.isspace() or right <= left or bottom <= top:
            continue
        part = grey[top:bottom, left:right]
        printed += 1
        inked += int(part.max()) - int(part.min()) >= _CONTRAST
        heights.append(bottom - top)
        covered[top:bottom, left:right] = 1
    if not printed or inked < _SEEN * printed:
        return False
    return _uncovered(grey, covered, float(np.median(heights))) < 0.25 * printed


def _uncovered(grey: Bytes, covered: Bytes, tall: float) -> int:
    """How many marks as large as characters stand where no text is said to be."""
    ground = cv2.blur(grey, (31, 31)).astype(np.int16)
    ink = (ground - grey.astype(np.int16) > _CONTRAST).astype(np.uint8)
    _, _, stats, middles = cv2.connectedComponentsWithStats(ink, connectivity=8)
    wide, high = stats[1:, cv2.CC_STAT_WIDTH], stats[1:, cv2.CC_STAT_HEIGHT]
    like_text = (high > 0.35 * tall) & (high < 1.5 * tall) & (wide < 1.5 * tall) & (wide > 2)
    places = middles[1:][like_text].astype(int)
    return int((covered[places[:, 1], places[:, 0]] == 0).sum())


def lines_of(glyphs: list[Glyph]) -> list[TextLine]:
    """Characters joined to lines: neighbours of one height, in reading order; a wide gap parts
    them, as between the cells of a table."""
    rows: list[list[Glyph]] = []
    for glyph in sorted(glyphs, key=lambda one: one.top + one.bottom):
        middle = (glyph.top + glyph.bottom) / 2
        row = next((row for row in rows[:-4:-1] if row[0].top < middle < row[0].bottom), None)
        if row is None:
            rows.append([glyph])
        else:
            row.append(glyph)
    lines = []
    for row in rows:
        row.sort(key=lambda one: one.left)
        for cell in _cells(row):
            line = _line(cell)
            if line is not None:
                lines.append(line)
    return lines


def _cells(row: list[Glyph]) -> Iterator[list[Glyph]]:
    cell: list[Glyph] = []
    spaced = False
    for glyph in row:
        if glyph.text.isspace():
            spaced = True
            continue
        high = glyph.bottom - glyph.top
        gap = glyph.left - cell[-1].right if cell else 0.0
        if gap > _GAP * high:
            yield cell
            cell = []
        elif cell and (spaced or gap > _SPACE * high):
            last = cell[-1]
            cell.append(Glyph(" ", last.right, last.top, glyph.left, last.bottom))
        cell.append(glyph)
        spaced = False
    if cell:
        yield cell


def _line(cell: list[Glyph]) -> TextLine | None:
    left, right = cell[0].left, max(one.right for one in cell)
    top, bottom = min(one.top for one in cell), max(one.bottom for one in cell)
    pieces = [(character, one.right - left) for one in cell for character in one.text]
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    text = "".join(character for character, _ in pieces)
    return TextLine(text, corners, 1.0, tuple(round(end, 1) for _, end in pieces))
