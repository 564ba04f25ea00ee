"""Response maps of IBSI-2's digital phantoms, and what a filter must do whatever the image.

``ibsi_2_response_maps.tsv`` holds voxels of 27 of IBSI's 33 reference maps (CC0): the greatest,
the least, and some in between.  The checkerboard and the impulse are made here.
"""

from __future__ import annotations

import csv
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from scipy import ndimage

from assistant.imaging.problem import ImageProblem
from assistant.tasks.radiomics.filters import spectral
from assistant.tasks.radiomics.filters.choice import Filter
from assistant.tasks.radiomics.filters.response import response
from assistant.tasks.radiomics.filters.separable import turns
from assistant.tasks.radiomics.filters.wavelet import high_pass, low_pass
from assistant.tasks.radiomics.region import Prepared

MAPS = Path(__file__).parent / "ibsi_2_response_maps.tsv"
LAWS = {"kind": "laws", "energy": 0, "rotation_invariance": False}
HAAR = {"kind": "wavelet", "family": "haar", "level": 2}

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "1_a_1": ("checkerboard", {"kind": "mean", "support": 15, "boundary": "zero"}),
    "1_a_2": ("checkerboard", {"kind": "mean", "support": 15, "boundary": "nearest"}),
    "1_a_3": ("checkerboard", {"kind": "mean", "support": 15, "boundary": "periodic"}),
    "1_a_4": ("checkerboard", {"kind": "mean", "support": 15, "boundary": "mirror"}),
    "1_b_1": ("impulse", {"kind": "mean", "support": 15, "boundary": "zero", "by_slice": True}),
    "2_a": ("impulse", {"kind": "log", "sigma": 3, "boundary": "zero"}),
    "2_b": ("checkerboard", {"kind": "log", "sigma": 5}),
    "2_c": ("checkerboard", {"kind": "log", "sigma": 5, "by_slice": True}),
    "3_a_1": ("impulse", LAWS | {"kernels": "E5L5S5", "boundary": "zero"}),
    "3_a_2": ("impulse", {"kind": "laws", "kernels": "E5L5S5", "energy": 0, "boundary": "zero"}),
    "3_a_3": ("impulse", {"kind": "laws", "kernels": "E5L5S5", "boundary": "zero"}),
    "3_b_1": ("checkerboard", LAWS | {"kernels": "E3W5R5"}),
    "3_b_2": ("checkerboard", {"kind": "laws", "kernels": "E3W5R5", "energy": 0}),
    "3_b_3": ("checkerboard", {"kind": "laws", "kernels": "E3W5R5"}),
    "3_c_1": ("checkerboard", LAWS | {"kernels": "L5S5", "by_slice": True}),
    "3_c_2": ("checkerboard", {"kind": "laws", "kernels": "L5S5", "energy": 0, "by_slice": True}),
    "3_c_3": ("checkerboard", {"kind": "laws", "kernels": "L5S5", "by_slice": True}),
    "4_a_1": (
        "impulse",
        {
            "kind": "gabor",
            "sigma": 10,
            "wavelength": 4,
            "gamma": 0.5,
            "theta": 60,
            "step": None,
            "boundary": "zero",
            "by_slice": True,
        },
    ),
    "4_a_2": (
        "impulse",
        {
            "kind": "gabor",
            "sigma": 10,
            "wavelength": 4,
            "gamma": 0.5,
            "step": 45,
            "boundary": "zero",
        },
    ),
    "5_a_1": (
        "impulse",
        {
            "kind": "wavelet",
            "family": "db2",
            "passes": "LHL",
            "boundary": "zero",
            "rotation_invariance": False,
        },
    ),
    "5_a_2": (
        "impulse",
        {"kind": "wavelet", "family": "db2", "passes": "LHL", "boundary": "zero"},
    ),
    "7_a_1": ("checkerboard", HAAR | {"passes": "LLL"}),
    "7_a_2": ("checkerboard", HAAR | {"passes": "HHH"}),
    "8_a_1": ("checkerboard", {"kind": "simoncelli", "level": 1}),
    "8_a_2": ("checkerboard", {"kind": "simoncelli", "level": 2}),
    "8_a_3": ("checkerboard", {"kind": "simoncelli", "level": 3}),
    "9_a": ("impulse", {"kind": "log", "sigma": 3, "riesz": [1, 0, 0], "boundary": "zero"}),
}


def phantom(name: str) -> np.ndarray:
    """64 voxels of 2 mm a side: cubes of eight voxels in turns, or one voxel of 255."""
    if name == "impulse":
        image = np.zeros((64, 64, 64))
        image[31, 31, 31] = 255
        return image
    return (np.indices((64, 64, 64)) // 8).sum(axis=0) % 2 * 255.0


def of(image: np.ndarray, words: dict[str, Any], spacing: float = 2.0) -> np.ndarray:
    """The response of a whole image."""
    mask = np.ones(image.shape, bool)
    region = Prepared(image, mask, mask, (spacing,) * 3, (math.nan, math.nan), False)
    return response(region, TypeAdapter(Filter).validate_python(words)).image


@pytest.mark.parametrize("name", CASES)
def test_voxels_of_the_reference_maps(name: str) -> None:
    with MAPS.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["map"] == name]
    image, words = CASES[name]
    found = of(phantom(image), words)
    expected = np.array([float(row["value"]) for row in rows])
    here = np.array([found[int(row["z"]), int(row["y"]), int(row["x"])] for row in rows])
    assert len(rows) > 5
    # IBSI's tolerance is one per cent of the range of the map.
    assert np.abs(here - expected).max() <= 0.01 * np.ptp(expected)
    assert (found.max(), found.min()) == pytest.approx(
        (expected.max(), expected.min()), abs=0.01 * np.ptp(expected)
    )


