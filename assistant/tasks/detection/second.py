"""A second network that looks at each candidate again in three dimensions, so that fewer marks are
false.  It is any classifier of small cubes whose last class is the nodule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from assistant.imaging.conform import scaled
from assistant.imaging.volume import Floats
from assistant.tasks.detection.candidate import Candidate
from assistant.tasks.detection.scan import Scan
from serving.vision.classifier import Classifier
from serving.vision.folder import fixed_window, open_folder
from serving.vision.problem import VisionProblem
from serving.vision.store import VisionStore

LOOKED_AT = 600
"""The likeliest candidates of a scan.  Of 33 nodules in a real CT that had a candidate, 24 stood
among the first 80 by the trees and 31 among the first 600: those at the pleura stand far down."""

_AXES = "SPL"
_LEAST = 1e-6

Cube = NDArray[np.float32]


class SecondLook:
    """One network."""

    def __init__(self, classifier: Classifier) -> None:
        """Raises `VisionProblem` where it takes no cubes of a size in millimetres."""
        said = classifier.opened.description
        size = fixed_window(classifier.opened)
        if said.dimensions != 3 or said.spacing is None or size is None:
            raise VisionProblem(
                "复核网络须是三维、输入大小固定的分类模型，并在 vision.yaml 写明 spacing。",
                "The second network must be a classifier of cubes of a fixed size, with spacing.",
            )
        if said.orientation not in ("", _AXES):
            raise VisionProblem(
                f"复核网络的 orientation 须为 {_AXES}。", f"Its orientation must be {_AXES}."
            )
        self.classifier = classifier
        self.size = size
        self.spacing = said.spacing

    def scores(self, found: Sequence[Candidate], scan: Scan) -> Floats:
        """(n,) from 0 to 1: how likely each is a nodule."""
        if not found:
            return np.empty(0)
        made = self.classifier.scores(self._inputs(found, scan))
        shares: Floats = self.classifier.probabilities(made)[:, -1]
        return shares

    def _inputs(self, found: Sequence[Candidate], scan: Scan) -> Iterator[Cube]:
        for one in found:
            cube = cube_around(one, scan, self.size, self.spacing)
            yield scaled(cube, self.classifier.opened.description.intensity)[None]


def cube_around(
    one: Candidate,
    scan: Scan,
    size: tuple[int, int, int],
    spacing: tuple[float, float, float],
) -> Cube:
    """HU around a candidate, its axes to the head, to the back and to the left; ``spacing`` mm."""
    steps = [
        middle + (np.arange(count) - (count - 1) / 2) * wanted / own
        for middle, count, wanted, own in zip(one.index, size, spacing, scan.spacing, strict=True)
    ]
    index = np.stack(np.meshgrid(*steps, indexing="ij"))
    found: Cube = ndimage.map_coordinates(
        scan.hu, index, output=np.float32, order=1, mode="nearest"
    )
    return found


def both(first: Floats, second: Floats) -> Floats:
    """Two scores as one: from the mean of their logits, so that either may object."""
    logits = [np.log(_inside(one) / (1 - _inside(one))) for one in (first, second)]
    found: Floats = 1 / (1 + np.exp(-(logits[0] + logits[1]) / 2))
    return found


def _inside(share: Floats) -> Floats:
    return np.clip(share, _LEAST, 1 - _LEAST)


def open_second(model: str, home: Path, threads: int = 0) -> SecondLook:
    """A model by its name, or by the folder that it is in.

    Raises:
        VisionProblem: there is none, or it is not for this.
    """
    store = VisionStore(home)
    if not store.holds(model) and Path(model).is_dir():
        opened = open_folder(Path(model))
    else:
        opened = store.open(model)
    size = fixed_window(opened) or (1, 1, 1)
    return SecondLook(Classifier(opened, size, threads))
