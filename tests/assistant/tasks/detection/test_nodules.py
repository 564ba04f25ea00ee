"""Nodules of known place, size and kind in simulated chests."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from chest_samples import SPACING, chest

from assistant.imaging.problem import ImageProblem
from assistant.imaging.volume import Grid, Mask, Volume
from assistant.tasks.detection.candidate import Candidate, background, candidates
from assistant.tasks.detection.draft import Density, Detection
from assistant.tasks.detection.measurement import measured
from assistant.tasks.detection.nodules import nodules
from assistant.tasks.detection.report import report
from assistant.tasks.detection.scan import Scan
from eval.clinical.detection.nodule import Nodule
from eval.clinical.detection.thorax import Chest, simulated

TWO = (("left", "solid", 12.0), ("right", "part_solid", 16.0))


def quiet(done: int, total: int, what: str) -> None:
    """Progress that nobody looks at."""


@cache
def of_two() -> tuple[list[Detection], list[Mask]]:
    return nodules(chest(*TWO)[0], quiet)


def millimetres(nodule: Nodule, volume: Volume) -> np.ndarray:
    return volume.grid.positions(np.array([nodule.index]))[0]


def test_large_nodules_are_told_with_side_size_density_and_box() -> None:
    volume, truth = chest(*TWO)
    found, masks = of_two()
    for nodule, side in zip(truth, ("left", "right"), strict=True):
        place = millimetres(nodule, volume)
        apart = [float(np.linalg.norm(np.array(one.centre_mm) - place)) for one in found]
        one = found[int(np.argmin(apart))]
        assert min(apart) < 4
        assert one.side == side
        assert one.density == nodule.kind
        assert one.diameter_mm == pytest.approx(nodule.diameter, rel=0.25)
        low, high = np.array(one.box_mm)
        assert (low <= place).all()
        assert (place <= high).all()
        assert one.slice == pytest.approx(nodule.index[0], abs=4)
        mask = masks[one.number - 1]
        assert mask[tuple(np.round(nodule.index).astype(int))]
        assert mask.shape == volume.grid.shape
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert len(found) <= 6


@pytest.mark.parametrize("diameter", [6.0, 9.0, 14.0])
@pytest.mark.parametrize("kind", ["solid", "ground_glass"])
def test_the_size_of_a_nodule_is_its_size(kind: Density, diameter: float) -> None:
    volume, (nodule,) = chest(("left", kind, diameter))
    scan = Scan.of(volume, quiet)
    z, y, x = (int(n) for n in np.round(scan.here(np.array([nodule.index]))[0]))
    one = Candidate((z, y, x), diameter * 1.2, 500.0, (1.0, 1.0, 1.0))
    size = measured(one, scan, background(scan))
    assert size is not None
    assert size.mean_mm == pytest.approx(diameter, rel=0.2, abs=1.2)
    assert size.density == kind
    assert size.long_mm >= size.short_mm
    ball = np.pi / 6 * diameter**3
    assert 0.55 * ball < size.volume_mm3 < 1.7 * ball


def test_places_are_the_same_however_the_image_is_stored() -> None:
    volume, _ = chest(*TWO)
    array = np.ascontiguousarray(volume.array[::-1, ::-1])
    last = np.array([[volume.grid.shape[0] - 1, volume.grid.shape[1] - 1, 0.0]])
    axes = volume.grid.axes * np.array([-1, -1, 1])
    grid = Grid(volume.grid.shape, SPACING, volume.grid.positions(last)[0], axes)
    other = replace(volume, array=array, grid=grid)
    plain, turned = of_two()[0], nodules(other, quiet)[0]
    assert [one.centre_mm for one in plain] == [one.centre_mm for one in turned]
    assert [one.side for one in plain] == [one.side for one in turned]
    assert turned[0].slice == volume.grid.shape[0] - 1 - plain[0].slice


def test_indices_go_both_ways() -> None:
    volume, truth = chest(*TWO)
    scan = Scan.of(volume, quiet)
    index = np.array([one.index for one in truth])
    assert scan.original(scan.here(index)) == pytest.approx(index)
    assert candidates(scan)


def test_every_statement_of_the_report_has_its_region() -> None:
    found, _ = of_two()
    told = report(found, "series-1", [None] * len(found))
    assert len(told) == len(found) + 1
    for one, nodule in zip(told, found, strict=False):
        assert f"{nodule.long_mm:.1f} × {nodule.short_mm:.1f} mm" in one.text
        (region,) = one.evidence
        assert region.kind == "region"
        assert region.box is not None
        assert region.box.low == tuple(float(n) for n in nodule.box_voxel[0])
    assert "Fleischner" in told[-1].text
    assert "Radiology 2017" in told[-1].text


def test_nothing_found_is_not_called_supported() -> None:
    (one,) = report([], "series-1", [])
    assert one.status == "unsupported"
    assert "不能据此排除" in one.text


def test_a_single_slice_is_taken() -> None:
    scene = simulated(Chest(spacing=(3.0, 2.0, 2.0), reach=(0, 3), size=0.8, seed=2))
    found, _ = nodules(scene.volume(), quiet)
    assert all(one.slice == 0 for one in found)


def test_an_image_without_lungs_is_refused() -> None:
    grid = Grid((20, 64, 64), (3.0, 3.0, 3.0))
    noise = np.random.default_rng(0).normal(0, 10, grid.shape).astype(np.float32)
    with pytest.raises(ImageProblem, match="没有肺"):
        nodules(Volume(noise, grid, "CT", "HU"), quiet)
