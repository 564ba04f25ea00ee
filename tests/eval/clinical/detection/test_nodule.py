"""Nodules that are put into an image are as large, as dense and where they say."""

from __future__ import annotations

import numpy as np
import pytest

from eval.clinical.detection.nodule import Kind, Nodule, draw, insert

SPACING = (2.0, 1.0, 1.0)
SHAPE = (40, 80, 80)


@pytest.mark.parametrize("diameter", [5.0, 10.0, 18.0])
def test_a_solid_nodule_has_its_volume_and_its_middle(diameter: float) -> None:
    hu = np.full(SHAPE, -850, np.float32)
    nodule = Nodule((20.3, 41.0, 39.6), diameter, "solid", "within")
    insert(hu, nodule, SPACING, np.random.default_rng(1))
    share = np.clip((hu + 850) / 880, 0, 1)
    volume = float(share.sum()) * float(np.prod(SPACING))
    assert volume == pytest.approx(np.pi / 6 * diameter**3, rel=0.25)
    middle = [float((share * axis).sum() / share.sum()) for axis in np.indices(SHAPE)]
    assert np.abs((np.array(middle) - nodule.index) * SPACING).max() < 0.6


@pytest.mark.parametrize(
    ("kind", "low", "high"), [("solid", -40, 110), ("ground_glass", -700, -420)]
)
def test_density_is_that_of_its_kind(kind: Kind, low: float, high: float) -> None:
    hu = np.full(SHAPE, -850, np.float32)
    insert(hu, Nodule((20, 40, 40), 14.0, kind, "within"), SPACING, np.random.default_rng(1))
    assert low < float(np.median(hu[18:23, 38:43, 38:43])) < high


def test_drawn_nodules_are_apart_and_can_be_seen() -> None:
    lung = np.zeros((60, 120, 120), bool)
    lung[5:55, 10:110, 10:110] = True
    vessels = np.zeros(lung.shape, bool)
    vessels[:, 58:62, 58:62] = True
    found = draw(8, lung, vessels, vessels, SPACING, np.random.default_rng(3))
    assert len(found) == 8
    assert {one.place for one in found} == {"within", "pleura", "vessel"}
    for n, one in enumerate(found):
        assert 4 <= one.diameter <= 20
        assert lung[tuple(np.clip(np.round(one.index).astype(int), 0, np.array(lung.shape) - 1))]
        for other in found[:n]:
            gap = np.linalg.norm((np.array(one.index) - other.index) * SPACING)
            assert gap > 12 + (one.diameter + other.diameter) / 2 - 2
