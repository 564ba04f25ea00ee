"""INT8 of an image model by post-training quantisation that minds the accuracy: NNCF, on images of
one's own.

The ranges are taken from windows of the images; where the classes agree less with those of float32
than is allowed, the operations that cost most are put back one by one.  The quantised graph lies
beside the other one, and at first use is measured against it.  An extra: it needs ``nncf``.

Rows of convolutions are not quantised: they are computed layer by layer, and the head networks lose
0.03 of Dice with it whatever is put back but the last layer (bench/RESULTS.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serving.ir.calibrated import require
from serving.vision import window
from serving.vision.folder import EIGHT_BITS, Opened
from serving.vision.network import Network
from serving.vision.precision import dice
from serving.vision.problem import VisionProblem
from serving.vision.window import Size, starts

Floats = NDArray[np.float32]
Report = Callable[[int, int, str], None]

_CALIBRATION = 100
_VALIDATION = 24
"""Windows: more tell little more, and cost time."""

_MARGIN = 0.7
"""Of what may be lost, as the whole images may lose more than the windows that were looked at."""


@dataclass(frozen=True, slots=True)
class Quantised:
    """``loss``: 1 − the mean Dice of the INT8 classes against the float32 ones, over whole images
    (so many ``images``); ``kept``: whether it was within what was allowed, and written."""

    loss: float
    images: int
    kept: bool


def quantise(
    opened: Opened, images: Sequence[Floats], max_loss: float, report: Report | None = None
) -> Quantised:
    """Make the INT8 graph of a model in its folder.

    ``images`` [slice, row, column] are scaled as the model needs them.

    Raises:
        CalibrationUnavailable: NNCF is not installed.
        VisionProblem: there is no image, or the model is a row of convolutions.
    """
    nncf = require()
    if not images:
        raise VisionProblem("请至少给出一个图像。", "Give one image at least.")
    network = Network(opened, "f32")
    if network.stages is not None:
        raise VisionProblem(
            "逐层计算的卷积网络不做 INT8：精度损失过大；请用 --precision auto。",
            "A row of convolutions is not quantised: it loses too much; use --precision auto.",
        )
    tell = report or (lambda done, total, what: None)
    size = network.given_at_once(images[0].shape)
    every = _windows(images, size)
    tell(0, 3, "量化 quantise")
    quantised = _quantised(nncf, opened, size, every, max_loss)
    tell(1, 3, "量化 quantise")
    path = opened.folder / EIGHT_BITS
    made = replace(opened, eight_bits=quantised)
    loss = _loss(made, images)
    tell(3, 3, "量化 quantise")
    if loss <= max_loss:
        _save(quantised, path)
    return Quantised(loss, len(images), loss <= max_loss)


def _quantised(
    nncf: Any, opened: Opened, size: Size, every: Sequence[Floats], max_loss: float
) -> Any:
    import openvino

    flat = opened.description.dimensions == 2
    model = opened.model.clone()
    model.reshape([1, 1, *size[1:]] if flat else [1, 1, *size])
    plain = window.Streams(openvino.Core().compile_model(model, "CPU", _EXACT), 1)
    checked = _spread(every, _VALIDATION)
    wanted = [made.argmax(axis=0).astype(np.uint8) for made in plain.scores(checked)]

    def validate(compiled: Any, items: Iterable[Any]) -> tuple[float, None]:
        chosen = [int(item) for item in items]
        asked = window.Streams(compiled, 1).scores([checked[at] for at in chosen])
        found = [made.argmax(axis=0).astype(np.uint8) for made in asked]
        return dice(np.stack([wanted[at] for at in chosen]), np.stack(found)), None

    given = [part.reshape(model.input(0).shape) for part in _spread(every, _CALIBRATION)]
    return nncf.quantize_with_accuracy_control(
        model,
        calibration_dataset=nncf.Dataset(given),
        validation_dataset=nncf.Dataset(list(range(len(checked)))),
        validation_fn=validate,
        max_drop=max_loss * _MARGIN,
        drop_type=nncf.DropType.ABSOLUTE,
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(given),
    )


_EXACT = {"INFERENCE_PRECISION_HINT": "f32"}


def _loss(opened: Opened, images: Sequence[Floats]) -> float:
    """Over whole images, as they are segmented in use."""
    exact, other = Network(opened, "f32"), Network(opened, "int8")
    pairs = [
        (exact.labels(one, float(one.min())), other.labels(one, float(one.min()))) for one in images
    ]
    first = np.concatenate([one.ravel() for one, _ in pairs])
    second = np.concatenate([one.ravel() for _, one in pairs])
    return 1 - dice(first, second)


def _windows(images: Sequence[Floats], size: Size) -> list[Floats]:
    """Windows side by side over all images; those with nothing in them are left out."""
    found = []
    for image in images:
        more = [(0, max(w - n, 0)) for n, w in zip(image.shape, size, strict=True)]
        filled = np.pad(image, more, constant_values=float(image.min()))
        lines = [starts(n, w, 0.0) for n, w in zip(filled.shape, size, strict=True)]
        for z in lines[0]:
            for y in lines[1]:
                for x in lines[2]:
                    part = filled[z : z + size[0], y : y + size[1], x : x + size[2]]
                    if np.ptp(part) > 0:
                        found.append(np.ascontiguousarray(part))
    return found


def _spread(every: Sequence[Floats], count: int) -> list[Floats]:
    """So many of them, evenly from all."""
    places = np.linspace(0, len(every) - 1, min(count, len(every))).astype(int)
    return [every[int(at)] for at in places]


def _save(model: Any, path: Path) -> None:
    import openvino

    fresh = path.with_name(f".{path.name}")
    openvino.save_model(model, fresh, compress_to_fp16=False)
    fresh.with_suffix(".bin").replace(path.with_suffix(".bin"))
    fresh.replace(path)
