"""What is written out: structures of a label map, measurements of them, and the whole result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from assistant.imaging.out.source import Source
from assistant.imaging.problem import ImageProblem
from assistant.imaging.volume import Mask, Volume

Labels = NDArray[np.integer]
Colour = tuple[int, int, int]

COLOURS: tuple[Colour, ...] = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
)
"""Told apart also by who cannot tell red from green (Okabe and Ito, 2008)."""


@dataclass(frozen=True, slots=True)
class Code:
    """A coded concept: ``scheme`` as PS3.16 names it (SCT, DCM, IBSI, UCUM, 99…)."""

    value: str
    scheme: str
    meaning: str


ANATOMY = Code("123037004", "SCT", "Anatomical Structure")
ABNORMAL = Code("49755003", "SCT", "Morphologically Abnormal Structure")
OWN_SCHEME = "99BEDSIDE"


@dataclass(frozen=True, slots=True)
class Structure:
    """A class of a label map.

    ``number`` is its label, from 1.  ``name`` may be Chinese.  Without ``code`` it gets one of our
    own scheme.
    """

    number: int
    name: str
    code: Code | None = None
    category: Code = ANATOMY
    colour: Colour | None = None

    @property
    def type_code(self) -> Code:
        """Its code, of our own scheme where none was given."""
        return self.code or Code(f"S{self.number}", OWN_SCHEME, self.name[:64])

    @property
    def shown(self) -> Colour:
        """Its colour, or one of ours."""
        return self.colour or COLOURS[(self.number - 1) % len(COLOURS)]


@dataclass(frozen=True, slots=True)
class Measurement:
    """A value of a structure (``number`` 0: of the whole series).

    ``unit`` as UCUM has it; ``method`` is what else its value depends on, such as the aggregation
    of an IBSI feature.
    """

    number: int
    name: Code
    value: float
    unit: Code
    method: Code | None = None


NO_UNIT = Code("1", "UCUM", "no units")
MILLILITRE = Code("mL", "UCUM", "milliliter")
VOLUME = Code("118565006", "SCT", "Volume")


@dataclass(frozen=True, slots=True)
class Result:
    """What a task found on one series.

    ``labels`` [slice, row, column] are on the grid of ``volume``; None where nothing was outlined.
    ``source`` is None where the image was no DICOM series.  ``seed`` makes UIDs that are the same
    each time, so that what is sent twice is one object.  ``pictures`` are PNG of the task's own.
    """

    volume: Volume
    title: str
    source: Source | None = None
    labels: Labels | None = None
    structures: Sequence[Structure] = ()
    measurements: Sequence[Measurement] = ()
    text: str = ""
    seed: str = ""
    pictures: Sequence[bytes] = field(default=(), repr=False)


def volumes(labels: Labels, structures: Sequence[Structure], volume: Volume) -> list[Measurement]:
    """The volume of each structure by counting voxels."""
    each = float(np.prod(volume.grid.spacing)) / 1000
    most = max((one.number for one in structures), default=0)
    counts = np.bincount(np.asarray(labels, np.int64).ravel(), minlength=most + 1)
    return [
        Measurement(one.number, VOLUME, int(counts[one.number]) * each, MILLILITRE)
        for one in structures
    ]


def checked(labels: Labels, structures: Sequence[Structure], volume: Volume) -> None:
    """Raise `ImageProblem` for labels that are not of this image or these structures."""
    if labels.shape != volume.grid.shape:
        raise ImageProblem(
            "标签图与图像大小不同，请在同一图像上生成分割。",
            "The label map is not on the grid of the image; make it on this image.",
        )
    numbers = [one.number for one in structures]
    if not numbers or min(numbers) < 1 or len(set(numbers)) < len(numbers):
        raise ImageProblem(
            "结构编号缺失或重复，请从 1 起逐一编号。",
            "Structures need different numbers from 1 on.",
        )
    if len({one.name for one in structures}) < len(numbers):
        raise ImageProblem("结构名称重复，请改名。", "Two structures have one name; rename one.")
    unknown = set(np.unique(labels).tolist()) - set(numbers) - {0}
    if unknown:
        raise ImageProblem(
            f"标签图里有 {len(unknown)} 个没有名称的标签，请补全结构列表。",
            "The label map has labels that no structure names; complete the list.",
        )


def region(mask: Mask, name: str) -> tuple[Labels, list[Structure]]:
    """One mask as a label map with its one structure."""
    return np.asarray(mask, np.uint8), [Structure(1, name, category=ABNORMAL)]
