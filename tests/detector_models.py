"""A detector with weights that are made here: squares of 8 by 8 that are bright throughout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import openvino
import yaml
from openvino import opset13 as ops

SIDE = 8


def write(folder: Path, tile: int = 64, bright: float = 1.0, **said: Any) -> Path:
    """A YOLO head [1, 5, places]: centre, size, and the mean brightness at each place, times
    ``bright``."""
    folder.mkdir(parents=True, exist_ok=True)
    source = ops.parameter([1, 1, tile, tile], np.float32)
    kernel = np.full((1, 1, SIDE, SIDE), bright / SIDE**2, np.float32)
    mean = ops.convolution(source, ops.constant(kernel), [1, 1], [0, 0], [0, 0], [1, 1])
    count = tile - SIDE + 1
    y, x = np.mgrid[0:count, 0:count].reshape(2, -1) + SIDE / 2
    side = np.full(count**2, float(SIDE))
    boxes = np.stack([x, y, side, side])[None].astype(np.float32)
    scores = ops.reshape(mean, ops.constant(np.array([1, 1, count**2])), False)
    made = ops.concat([ops.constant(boxes), scores], 1)
    openvino.save_model(
        openvino.Model([made], [source], "squares"), folder / "model.xml", compress_to_fp16=False
    )
    plain = {
        "task": "detection",
        "dimensions": 2,
        "overlap": 0.25,
        "classes": [{"name": "background"}, {"name": "square", "name_zh": "方块"}],
        "intensity": {"kind": "range", "low": 0, "high": 255},
        "boxes": {"kind": "yolo", "score": 0.9, "overlap": 0.3},
    }
    (folder / "vision.yaml").write_text(yaml.safe_dump(plain | said, allow_unicode=True), "utf-8")
    return folder