def test_every_map_of_the_table_is_looked_at() -> None:
    with MAPS.open(encoding="utf-8", newline="") as file:
        assert {row["map"] for row in csv.DictReader(file, delimiter="\t")} == set(CASES)


def test_a_laplacian_of_a_gaussian_is_that_of_scipy() -> None:
    image = np.random.default_rng(1).normal(size=(30, 28, 26))
    found = of(image, {"kind": "log", "sigma": 3, "truncate": 8})
    # Theirs makes the sum of each Gaussian 1, which it nearly is by itself.
    expected = ndimage.gaussian_laplace(image, 1.5, truncate=8, mode="reflect")
    assert found == pytest.approx(expected, abs=2e-3 * np.abs(expected).max())


def test_turns_are_right_angles_without_mirrors() -> None:
    assert [len(set(turns(count))) for count in (2, 3)] == [4, 24]


@settings(deadline=None, max_examples=12)
@given(
    turn=st.sampled_from([((0, 1), 1), ((0, 2), 1), ((1, 2), 3), ((1, 2), 2)]),
    words=st.sampled_from(
        [
            {"kind": "laws", "kernels": "L5E5S5", "energy": 2},
            {"kind": "laws", "kernels": "E3W5R5", "energy": 0, "pooling": "mean"},
            {"kind": "wavelet", "family": "coif1", "passes": "LHH"},
            {"kind": "wavelet", "family": "db3", "passes": "LLH", "pooling": "max"},
            {"kind": "gabor", "sigma": 3, "wavelength": 4, "gamma": 1.2, "step": 90},
            {"kind": "simoncelli", "level": 2},
            {"kind": "log", "sigma": 2.5},
        ]
    ),
    seed=st.integers(0, 99),
)
def test_what_does_not_see_turns_turns_with_the_image(
    turn: tuple[tuple[int, int], int], words: dict[str, Any], seed: int
) -> None:
    image = np.random.default_rng(seed).normal(size=(11, 11, 11))
    axes, count = turn
    before = of(np.rot90(image, count, axes), words)
    after = np.rot90(of(image, words), count, axes)
    assert before == pytest.approx(after, abs=1e-9)


def test_the_low_and_high_pass_are_orthogonal() -> None:
    for family in ("haar", "db2", "db10", "coif1", "coif5"):
        low, high = low_pass(family), high_pass(low_pass(family))
        assert (low.sum(), high.sum()) == pytest.approx((math.sqrt(2), 0), abs=1e-8)
        for shift in range(0, len(low), 2):
            overlap = float(low[shift:] @ low[: len(low) - shift])
            assert overlap == pytest.approx(1.0 if shift == 0 else 0.0, abs=1e-8)
            assert float(low[shift:] @ high[: len(low) - shift]) == pytest.approx(0, abs=1e-8)


def test_the_riesz_transform_of_all_orders_keeps_the_energy() -> None:
    # Σ |R_l|² over the orders l of one degree is 1 at every frequency but zero.
    image = np.random.default_rng(3).normal(size=(15, 15, 15))
    image -= image.mean()
    for degree in (1, 2):
        orders = [o for o in np.ndindex(3, 3, 3) if sum(o) == degree]
        energy = sum(float((spectral.riesz(image, 3, o) ** 2).sum()) for o in orders)
        assert energy == pytest.approx(float((image**2).sum()))


def test_a_wave_along_x_has_its_riesz_transform_along_x_alone() -> None:
    x = np.broadcast_to(np.cos(2 * np.pi * 3 * np.arange(15) / 15), (15, 15, 15)).copy()
    quarter = np.broadcast_to(np.sin(2 * np.pi * 3 * np.arange(15) / 15), (15, 15, 15))
    assert spectral.riesz(x, 3, (1, 0, 0)) == pytest.approx(quarter)
    assert spectral.riesz(x, 3, (0, 1, 0)) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"kind": "mean", "support": 4}, "奇数"),
        ({"kind": "laws", "kernels": "L5Q5"}, "kernels"),
        ({"kind": "wavelet", "family": "sym9"}, "小波可选"),
        ({"kind": "wavelet", "passes": "LX"}, "passes"),
        ({"kind": "gabor", "step": 50}, "整除"),
        ({"kind": "log", "sigma": -1}, "greater than 0"),
        ({"kind": "sobel"}, "sobel"),
        ({"kind": "simoncelli", "boundary": "mirror"}, "periodic"),
    ],
)
def test_a_wrong_filter_is_told_of(words: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        TypeAdapter(Filter).validate_python(words)


def test_voxels_must_have_equal_sides() -> None:
    mask = np.ones((6, 6, 6), bool)
    region = Prepared(np.zeros((6, 6, 6)), mask, mask, (3.0, 1.0, 1.0), (0.0, 0.0), False)
    one = TypeAdapter(Filter).validate_python({"kind": "mean"})
    with pytest.raises(ImageProblem, match="等边体素"):
        response(region, one)
    assert response(replace(region, by_slice=True), one).image.shape == (6, 6, 6)
