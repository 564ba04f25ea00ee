"""What a detector finds on a slide: block by block where there is tissue, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from assistant.imaging.channels import normalised
from assistant.imaging.conform import scaled
from assistant.imaging.problem import ImageProblem
from assistant.imaging.slide import Slide, blocks, tissue
from serving.vision.boxes import Found, joined
from serving.vision.detector import Detector, Report
from serving.vision.problem import Cancelled

_SIDE = 1024
"""Pixels of a block; a margin is read around it so that what lies on its border is whole."""
_MARGIN = 64
_SAME_SIZE = 0.05

MOST = 2_000_000


@dataclass(frozen=True, slots=True)
class SlideMarks:
    """``found`` in the slide's own pixels; ``tissue_mm2`` is None where the size of a pixel is not
    known."""

    found: Found
    tissue_mm2: float | None
    blocks: int
    complete: bool


def slide_marks(
    detector: Detector,
    slide: Slide,
    threshold: float | None = None,
    report: Report | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> SlideMarks:
    """Every thing once: a block tells what has its middle in it.

    Raises `ImageProblem` for a slide or a model that this cannot be done with, `Cancelled`.
    """
    said = detector.opened.description
    if said.intensity.kind not in ("range", "none"):
        raise ImageProblem(
            "切片分块读取，vision.yaml 的 intensity 须为 range 或 none。",
            "A slide is read in blocks: intensity must be of the kind range or none.",
        )
    if said.channels != 3:
        raise ImageProblem("切片是彩色的，模型须有 3 个通道。", "A slide has colours: channels: 3.")
    shrink = _shrink(detector, slide)
    overview, mask_shrink = slide.overview()
    mask = tissue(overview)
    places = list(blocks(slide, shrink, _SIDE, mask, mask_shrink))
    parts: list[Found] = []
    count = 0
    whole = _SIDE + 2 * _MARGIN
    for done, (x, y) in enumerate(places, start=1):
        if cancelled():
            raise Cancelled
        left, top = x - _MARGIN, y - _MARGIN
        colours = slide.part(round(left * shrink), round(top * shrink), (whole, whole), shrink)
        given = normalised(scaled(colours, said.intensity), said.mean, said.deviation)
        found = detector.detect(given, float(given.max()), score=threshold, cancelled=cancelled)
        middle = (found.corners[:, :2] + found.corners[:, 2:]) / 2
        within = (middle >= _MARGIN) & (middle < _MARGIN + _SIDE)
        mine = found.of(within[:, 0] & within[:, 1])
        parts.append(_on_slide(mine, left, top, shrink))
        count += len(mine)
        if report is not None:
            report(done, len(places), "切片 slide")
        if count >= MOST:
            break
    pixel = slide.micrometres
    area = None if pixel is None else float(mask.sum()) * (mask_shrink * pixel / 1000) ** 2
    return SlideMarks(joined(parts), area, len(places), count < MOST)


def _on_slide(found: Found, left: int, top: int, shrink: float) -> Found:
    moved = found.moved(left, top)
    return Found(moved.corners * shrink, moved.scores, moved.numbers)


def _shrink(detector: Detector, slide: Slide) -> float:
    """How many of the slide's pixels one of the network's has to a side."""
    spacing = detector.opened.description.spacing
    if spacing is None:
        return 1.0
    pixel = slide.micrometres
    if pixel is None:
        raise ImageProblem(
            "切片没有写明像素大小（mpp），而模型需要；请重新导出带 mpp 的切片。",
            "The slide does not say the size of its pixels (mpp), which the model needs.",
        )
    found = spacing[2] * 1000 / pixel
    if found < 1 - _SAME_SIZE:
        raise ImageProblem(
            f"切片的像素（{pixel:g} µm）比模型需要的（{spacing[2] * 1000:g} µm）粗，"
            "请用更高倍扫描。",
            f"The slide's pixels ({pixel:g} µm) are coarser than the model needs.",
        )
    return max(found, 1.0)


def per_class(marks: SlideMarks, names: tuple[str, ...]) -> list[tuple[str, int, float | None]]:
    """Name, count, and count a mm² of tissue."""
    counts = np.bincount(marks.found.numbers, minlength=len(names))
    area = marks.tissue_mm2
    return [
        (
            names[number] if number < len(names) else f"class {number}",
            int(count),
            None if not area else round(count / area, 2),
        )
        for number, count in enumerate(counts)
        if number
    ]
