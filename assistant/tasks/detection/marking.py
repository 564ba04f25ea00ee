"""What any detector of the hospital's own finds on an image: boxes on its slices."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.imaging.channels import Channels, normalised
from assistant.imaging.conform import conformed, scaled
from assistant.imaging.problem import ImageProblem
from assistant.imaging.volume import Grid, Mask
from assistant.tasks.detection.draft import Mark
from serving.vision.boxes import Found
from serving.vision.detector import Detector, Report
from serving.vision.folder import open_folder
from serving.vision.store import VisionStore

MOST_SLICES = 1_500
MOST = 500
"""Marks that are told, the likeliest."""


class ModelDetector:
    """One model, ready to look at images one after the other."""

    def __init__(self, detector: Detector) -> None:
        self.detector = detector
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """The model's."""
        return self.detector.opened.description.name

    def marks(
        self,
        image: Channels,
        threshold: float | None = None,
        report: Report | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> list[Mark]:
        """The likeliest first; slice by slice, each mark on one slice.

        Raises `ImageProblem` for an image that the model is not for, `VisionProblem`, `Cancelled`.
        """
        said = self.detector.opened.description
        given = image.first.modality
        if said.modality and given and given != said.modality:
            raise ImageProblem(
                f"模型用于 {said.modality} 图像，而该图像是 {given[:16]}，请选择对应的序列或模型。",
                f"The model is for {said.modality} and the image is {given[:16]}; choose another.",
            )
        if image.slices > MOST_SLICES:
            raise ImageProblem(
                f"图像有 {image.slices} 层，检出最多 {MOST_SLICES} 层，请裁剪。",
                f"The image has {image.slices} slices, and at most {MOST_SLICES} are searched.",
            )
        planes = [
            conformed(one, said.model_copy(update={"size": None}))
            for one in image.of(said.channels)
        ]
        grid = planes[0].grid
        values = scaled(np.stack([one.array for one in planes]), said.intensity)
        values = normalised(values, said.mean, said.deviation)
        found = self._on_slices(values, threshold, report, cancelled)
        marks = [mark for number, one in found for mark in self._told(one, number, grid, image)]
        marks.sort(key=lambda one: -one.score)
        return [
            one.model_copy(update={"number": number})
            for number, one in enumerate(marks[:MOST], start=1)
        ]

    def _on_slices(
        self,
        values: NDArray[np.float32],
        threshold: float | None,
        report: Report | None,
        cancelled: Callable[[], bool],
    ) -> list[tuple[int, Found]]:
        count = values.shape[1]
        fill = float(values.min(initial=0))
        found = []
        with self._lock:
            for number in range(count):
                one = self.detector.detect(
                    np.ascontiguousarray(values[:, number]),
                    fill,
                    score=threshold,
                    report=report if count == 1 else None,
                    cancelled=cancelled,
                )
                found.append((number, one))
                if report is not None and count > 1:
                    report(number + 1, count, "检出 detect")
        return found

    def _told(self, found: Found, number: int, grid: Grid, image: Channels) -> list[Mark]:
        """In voxels of the image, both ends within."""
        classes = self.detector.opened.description.classes
        detections = []
        for box, score, at in zip(found.corners, found.scores, found.numbers, strict=True):
            # A pixel's middle is its whole number, and its border half a pixel beyond.
            ends = np.array([[number, box[1], box[0]], [number, box[3] - 1, box[2] - 1]], float)
            source = image.first.grid
            there = np.rint(source.indices(grid.positions(ends))).astype(int)
            there = np.clip(there, 0, np.array(source.shape) - 1)
            low, high = there.min(axis=0), there.max(axis=0)
            named = classes[at] if at < len(classes) else None
            sides = (high - low + 1) * np.array(source.spacing)
            detections.append(
                Mark(
                    number=1,
                    label=named.name if named else f"class {at}",
                    label_zh=named.name_zh if named else "",
                    code=named.code if named else "",
                    score=round(float(np.clip(score, 0, 1)), 4),
                    slice=int(low[0]),
                    x=int(low[2]),
                    y=int(low[1]),
                    width=int(high[2] - low[2] + 1),
                    height=int(high[1] - low[1] + 1),
                    width_mm=round(float(sides[2]), 1),
                    height_mm=round(float(sides[1]), 1),
                )
            )
        return detections


def mask_of(mark: Mark, shape: tuple[int, int, int]) -> Mask:
    """The box of a mark on the grid of its image."""
    mask = np.zeros(shape, bool)
    mask[mark.slice, mark.y : mark.y + mark.height, mark.x : mark.x + mark.width] = True
    return mask


def open_detector(model: str, home: Path, threads: int = 0) -> ModelDetector:
    """A model by its name, or by the folder that it is in.

    Raises:
        VisionProblem: there is none, it does not fit its description, or is no detector.
    """
    store = VisionStore(home)
    if not store.holds(model) and Path(model).is_dir():
        opened = open_folder(Path(model))
    else:
        opened = store.open(model)
    return ModelDetector(Detector(opened, threads))
