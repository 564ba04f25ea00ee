"""Scans with nodules whose truth is known: simulated chests, or a CT that nodules are put into."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy import ndimage

from assistant.imaging.ct.orientation import Orientation
from assistant.imaging.volume import Floats, Mask, Volume
from eval.clinical.detection.disease import add_disease
from eval.clinical.detection.nodule import Nodule, draw, insert
from eval.clinical.detection.thorax import Chest, Feature, simulated

_SPACINGS = ((1.0, 0.9, 0.9), (1.5, 0.8, 0.8), (2.0, 1.0, 1.0), (2.5, 0.9, 0.9), (3.0, 1.0, 1.0))
_BLUR = 0.7
_DENSE = -550
"""HU."""
_BESIDE = 10
"""Millimetres."""


@dataclass(frozen=True, slots=True)
class Case:
    """``excluded``: where the truth is not known, such as a tumour that was there before."""

    name: str
    volume: Volume
    nodules: list[Nodule]
    excluded: Mask | None = field(default=None, repr=False)


def simulated_cases(
    count: int, seed: int, nodules: int = 6, *, diseased: bool = False
) -> Iterator[Case]:
    """Chests of several sizes, spacings and noise; some with emphysema or contrast medium.

    ``diseased``: with masses and patches that are no nodules, to learn from.
    """
    for number in range(count):
        rng = np.random.default_rng((seed, number))
        spacing = _SPACINGS[number % len(_SPACINGS)]
        features: set[Feature] = {"scars"}
        features |= {"emphysema"} if rng.random() < 0.25 else set()
        features |= {"contrast"} if rng.random() < 0.5 else set()
        low = float(rng.uniform(-90, -30))
        chest = Chest(
            spacing=spacing,
            size=float(rng.uniform(0.7, 0.85)),
            reach=(low, low + 115),
            features=frozenset(features),
            noise=float(rng.uniform(8, 35)),
            seed=int(rng.integers(2**31)),
        )
        scene = simulated(chest)
        lung = scene.truth["left"] | scene.truth["right"]
        if diseased:
            add_disease(
                scene.hu, lung, scene.places, spacing, np.random.default_rng((seed, number, 1))
            )
        vessels = scene.truth["vessels_left"] | scene.truth["vessels_right"]
        dense = (scene.hu > _DENSE) & lung
        drawn = draw(nodules, lung, vessels, dense, spacing, rng)
        for one in drawn:
            insert(scene.hu, one, spacing, rng)
        yield Case(f"sim-{seed}-{number}", scene.volume(), drawn)


def inserted_cases(
    volume: Volume,
    lung: Mask,
    vessels: Mask,
    count: int,
    seed: int,
    excluded: Mask | None = None,
    nodules: int = 6,
) -> Iterator[Case]:
    """``volume`` again and again, each time with other nodules in its lungs."""
    turn = Orientation.of(volume.grid)
    spacing = turn.spacing(volume.grid)
    free = lung if excluded is None else lung & ~excluded
    for number in range(count):
        rng = np.random.default_rng((seed, number))
        # A copy of its own, or each would have the nodules of those before it.
        hu = np.array(turn.turned(volume.array), np.float32, order="C")
        where = turn.turned(free)
        dense = (hu > _DENSE) & where
        drawn = draw(nodules, where, turn.turned(vessels), dense, spacing, rng)
        for one in drawn:
            insert(hu, one, spacing, rng, _BLUR)
        stored = [_stored(one, turn, hu.shape) for one in drawn]
        yield Case(f"real-{seed}-{number}", volume.with_array(turn.back(hu)), stored, excluded)


def real_cases(
    image: Path, exclude: Path | None, roi: str, copies: int, seed: int
) -> Iterator[Case]:
    """The CT of a file or folder ``copies`` times; what ``roi`` of ``exclude`` has, and 10 mm
    around it, is left out.  Raises `ImageProblem`."""
    from assistant.imaging.ct import segment_ct
    from assistant.imaging.source import known_as, read_image, read_region

    volume = known_as(read_image(image), "CT")
    found = segment_ct(volume, ["lung_left", "lung_right", "vessels"])
    excluded = None
    if exclude is not None:
        region = read_region(exclude, volume, roi).mask
        # Marks on the border of the region belong to it.
        spacing = volume.grid.spacing
        excluded = np.asarray(ndimage.distance_transform_edt(~region, spacing) <= _BESIDE)
    lung = found["lung_left"] | found["lung_right"]
    return inserted_cases(volume, lung, found["vessels"], copies, seed, excluded)


def _stored(nodule: Nodule, turn: Orientation, shape: tuple[int, ...]) -> Nodule:
    """A nodule of the turned image with its index in the image as stored."""
    index = np.where(turn.flipped, np.asarray(shape) - 1 - nodule.index, nodule.index)
    back = np.empty(3)
    back[list(turn.order)] = index
    z, y, x = (float(value) for value in back)
    return Nodule((z, y, x), nodule.diameter, nodule.kind, nodule.place)


def hits(case: Case, index: Floats, near: Callable[[Nodule], float]) -> list[list[int]]:
    """For each nodule the numbers of the marks (indices as stored) within ``near`` of it, mm."""
    if not len(index):
        return [[] for _ in case.nodules]
    spacing = np.asarray(case.volume.grid.spacing)
    found = []
    for one in case.nodules:
        apart = np.linalg.norm((index - one.index) * spacing, axis=1)
        found.append([int(n) for n in np.flatnonzero(apart <= near(one))])
    return found


def reach(nodule: Nodule) -> float:
    """How far from a nodule's middle a mark counts for it: its radius, 4 mm at least."""
    return max(nodule.diameter / 2, 4.0)
