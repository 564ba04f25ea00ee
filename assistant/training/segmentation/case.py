"""A case as the network is given it: intensities and classes on the network's own grid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.imaging.conform import back, conformed, scaled
from assistant.imaging.problem import ImageProblem
from assistant.imaging.source import known_as, read_image
from assistant.imaging.volume import Grid, Volume
from assistant.training.segmentation.pairs import Pair
from serving.vision.description import Description

Labels = NDArray[np.uint8]
Report = Callable[[int, int, str], None]
MAX_CLASSES = 255
_MIXED = "图像与掩膜的大小、间距或位置不一致"


@dataclass(frozen=True, slots=True)
class Read:
    """A pair as its files hold it; ``mask`` has the values of the file, on the image's grid."""

    name: str
    volume: Volume
    mask: NDArray[Any]


@dataclass(frozen=True, slots=True)
class Case:
    """``array`` and ``labels`` [first, second, third axis of the network]; ``grid`` is theirs."""

    name: str
    array: NDArray[np.float32]
    labels: Labels
    grid: Grid


def read(pair: Pair, modality: str) -> Read:
    """Both files of a pair.

    Raises:
        ImageProblem: one cannot be read, they are of different grids, or the mask has no classes.
    """
    try:
        volume = known_as(read_image(pair.image), modality)
        drawn = read_image(pair.mask)
    except ImageProblem as problem:
        raise _of(pair.name, problem.zh, problem.en) from None
    if not drawn.grid.same_as(volume.grid):
        raise _of(pair.name, f"{_MIXED}，请在同一图像上重画。", "mask and image differ in grid.")
    mask = np.asarray(drawn.array)
    if not np.isfinite(mask).all() or (mask != np.rint(mask)).any():
        raise _of(pair.name, "掩膜的值不是整数。", "the values of the mask are no whole numbers.")
    return Read(pair.name, volume, mask.astype(np.int32))


def label_values(reads: Sequence[Read]) -> list[int]:
    """Every value of the masks, rising; the first is the background, 0.

    Raises:
        ImageProblem: there is nothing but background, a negative value, or too many.
    """
    found = sorted({int(one) for case in reads for one in np.unique(case.mask)} | {0})
    if len(found) < 2:
        raise ImageProblem(
            "所有掩膜都是空的，请先勾画。", "Every mask is empty; draw the structures first."
        )
    if found[0] < 0 or len(found) > MAX_CLASSES + 1:
        raise ImageProblem(
            f"掩膜的值须为 0 到 {MAX_CLASSES} 个类别编号（0 为背景），目前有 {len(found)} 种值；"
            "是否把图像当成了掩膜？",
            "The masks hold no numbers of classes; are images and masks mixed up?",
        )
    return found


def prepared(one: Read, values: Sequence[int], said: Description) -> Case:
    """A pair on the network's grid, its mask as classes 0, 1, …"""
    given = conformed(one.volume, said)
    classes = np.searchsorted(np.asarray(values), one.mask).astype(np.uint8)
    labels = back(classes, one.volume.grid, given.grid)
    return Case(one.name, scaled(given.array, said.intensity), labels, given.grid)


def read_all(pairs: Sequence[Pair], modality: str, report: Report) -> list[Read]:
    """All pairs, one after the other.  Raises `ImageProblem`."""
    found = []
    for number, pair in enumerate(pairs):
        found.append(read(pair, modality))
        report(number + 1, len(pairs), "读取 read")
    return found


def _of(name: str, zh: str, en: str) -> ImageProblem:
    shown = Path(name).name[:60]
    return ImageProblem(f"病例 {shown}：{zh}", f"Case {shown}: {en}")
