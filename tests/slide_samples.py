"""A slide that is made here: pink tissue on white, dark cells whose places are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino
import tifffile
import yaml
from numpy.typing import NDArray
from openvino import opset13 as ops

RADIUS = 5
TILE = 128


def slide(
    path: Path, side: int = 2600, cells: int = 150, seed: int = 3, mpp: float = 0.5
) -> NDArray[np.int64]:
    """Write a pyramid of three levels; the middles (column, row) of its cells."""
    rng = np.random.default_rng(seed)
    image = np.full((side, side, 3), 245, np.uint8)
    low, high = side // 5, side - side // 4
    patch = rng.normal((225, 170, 195), 6, (high - low, high - low, 3))
    image[low:high, low:high] = np.clip(patch, 0, 255).astype(np.uint8)
    places: list[tuple[int, int]] = []
    while len(places) < cells:
        x, y = (int(n) for n in rng.integers(low + 12, high - 12, 2))
        if all((x - a) ** 2 + (y - b) ** 2 > (3 * RADIUS) ** 2 for a, b in places):
            places.append((x, y))
    for x, y in places:
        rows, columns = np.mgrid[-8:9, -8:9]
        inside = rows**2 + columns**2 <= RADIUS**2
        part = image[y - 8 : y + 9, x - 8 : x + 9]
        part[inside] = rng.normal((95, 60, 130), 8, (int(inside.sum()), 3)).clip(0, 255)
    with tifffile.TiffWriter(path) as file:
        for level in range(3):
            step = 2**level
            file.write(
                image[::step, ::step],
                tile=(256, 256),
                photometric="rgb",
                compression=None,
                resolution=(1e4 / mpp / step, 1e4 / mpp / step),
                resolutionunit="CENTIMETER",
                subfiletype=1 if level else 0,
            )
    return np.array(places)


def cell_detector(folder: Path, **said: object) -> Path:
    """Darkness of a disc against the ring around it, where it is highest in its neighbourhood."""
    folder.mkdir(parents=True, exist_ok=True)
    source = ops.parameter([1, 3, TILE, TILE], np.float32)
    rows, columns = np.mgrid[-8:9, -8:9]
    away = np.hypot(rows, columns)
    disc, ring = away <= RADIUS - 1, (away > RADIUS + 1) & (away <= 8)
    template = ring / ring.sum() - disc / disc.sum()
    kernel = np.repeat(template[None, None] / 3, 3, axis=1).astype(np.float32)
    flat = [1, 1]
    answer = ops.convolution(source, ops.constant(kernel), flat, [8, 8], [8, 8], flat)
    highest = ops.max_pool(answer, flat, flat, [4, 4], [4, 4], [9, 9]).output(0)
    peak = ops.convert(ops.equal(answer, highest), np.float32)
    score = ops.multiply(ops.multiply(answer, ops.constant(np.float32(2.0))), peak)
    y, x = np.mgrid[0:TILE, 0:TILE].reshape(2, -1) + 0.5
    size = np.full(TILE**2, 2.0 * RADIUS + 1)
    boxes = ops.constant(np.stack([x, y, size, size])[None].astype(np.float32))
    made = ops.concat(
        [boxes, ops.reshape(score, ops.constant(np.array([1, 1, TILE**2])), False)], 1
    )
    openvino.save_model(
        openvino.Model([made], [source], "cells"), folder / "model.xml", compress_to_fp16=False
    )
    plain: dict[str, object] = {
        "task": "detection",
        "dimensions": 2,
        "channels": 3,
        "overlap": 0.25,
        "intensity": {"kind": "range", "low": 0, "high": 255},
        "classes": [{"name": "background"}, {"name": "cell", "name_zh": "细胞"}],
        "boxes": {"kind": "yolo", "score": 0.3, "overlap": 0.3},
    }
    (folder / "vision.yaml").write_text(yaml.safe_dump(plain | said, allow_unicode=True), "utf-8")
    return folder
