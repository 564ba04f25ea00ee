"""A slide that is made here: pink tissue on white, dark cells whose places are known."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np
import openvino
import tifffile
import yaml
from numpy.typing import NDArray
from openvino import opset13 as ops

RADIUS = 5
TILE = 128
TIFF_TILE = 256


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


def vast(path: Path, corner: int = 53_248, tissue: int = 600, side: int = 100_000) -> int:
    """A slide of ``side`` × ``side`` in a few megabytes, since tiles that are alike are there once:
    a square of tissue from (``corner``, ``corner``) with a cell in every tile.  How many cells."""
    with path.open("wb") as file:
        file.write(struct.pack("<2sHHHQ", b"II", 43, 8, 0, 0))
        written: dict[bytes, int] = {}
        link = 8
        for step in (1, 4, 16, 64):
            wide = -(-side // step)
            count = -(-wide // TIFF_TILE)
            where = np.empty((count, count), np.uint64)
            where[:] = _tile(file, written, np.full((TIFF_TILE, TIFF_TILE, 3), 245, np.uint8))
            first, last = corner // step // TIFF_TILE, (corner + tissue) // step // TIFF_TILE + 1
            for row in range(first, last):
                for column in range(first, last):
                    low = np.array([row, column]) * TIFF_TILE
                    where[row, column] = _tile(
                        file, written, _part(low, corner // step, (corner + tissue) // step, step)
                    )
            link = _directory(file, where, wide, step, link)
    return len(_cells(corner, tissue))


def _cells(corner: int, tissue: int) -> list[int]:
    steps = range(-(-corner // TIFF_TILE), (corner + tissue) // TIFF_TILE)
    return [n for n in steps for _ in steps]


def _part(low: NDArray[np.int64], first: int, last: int, step: int) -> NDArray[np.uint8]:
    """A tile from the corner ``low`` (row, column) of a level; a cell only where it is whole
    tissue."""
    made = np.full((TIFF_TILE, TIFF_TILE, 3), 245, np.uint8)
    rows, columns = (
        slice(max(first - int(one), 0), max(min(last - int(one), TIFF_TILE), 0)) for one in low
    )
    made[rows, columns] = (225, 170, 195)
    whole = rows == columns == slice(0, TIFF_TILE)
    if step == 1 and whole:
        y, x = np.mgrid[-128:128, -128:128]
        made[y**2 + x**2 <= RADIUS**2] = (95, 60, 130)
    return made


def _tile(file: BinaryIO, written: dict[bytes, int], tile: NDArray[np.uint8]) -> int:
    data = tile.tobytes()
    if data not in written:
        written[data] = file.tell()
        file.write(data)
    return written[data]


def _directory(file: BinaryIO, where: NDArray[np.uint64], wide: int, step: int, link: int) -> int:
    """A directory of BigTIFF, to which the eight bytes at ``link`` point; where its own are."""
    offsets = file.tell()
    file.write(where.tobytes())
    sizes = file.tell()
    file.write(np.full(where.size, TIFF_TILE**2 * 3, np.uint32).tobytes())
    resolution = 20_000 // step | (1 << 32)
    fields = [
        (254, 4, 1, int(step > 1)), (256, 4, 1, wide), (257, 4, 1, wide),
        (258, 3, 3, 8 | 8 << 16 | 8 << 32), (259, 3, 1, 1), (262, 3, 1, 2), (277, 3, 1, 3),
        (282, 5, 1, resolution), (283, 5, 1, resolution), (284, 3, 1, 1), (296, 3, 1, 3),
        (322, 3, 1, TIFF_TILE), (323, 3, 1, TIFF_TILE),
        (324, 16, where.size, offsets), (325, 4, where.size, sizes),
    ]  # fmt: skip
    place = file.tell()
    file.write(struct.pack("<Q", len(fields)))
    for one in fields:
        file.write(struct.pack("<HHQQ", *one))
    file.write(struct.pack("<Q", 0))
    end = file.tell()
    file.seek(link)
    file.write(struct.pack("<Q", place))
    file.seek(end)
    return end - 8


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
