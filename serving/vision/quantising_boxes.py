"""INT8 of a detector by post-training quantisation that minds the boxes: NNCF, on images of one's
own.

As `serving.vision.quantising`, but what is kept is the average precision against the boxes of
float32.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serving.ir.calibrated import require
from serving.vision.agreement import average_precision, side_by_side
from serving.vision.boxes import Found, decoded, suppressed
from serving.vision.detector import Detector, Image
from serving.vision.folder import EIGHT_BITS, Opened
from serving.vision.problem import VisionProblem
from serving.vision.quantising import MARGIN, Quantised, Report, save, spread
from serving.vision.window import starts

_CALIBRATION, _VALIDATION = 100, 24

Tile = NDArray[np.float32]
"""[1, channel, row, column]"""


def quantise(
    opened: Opened, images: Sequence[Image], max_loss: float, report: Report | None = None
) -> Quantised:
    """Make the INT8 graph of a detector in its folder; ``images`` are as the model needs them.

    Raises:
        CalibrationUnavailable: NNCF is not installed.
        VisionProblem: there is no image, or nothing is found in any of them.
    """
    nncf = require()
    told = report or (lambda done, total, what: None)
    detector = Detector(opened, precision="f32")
    tiles = _tiles(detector, images)
    if not tiles:
        raise VisionProblem("请至少给出一个图像。", "Give one image at least.")
    wanted = [_boxes(detector, one) for one in tiles]
    shown = [number for number, one in enumerate(wanted) if len(one)]
    if not shown:
        raise VisionProblem(
            "这些图像里没有检出任何目标，无法比较；请换有目标的图像。",
            "Nothing is found in these images, so that nothing can be compared; give others.",
        )
    told(0, 3, "量化 quantise")
    checked = spread(shown, _VALIDATION)
    truth = side_by_side([wanted[at] for at in checked])

    def validate(compiled: Any, items: Iterable[Any]) -> tuple[float, None]:
        request = compiled.create_infer_request()
        chosen = [int(item) for item in items]
        found = []
        for at in chosen:
            request.infer([tiles[at]])
            size = (tiles[at].shape[2], tiles[at].shape[3])
            boxes = decoded(detector.read(request), detector.how, size)
            found.append(suppressed(boxes, detector.how.overlap, detector.how.most))
        right = truth if chosen == checked else side_by_side([wanted[at] for at in chosen])
        return average_precision(side_by_side(found), right), None

    model = opened.model.clone()
    model.reshape(list(tiles[0].shape))
    given = spread(tiles, _CALIBRATION)
    quantised = nncf.quantize_with_accuracy_control(
        model,
        calibration_dataset=nncf.Dataset(given),
        validation_dataset=nncf.Dataset(checked),
        validation_fn=validate,
        max_drop=max_loss * MARGIN,
        drop_type=nncf.DropType.ABSOLUTE,
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(given),
    )
    told(2, 3, "量化 quantise")
    made = Detector(replace(opened, eight_bits=quantised), precision="int8")
    found = side_by_side([_boxes(made, one) for one in tiles])
    loss = 1 - average_precision(found, side_by_side(wanted))
    told(3, 3, "量化 quantise")
    if loss <= max_loss:
        save(quantised, opened.folder / EIGHT_BITS)
    return Quantised(loss, len(images), loss <= max_loss)


def _boxes(detector: Detector, tile: Tile) -> Found:
    return suppressed(detector.boxes(tile), detector.how.overlap, detector.how.most)


def _tiles(detector: Detector, images: Sequence[Image]) -> list[Tile]:
    """All of one size: that of the first image's."""
    if not images:
        return []
    rows, columns = detector.tile(*images[0].shape[1:])
    found = []
    for image in images:
        low = float(image.min())
        for y in starts(image.shape[1], rows, 0.0):
            for x in starts(image.shape[2], columns, 0.0):
                part = image[:, y : y + rows, x : x + columns]
                tile = np.full((1, len(image), rows, columns), low, np.float32)
                tile[0, :, : part.shape[1], : part.shape[2]] = part
                found.append(tile)
    return found
