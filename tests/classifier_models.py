"""A classifier with weights that are made here: is there a bright spot?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import openvino
import yaml
from openvino import opset13 as ops

CLASSES = [{"name": "plain", "name_zh": "未见异常"}, {"name": "spot", "name_zh": "亮点"}]


def write(
    folder: Path,
    size: tuple[int, ...] = (16, 16),
    *,
    channels: int = 1,
    single: bool = False,
    steepness: float = 12.0,
    **said: Any,
) -> Path:
    """Scores [plain, spot]: the brightest mean of 3 pixels each way, against a half.

    ``single``: one score, that of the spot.
    """
    folder.mkdir(parents=True, exist_ok=True)
    source = ops.parameter([1, channels, *size], np.float32)
    flat = len(size)
    kernel = np.full((1, channels, *[3] * flat), 1 / (3**flat * channels), np.float32)
    mean = ops.convolution(source, ops.constant(kernel), [1] * flat, [0] * flat, [0] * flat,
                           [1] * flat)  # fmt: skip
    brightest = ops.reduce_max(mean, ops.constant(list(range(2, flat + 2))), False)
    score = ops.multiply(
        ops.subtract(brightest, ops.constant(np.float32(0.5))), ops.constant(np.float32(steepness))
    )
    made = score
    if not single:
        made = ops.concat([ops.multiply(score, ops.constant(np.float32(0))), score], 1)
    openvino.save_model(
        openvino.Model([made], [source], "spot"), folder / "model.xml", compress_to_fp16=False
    )
    plain = {
        "task": "classification",
        "dimensions": flat,
        "channels": channels,
        "classes": CLASSES,
        "intensity": {"kind": "range", "low": 0, "high": 255},
    }
    (folder / "vision.yaml").write_text(yaml.safe_dump(plain | said, allow_unicode=True), "utf-8")
    return folder
