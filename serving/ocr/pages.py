"""A file opened as pages: pixels the right way up, and the way back to the picture as it came."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from serving.ocr.line import TextLine
from serving.ocr.network import Bytes
from serving.ocr.refusal import PageRefused


@dataclass(frozen=True, slots=True)
class OpenedPage:
    """One page.

    ``image`` is uint8 RGB [H, W, 3], upright; ``original_size`` (width, height) is that of the
    picture as it came, in whose pixels ``to_original`` answers; ``text_lines`` are a PDF's own text
    where it is true, in pixels of ``image``; ``warnings`` are sentences for the user.
    """

    number: int
    image: Bytes
    original_size: tuple[int, int]
    text_lines: list[TextLine] | None = None
    back: NDArray[np.float64] = field(default_factory=lambda: np.eye(3))
    warnings: tuple[str, ...] = ()

    def to_original(self, x: float, y: float) -> tuple[float, float]:
        """A place on ``image`` as a place on the picture as it came (pixels)."""
        across, down, scale = self.back @ (x, y, 1.0)
        return float(across / scale), float(down / scale)


def open_pages(file: Path | bytes, name: str = "") -> list[OpenedPage]:
    """The pages of a picture or a PDF.

    Raises:
        PageRefused: it cannot be opened; the message says what to do.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    content = file if isinstance(file, bytes) else Path(file).read_bytes()
    try:
        opened = Image.open(io.BytesIO(content))
        image = np.asarray(ImageOps.exif_transpose(opened).convert("RGB"))
    except (UnidentifiedImageError, OSError) as error:
        raise PageRefused("unreadable", "打不开这个文件。(The file cannot be opened.)") from error
    return [OpenedPage(1, image, (image.shape[1], image.shape[0]))]
