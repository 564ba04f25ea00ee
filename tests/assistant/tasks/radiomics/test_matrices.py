"""Texture of tiny images whose matrices are counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from assistant.tasks.radiomics.features.cooccurrence import cooccurrence
from assistant.tasks.radiomics.features.dependence import dependence
from assistant.tasks.radiomics.features.run_length import run_length
from assistant.tasks.radiomics.features.tone_difference import tone_difference
from assistant.tasks.radiomics.features.zones import to_border, zone_features, zones
from assistant.tasks.radiomics.region import Levels

IMAGE = np.array([[[1, 1, 2], [1, 2, 2], [3, 3, 3]]], np.int32)
"""One slice.  Zones: 1 three times, 2 three times, 3 three times."""


def levels(array: np.ndarray) -> Levels:
    return Levels(array, array > 0, int(array.max()))


def test_runs_of_a_row_of_three_levels() -> None:
    found = run_length(levels(np.array([[[1, 1, 2, 2, 2, 5]]], np.int32)), ["2D_comb"])
    # Along the row: 1×2, 2×3, 5×1; in each of the other three directions six runs of one.
    runs = [2, 3, 1] + [1] * 18
    assert found["rlm_sre_2D_comb"] == pytest.approx(np.mean(1 / np.square(runs)))
    assert found["rlm_lre_2D_comb"] == pytest.approx(np.mean(np.square(runs)))
    assert found["rlm_r_perc_2D_comb"] == pytest.approx(len(runs) / 24)
    of_level = np.array([1 + 6, 1 + 9, 1 + 3])
    assert found["rlm_glnu_2D_comb"] == pytest.approx((of_level**2).sum() / len(runs))


def test_runs_do_not_wrap_from_a_row_to_the_next() -> None:
    array = np.ones((1, 2, 3), np.int32)
    found = run_length(levels(array), ["2D_avg"])
    # Rows: two of 3.  Columns: three of 2.  Each diagonal: two of 1 and two of 2.
    means = [9, 4, (1 + 1 + 4 + 4) / 4, (1 + 1 + 4 + 4) / 4]
    assert found["rlm_lre_2D_avg"] == pytest.approx(np.mean(means))


def test_pairs_of_two_columns() -> None:
    found = cooccurrence(levels(np.array([[[1, 2], [1, 2]]], np.int32)), ["2D_avg", "2D_comb"])
    # (1,2) along rows and both diagonals: 2 + 1 + 1 pairs; (1,1) and (2,2) along columns: 1 each.
    assert found["cm_contrast_2D_comb"] == pytest.approx(4 / 6)
    assert found["cm_joint_max_2D_comb"] == pytest.approx(2 / 6)
    assert found["cm_contrast_2D_avg"] == pytest.approx(3 / 4)
    assert found["cm_energy_2D_avg"] == pytest.approx(1 / 2)


def test_zones_of_each_level_and_their_distance() -> None:
    array = np.pad(IMAGE, ((0, 0), (1, 1), (1, 1)), constant_values=4)
    made = zones(levels(array), by_slice=True)
    assert sorted(zip(made.level, made.size, made.distance, strict=True)) == [
        (1, 3, 2),
        (2, 3, 2),
        (3, 3, 2),
        (4, 16, 1),
    ]
    found = zone_features(levels(array), ["2D"])
    assert found["szm_sze_2D"] == pytest.approx((3 / 9 + 1 / 256) / 4)
    assert found["szm_z_perc_2D"] == pytest.approx(4 / 25)
    assert found["dzm_sde_2D"] == pytest.approx((3 / 4 + 1) / 4)


def test_zones_of_slices_do_not_touch() -> None:
    array = np.ones((3, 2, 2), np.int32)
    assert list(zones(levels(array), by_slice=True).size) == [4, 4, 4]
    assert list(zones(levels(array), by_slice=False).size) == [12]


def test_the_distance_counts_steps_over_faces() -> None:
    mask = np.ones((5, 5, 5), bool)
    assert to_border(mask, by_slice=False)[2, 2, 2] == 3
    mask[0, 0, 0] = False
    assert to_border(mask, by_slice=False)[1, 1, 1] == 2
    assert to_border(np.ones((1, 5, 5), bool), by_slice=True)[0, 2, 2] == 3


def test_tone_differences_of_a_cross() -> None:
    array = np.array([[[0, 1, 0], [1, 5, 1], [0, 1, 0]]], np.int32)
    found = tone_difference(levels(array), ["2D"])
    # The middle is 4 from the mean of its neighbours; each arm has two arms and the middle.
    p, s = np.array([4 / 5, 1 / 5]), np.array([4 * (7 / 3 - 1), 4.0])
    assert found["ngt_coarseness_2D"] == pytest.approx(1 / (p @ s))
    contrast = 2 * p[0] * p[1] * 16 / 2 * s.sum() / 5
    assert found["ngt_contrast_2D"] == pytest.approx(contrast)
    assert found["ngt_busyness_2D"] == pytest.approx((p @ s) / (2 * abs(p[0] - 5 * p[1])))


def test_dependences_count_like_neighbours_and_the_centre() -> None:
    found = dependence(levels(IMAGE), ["2D"])
    counts = np.array([3, 3, 3, 3, 3, 3, 2, 3, 2])
    assert found["ngl_hde_2D"] == pytest.approx(np.mean(counts**2))
    assert found["ngl_dc_perc_2D"] == 1


def test_a_flat_region_has_values_that_are_defined() -> None:
    flat = levels(np.ones((2, 3, 3), np.int32))
    ways = ["2D", "2_5D", "3D"]
    found = cooccurrence(flat, ["2D_avg", "3D_comb"]) | tone_difference(flat, ways)
    found |= zone_features(flat, ways) | dependence(flat, ways) | run_length(flat, ["3D_avg"])
    assert all(np.isfinite(value) for value in found.values())
    assert found["cm_contrast_3D_comb"] == 0
    assert found["ngt_coarseness_3D"] == 1e6


def test_a_slice_with_a_single_voxel_has_no_pairs_and_does_not_count() -> None:
    array = np.zeros((2, 3, 3), np.int32)
    array[0] = IMAGE[0]
    alone = cooccurrence(levels(array), ["2D_avg"])
    array[1, 1, 1] = 2
    assert cooccurrence(levels(array), ["2D_avg"]) == pytest.approx(alone)
