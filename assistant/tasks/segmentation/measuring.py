"""The structures of a segmentation: names, codes and volumes, left and right."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from assistant.imaging.volume import Grid
from assistant.tasks.segmentation.structure import Structure
from serving.vision.description import Class


def named(classes: Sequence[Class]) -> list[Class]:
    """The classes with Chinese names and codes from the shipped list, where they say none."""
    known = _known()
    found = []
    for one in classes:
        zh, code, paired = known.get(_key(one.name), ("", "", False))
        update = {
            "name_zh": one.name_zh or zh,
            "code": one.code or code,
            "paired": one.paired or paired,
        }
        found.append(one.model_copy(update=update))
    return found


def measured(labels: NDArray[np.uint8], grid: Grid, classes: Sequence[Class]) -> list[Structure]:
    """Every class but the background that has a voxel in ``labels``.

    Where a class stands for a structure on either side of the body, the sides are told apart by
    the plane of symmetry of all that was segmented.
    """
    counts = np.bincount(labels.ravel(), minlength=len(classes))
    millilitres = float(np.prod(grid.spacing)) / 1000
    paired = [n for n, one in enumerate(classes) if n and one.paired and counts[n]]
    on_left = _on_left(labels, grid) if paired else np.zeros(0, np.int64)
    found = []
    for number, one in enumerate(classes):
        count = int(counts[number])
        if not number or not count:
            continue
        sides: dict[str, float] = {}
        if number in paired:
            left = int(on_left[number]) if number < len(on_left) else 0
            sides = {
                "left_ml": _rounded(left * millilitres),
                "right_ml": _rounded((count - left) * millilitres),
            }
        found.append(
            Structure(
                label=number,
                name=one.name,
                name_zh=one.name_zh,
                code=one.code,
                colour=one.colour,
                voxels=count,
                volume_ml=_rounded(count * millilitres),
                **sides,
            )
        )
    return found


def _rounded(millilitres: float) -> float:
    """Without what binary fractions add: 243.706 and not 243.70600000000002."""
    return round(millilitres, 6)


def _on_left(labels: NDArray[np.uint8], grid: Grid) -> NDArray[np.int64]:
    """How many voxels of each class are on the patient's left."""
    from assistant.tasks.segmentation.midline import plane

    found = plane(labels > 0, grid)
    if found is None:
        return np.zeros(0, np.int64)
    return np.bincount(labels[found.is_left(grid)])


def _key(name: str) -> str:
    return re.sub(r"[\s_-]+", "-", name.strip().lower())


@cache
def _known() -> dict[str, tuple[str, str, bool]]:
    place = files("assistant.tasks.segmentation").joinpath("data", "names.tsv")
    rows = csv.DictReader(place.read_text("utf-8").splitlines(), delimiter="\t")
    return {row["key"]: (row["name_zh"], row["code"], row["paired"] == "1") for row in rows}
