"""From a CT to its nodules: candidates, their scores, their sizes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from assistant.imaging.volume import Floats, Mask, Volume
from assistant.tasks.detection.candidate import Candidate, background, candidates, prepared
from assistant.tasks.detection.category import size_rules
from assistant.tasks.detection.draft import Detection, Side, Zone
from assistant.tasks.detection.features import features
from assistant.tasks.detection.measurement import Measured, measured
from assistant.tasks.detection.scan import Scan
from assistant.tasks.detection.scoring import scores, scoring_settings
from assistant.tasks.detection.second import LOOKED_AT, SecondLook, both

Report = Callable[[int, int, str], None]

_STEP = "结节 nodules"
_AT_PLEURA = 1.5
"""Millimetres from a nodule to the border of the lung."""
MOST = 50
"""Nodules that are told; a lung with more has another disease than nodules."""


@dataclass(frozen=True, slots=True)
class Scored:
    """All candidates of a scan with their scores, the likeliest first."""

    scan: Scan
    found: list[Candidate]
    scores: Floats
    background: float

    @property
    def index(self) -> Floats:
        """(n, 3) in the image as stored."""
        here = np.array([one.index for one in self.found], float).reshape(-1, 3)
        return self.scan.original(here)


def scored(volume: Volume, progress: Report, second: SecondLook | None = None) -> Scored:
    """``second``: looks again at the likeliest; what it does not look at is no nodule.

    Raises `ImageProblem` for what is no CT and where there are no lungs.
    """
    scan = Scan.of(volume, progress)
    progress(1, 4, _STEP)
    found = candidates(scan)
    progress(2, 4, _STEP)
    lung = background(scan)
    given = scores(features(found, scan, prepared(scan), lung))
    order = np.argsort(-given, kind="stable")
    if second is not None:
        looked = order[:LOOKED_AT]
        again = second.scores([found[n] for n in looked], scan)
        joined = np.zeros(len(given))
        joined[looked] = both(given[looked], again)
        given = joined
        order = np.argsort(-given, kind="stable")
    progress(3, 4, _STEP)
    return Scored(scan, [found[n] for n in order], given[order], lung)


def nodules(
    volume: Volume,
    progress: Report,
    threshold: float | None = None,
    second: SecondLook | None = None,
) -> tuple[list[Detection], list[Mask]]:
    """The nodules with their masks on the volume's grid, the likeliest first.

    ``threshold``: the least score; by default the shipped one.  Raises as `scored`.
    """
    least = scoring_settings().threshold if threshold is None else threshold
    all_ = scored(volume, progress, second)
    kept: list[Detection] = []
    masks: list[Mask] = []
    for one, score in zip(all_.found, all_.scores, strict=True):
        if score < least or len(kept) == MOST:
            break
        size = measured(one, all_.scan, all_.background)
        if size is None:
            continue
        mask = _whole(size, all_.scan)
        if any((mask & other).any() for other in masks):
            continue
        kept.append(_detection(len(kept) + 1, one, float(score), size, all_.scan, mask))
        masks.append(mask)
    progress(4, 4, _STEP)
    return kept, masks


def _whole(size: Measured, scan: Scan) -> Mask:
    shape = tuple(scan.volume.grid.shape[axis] for axis in scan.turn.order)
    turned = np.zeros(shape, bool)
    place = tuple(
        slice(part.start + first, part.stop + first)
        for part, first in zip(size.box, scan.corner, strict=True)
    )
    turned[place] = size.mask
    return scan.turn.back(turned)


def _detection(
    number: int, one: Candidate, score: float, size: Measured, scan: Scan, mask: Mask
) -> Detection:
    places = np.argwhere(mask)
    low, high = places.min(axis=0), places.max(axis=0)
    grid = scan.volume.grid
    corners = grid.positions(np.array([low, high], float))
    centre = grid.positions(places.mean(axis=0)[None])[0]
    side = _side(one, scan)
    return Detection(
        number=number,
        score=round(score, 4),
        side=side,
        zone=_zone(one, scan, side),
        density=size.density,
        long_mm=round(size.long_mm, 1),
        short_mm=round(size.short_mm, 1),
        diameter_mm=round(size.mean_mm, 1),
        solid_mm=round(size.solid_mm, 1),
        volume_mm3=round(size.volume_mm3, 1),
        mean_hu=round(size.mean_hu, 1),
        at_pleura=_at_pleura(size, scan),
        centre_mm=_point(centre),
        box_mm=(_point(corners.min(axis=0)), _point(corners.max(axis=0))),
        box_voxel=(_voxel(low), _voxel(high)),
        slice=int(np.argmax(mask.sum(axis=(1, 2)))),
        lung_rads=size_rules("lung_rads").of(size.density, size.mean_mm, size.solid_mm).category,
    )


def _point(values: Floats) -> tuple[float, float, float]:
    x, y, z = (round(float(value), 1) for value in values)
    return x, y, z


def _voxel(index: np.ndarray) -> tuple[int, int, int]:
    z, y, x = (int(value) for value in index)
    return x, y, z


def _side(one: Candidate, scan: Scan) -> Side:
    """The lung that more of the neighbourhood belongs to."""
    box = tuple(
        slice(max(int(n - 15 / size), 0), int(n + 15 / size) + 1)
        for n, size in zip(one.index, scan.spacing, strict=True)
    )
    left = int(scan.left[box].sum())
    return "left" if 2 * left > int(scan.lung[box].sum()) else "right"


def _zone(one: Candidate, scan: Scan, side: Side) -> Zone:
    half = scan.left if side == "left" else scan.lung & ~scan.left
    slices = np.nonzero(half.any(axis=(1, 2)))[0]
    if not len(slices):
        return "middle"
    height = (one.index[0] - slices[0]) / max(int(slices[-1] - slices[0]), 1)
    return "lower" if height < 1 / 3 else "middle" if height < 2 / 3 else "upper"


def _at_pleura(size: Measured, scan: Scan) -> bool:
    """Whether the nodule reaches the border of the lung in an axial slice."""
    reach = [int(np.ceil(_AT_PLEURA / step)) for step in scan.spacing]
    _, y, x = (
        slice(max(part.start - r, 0), part.stop + r)
        for part, r in zip(size.box, reach, strict=True)
    )
    z = size.box[0]
    outside = ~scan.field[z, y, x]
    inner = np.zeros(outside.shape, bool)
    first = size.box[1].start - y.start, size.box[2].start - x.start
    inner[:, first[0] : first[0] + size.mask.shape[1], first[1] : first[1] + size.mask.shape[2]] = (
        size.mask
    )
    from assistant.imaging.ct.shaping import dilated

    return bool((dilated(inner, (reach[1], reach[2])) & outside).any())
