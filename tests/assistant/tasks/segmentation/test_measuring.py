"""Volumes, and left from right by the symmetry of what was segmented."""

from __future__ import annotations

import numpy as np
import pytest

from assistant.imaging.volume import Grid
from assistant.tasks.segmentation.measuring import measured, named
from assistant.tasks.segmentation.midline import plane
from serving.vision.description import Class

CLASSES = named(
    [Class(name=one) for one in ("Unknown", "Cerebral-Cortex", "Thalamus", "Brain Stem")]
)


def brain(angle: float, shift: float, shape: int = 90) -> tuple[np.ndarray, Grid, np.ndarray]:
    """A head turned by ``angle`` and moved by ``shift`` mm: a cortex, two thalami of 1.5 and 1
    parts, a stem; and the distance of every voxel from the true middle."""
    grid = Grid((shape, shape, shape), (1.5, 1.5, 1.5), np.full(3, -0.75 * (shape - 1)))
    places = grid.positions(np.indices(grid.shape).reshape(3, -1).T.astype(float))
    x, y, z = places.T - np.array([[shift], [0.0], [0.0]])
    across = np.cos(angle) * x + np.sin(angle) * y
    along = np.cos(angle) * y - np.sin(angle) * x
    labels = np.zeros(len(places), np.uint8)
    labels[(across / 50) ** 2 + (along / 62) ** 2 + (z / 45) ** 2 < 1] = 1
    for side, size in ((1, 12.0), (-1, 10.5)):
        near = (across - side * 14) ** 2 + along**2 + z**2 < size**2
        labels[near] = 2
    labels[(across**2 + (along - 10) ** 2 < 64) & (z < -20) & (z > -60)] = 3
    return labels.reshape(grid.shape), grid, across.reshape(grid.shape)


@pytest.mark.parametrize(("angle", "shift"), [(0.0, 0.0), (0.15, 6.0), (-0.2, -9.0)])
def test_sides_are_told_apart_in_a_head_that_is_turned_and_moved(
    angle: float, shift: float
) -> None:
    labels, grid, across = brain(angle, shift)
    found = {one.name: one for one in measured(labels, grid, CLASSES)}
    millilitres = 1.5**3 / 1000
    thalamus = found["Thalamus"]
    left = ((labels == 2) & (across > 0)).sum() * millilitres
    assert thalamus.left_ml == pytest.approx(left, rel=0.02)
    assert thalamus.left_ml + thalamus.right_ml == pytest.approx(thalamus.volume_ml)
    assert thalamus.left_ml > 1.3 * thalamus.right_ml
    cortex = found["Cerebral-Cortex"]
    assert cortex.left_ml == pytest.approx(cortex.right_ml, rel=0.05)
    assert found["Brain Stem"].left_ml is None
    made = plane(labels > 0, grid)
    assert made is not None
    assert np.mean(made.is_left(grid) == (across > 0)) > 0.985


def test_names_and_codes() -> None:
    labels = np.zeros((4, 4, 4), np.uint8)
    labels[1, 1, :3] = 3
    labels[2, 2, 2] = 1
    found = measured(labels, Grid((4, 4, 4), (10.0, 10.0, 10.0)), CLASSES)
    assert [(one.label, one.name_zh, one.code) for one in found] == [
        (1, "大脑皮质", "40146001"),
        (3, "脑干", "119238007"),
    ]
    assert found[1].volume_ml == pytest.approx(3)
    assert found[1].voxels == 3


def test_nothing_found_is_no_structure() -> None:
    assert measured(np.zeros((3, 3, 3), np.uint8), Grid((3, 3, 3), (1.0, 1.0, 1.0)), CLASSES) == []
