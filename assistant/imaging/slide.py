"""Slides of pathology in the formats of OpenSlide: a part at a resolution, and where tissue is.

A slide is never in memory whole: what is asked for is read in blocks, whatever levels the file has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.imaging.problem import ImageProblem

ENDINGS = (".svs", ".tif", ".tiff", ".ndpi", ".mrxs", ".scn", ".bif", ".vms", ".vmu", ".svslide")
MAX_SIDE = 200_000
"""Pixels; tissue of 25 × 50 mm at 0.25 µm has 100,000 × 200,000."""
MAX_PIXELS = 20_000_000_000

_BLOCK = 2048
_OVERVIEW = 1024
_LEAST_MPP, _MOST_MPP = 0.02, 100.0

Colours = NDArray[np.float32]
"""[channel, row, column], 0 to 255."""


def is_slide(path: Path) -> bool:
    """Whether it is one, by its name and by what OpenSlide says."""
    if not path.is_file() or not path.name.lower().endswith(ENDINGS):
        return False
    from openslide import OpenSlide

    return OpenSlide.detect_format(path) is not None


class Slide:
    """An open slide; to be closed."""

    def __init__(self, path: Path) -> None:
        """Raises `ImageProblem` for what cannot be opened and for what is too large."""
        from openslide import OpenSlide, OpenSlideError

        try:
            self._slide: Any = OpenSlide(path)
        except (OpenSlideError, OSError):
            raise ImageProblem(
                "切片打不开：文件损坏，或不是 OpenSlide 支持的格式（普通 TIFF 须为分块金字塔）。",
                "The slide cannot be opened: broken, or no format of OpenSlide (tiled TIFF).",
            ) from None
        self.columns, self.rows = (int(one) for one in self._slide.dimensions)
        if max(self.columns, self.rows) > MAX_SIDE or self.columns * self.rows > MAX_PIXELS:
            self.close()
            raise ImageProblem(
                f"切片过大（{self.columns} × {self.rows} 像素），"
                f"最多 {MAX_PIXELS // 10**8} 亿像素、边长 {MAX_SIDE}，请裁剪后重试。",
                f"The slide is too large ({self.columns} × {self.rows} pixels); crop it.",
            )

    def __enter__(self) -> Slide:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the file go."""
        self._slide.close()

    @property
    def micrometres(self) -> float | None:
        """Of a pixel's side; None where the file does not say, or says nonsense."""
        try:
            found = float(self._slide.properties["openslide.mpp-x"])
        except (KeyError, ValueError):
            return None
        return found if _LEAST_MPP < found < _MOST_MPP else None

    def part(self, x: int, y: int, size: tuple[int, int], shrink: float = 1.0) -> Colours:
        """``size`` (rows, columns) pixels that are ``shrink`` of the slide's own to a side, from
        the slide's own pixel (``x``, ``y``); white beyond the border.  Raises `ImageProblem`."""
        from openslide import OpenSlideError
        from PIL import Image

        level = self._slide.get_best_level_for_downsample(shrink + 1e-6)
        more = shrink / float(self._slide.level_downsamples[level])
        rows, columns = (max(round(side * more), 1) for side in size)
        try:
            found = self._slide.read_region((x, y), level, (columns, rows))
        except OpenSlideError:
            raise ImageProblem(
                "切片的部分数据读不出，文件不完整，请重新复制或扫描。",
                "A part of the slide cannot be read; the file is not whole. Copy it again.",
            ) from None
        white = Image.new("RGB", found.size, (255, 255, 255))
        white.paste(found, mask=found.getchannel("A"))
        self._blank_beyond(white, x, y, level)
        if white.size != (size[1], size[0]):
            white = white.resize((size[1], size[0]), Image.Resampling.BOX)
        return np.ascontiguousarray(np.asarray(white, np.float32).transpose(2, 0, 1))

    def _blank_beyond(self, picture: Any, x: int, y: int, level: int) -> None:
        """Some formats are black beyond their border."""
        factor = float(self._slide.level_downsamples[level])
        right = max(int(np.ceil((self.columns - x) / factor)), 0)
        bottom = max(int(np.ceil((self.rows - y) / factor)), 0)
        width, height = picture.size
        if right < width:
            picture.paste((255, 255, 255), (right, 0, width, height))
        if bottom < height:
            picture.paste((255, 255, 255), (0, bottom, width, height))

    def overview(
        self, report: Callable[[int, int, str], None] = lambda done, total, what: None
    ) -> tuple[Colours, float]:
        """The whole in at most 1024 pixels a side, read in blocks; and how many of the slide's own
        pixels one of it has to a side."""
        shrink = max(self.columns, self.rows) / _OVERVIEW
        shrink = max(shrink, 1.0)
        rows, columns = (max(int(side / shrink), 1) for side in (self.rows, self.columns))
        found = np.full((3, rows, columns), 255, np.float32)
        step = max(int(_BLOCK / self._memory_factor(shrink)), 1)
        places = [(y, x) for y in range(0, rows, step) for x in range(0, columns, step)]
        for done, (y, x) in enumerate(places, start=1):
            size = min(step, rows - y), min(step, columns - x)
            found[:, y : y + size[0], x : x + size[1]] = self.part(
                round(x * shrink), round(y * shrink), size, shrink
            )
            report(done, len(places), "概览 overview")
        return found, shrink

    def _memory_factor(self, shrink: float) -> float:
        """How much larger than asked for what is read is, to a side."""
        level = self._slide.get_best_level_for_downsample(shrink + 1e-6)
        return max(shrink / float(self._slide.level_downsamples[level]), 1.0)


def tissue(overview: Colours) -> NDArray[np.bool_]:
    """Where an overview has colour: the saturation above Otsu's threshold, small holes filled.

    Nothing where all is about as pale, as on an empty slide.
    """
    from scipy import ndimage
    from skimage.filters import threshold_otsu

    most, least = overview.max(axis=0), overview.min(axis=0)
    colour = ndimage.median_filter((most - least) / 255, 3)
    least_colour = 0.05
    if float(colour.max()) < least_colour:
        return np.zeros(colour.shape, bool)
    limit = max(float(threshold_otsu(colour)) * 0.6, least_colour)
    found: NDArray[np.bool_] = ndimage.binary_closing(np.pad(colour > limit, 4), iterations=3)[
        4:-4, 4:-4
    ]
    return found


def blocks(
    slide: Slide, shrink: float, side: int, mask: NDArray[np.bool_], mask_shrink: float
) -> Iterator[tuple[int, int]]:
    """Corners (x, y), in pixels that are ``shrink`` of the slide's own, of the squares of ``side``
    that have tissue."""
    rows, columns = int(slide.rows / shrink), int(slide.columns / shrink)
    factor = shrink / mask_shrink
    for y in range(0, max(rows, 1), side):
        for x in range(0, max(columns, 1), side):
            top, left = int(y * factor), int(x * factor)
            bottom = max(int(np.ceil((y + side) * factor)), top + 1)
            right = max(int(np.ceil((x + side) * factor)), left + 1)
            if mask[top:bottom, left:right].any():
                yield x, y
