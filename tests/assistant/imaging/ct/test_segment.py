"""Structures of simulated chests, and of what has no lungs: no weights, no patient."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from assistant.imaging.ct import STRUCTURES, segment_ct
from assistant.imaging.problem import ImageProblem
from assistant.imaging.source import read_image, read_region
from assistant.imaging.volume import Grid, Mask, Volume
from eval.clinical.detection.thorax import BONE, MARROW, Chest, Feature, Scene, simulated

BOTH = ["lung_left", "lung_right"]


def dice(one: Mask, other: Mask) -> float:
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))


@cache
def chest(*features: Feature, **settings: object) -> Scene:
    given: dict[str, object] = {"spacing": (5.0, 2.0, 2.0), "seed": 3, **settings}
    return simulated(Chest(features=frozenset(features), **given))  # type: ignore[arg-type]


@cache
def of_a_plain_chest() -> dict[str, Mask]:
    return segment_ct(chest().volume())


@pytest.mark.parametrize(
    "feature", ["touching", "effusion", "arms", "table", "emphysema", "contrast", "bowel_gas"]
)
def test_lungs_are_found_and_told_apart(feature: Feature) -> None:
    scene = chest(feature)
    found = segment_ct(scene.volume(), BOTH)
    assert dice(found["lung_left"], scene.truth["left"]) > 0.98
    assert dice(found["lung_right"], scene.truth["right"]) > 0.98


def test_gas_in_the_bowel_is_no_lung() -> None:
    scene = chest("bowel_gas")
    found = segment_ct(scene.volume())
    gas = scene.truth["bowel_gas"]
    assert gas.sum() > 1000
    assert not ((found["lung_left"] | found["lung_right"]) & gas).any()


def test_a_pneumothorax_behind_a_pleural_line_is_no_lung() -> None:
    scene = chest("pneumothorax")
    found = segment_ct(scene.volume(), BOTH)
    assert dice(found["lung_right"], scene.truth["right"]) > 0.97
    assert (found["lung_right"] & scene.truth["pneumothorax"]).sum() < 50


def test_one_lung_alone_has_its_side() -> None:
    scene = chest("one_lung")
    found = segment_ct(scene.volume())
    assert "lung_left" not in found
    assert dice(found["lung_right"], scene.truth["right"]) > 0.97
    with pytest.raises(ImageProblem, match="没有肺"):
        segment_ct(scene.volume(), ["lung_left"])


def test_the_other_structures() -> None:
    scene = chest("contrast", "table", "arms", wide=500.0)
    found = segment_ct(scene.volume())
    assert list(found) == [name for name in STRUCTURES if name in found] == list(STRUCTURES)
    assert dice(found["body"] & scene.truth["body"], scene.truth["body"]) > 0.99
    assert dice(found["trachea"], scene.truth["trachea"]) > 0.9
    assert not (found["trachea"] & ~found["airways"]).any()
    lungs = found["lung_left"] | found["lung_right"]
    assert not (found["vessels"] & ~lungs).any()
    tree = scene.truth["vessels_left"] | scene.truth["vessels_right"]
    near = ndimage.binary_dilation(tree, iterations=2)
    assert found["vessels"].sum() > 0.3 * tree.sum()
    assert (found["vessels"] & near).sum() > 0.8 * found["vessels"].sum()
    # Contrast medium in the heart is no bone.
    bone = np.isin(scene.hu, (BONE, MARROW))
    heart = scene.ellipsoid((-35, -22, 18), (50, 37, 43))
    assert (found["bone"] & bone & ~heart).sum() > 0.75 * (bone & ~heart).sum()
    assert (found["bone"] & heart).sum() < 0.02 * heart.sum()


@pytest.mark.parametrize(
    ("spacing", "reach"),
    [((10.0, 1.5, 1.5), (-190, 190)), ((0.6, 2.0, 2.0), (0, 60)), ((3.0, 2.0, 2.0), (-190, 10))],
    ids=["thick", "thin", "cut"],
)
def test_slices_of_any_thickness_and_lungs_that_are_cut(
    spacing: tuple[float, float, float], reach: tuple[float, float]
) -> None:
    scene = chest(spacing=spacing, reach=reach)
    found = segment_ct(scene.volume(), BOTH)
    assert dice(found["lung_left"], scene.truth["left"]) > 0.97
    assert dice(found["lung_right"], scene.truth["right"]) > 0.96


def test_one_slice() -> None:
    scene = chest(reach=(0, 5))
    volume = scene.volume()
    assert volume.grid.shape[0] == 1
    found = segment_ct(volume, BOTH)
    assert dice(found["lung_left"], scene.truth["left"]) > 0.98


@pytest.mark.parametrize("offset", [1024, 1000])
def test_stored_values_with_an_offset(offset: int) -> None:
    volume = chest().volume()
    plain = of_a_plain_chest()
    moved = segment_ct(volume.with_array(volume.array + offset), BOTH)
    assert dice(plain["lung_left"], moved["lung_left"]) > 0.999


@pytest.mark.parametrize("padding", [-2000, -3024])
def test_padding_around_the_field_of_view(padding: int) -> None:
    scene = chest()
    volume = scene.volume()
    rows, columns = np.ogrid[: volume.grid.shape[1], : volume.grid.shape[2]]
    middle = np.array(volume.grid.shape[1:]) / 2
    away = np.hypot(rows - middle[0], columns - middle[1])
    array = volume.array.copy()
    array[:, away > 78] = padding  # cuts through the sides of the body
    found = segment_ct(volume.with_array(array), BOTH)
    assert dice(found["lung_left"], scene.truth["left"]) > 0.97


def turned(volume: Volume, order: tuple[int, int, int], flips: tuple[int, int, int]) -> Volume:
    """The same image in another storage order."""
    array = volume.array.transpose(order)[tuple(slice(None, None, f) for f in flips)]
    axes = volume.grid.axes[:, order] * np.array(flips)
    corner = np.array([0 if f > 0 else n - 1 for f, n in zip(flips, array.shape, strict=True)])
    origin = volume.grid.positions(corner[list(np.argsort(order))][None].astype(float))[0]
    spacing = tuple(volume.grid.spacing[i] for i in order)
    grid = Grid(array.shape, spacing, origin, axes)  # type: ignore[arg-type]
    return replace(volume, array=np.ascontiguousarray(array), grid=grid)


@pytest.mark.parametrize(
    ("order", "flips"),
    [((0, 1, 2), (1, -1, -1)), ((2, 0, 1), (-1, 1, 1)), ((1, 0, 2), (1, -1, -1))],
    ids=["prone", "sagittal", "coronal"],
)
def test_storage_order_and_position_of_the_patient_do_not_matter(
    order: tuple[int, int, int], flips: tuple[int, int, int]
) -> None:
    volume = chest().volume()
    plain = of_a_plain_chest()
    other = segment_ct(turned(volume, order, flips))
    for name in plain:
        expected = plain[name].transpose(order)[tuple(slice(None, None, f) for f in flips)]
        assert np.array_equal(other[name], expected), name


def head() -> Volume:
    """A skull with brain, gas in sinuses and mouth, and cells of the mastoids."""
    z, y, x = np.meshgrid(
        np.arange(-110, 110, 3.0), np.arange(-120, 120, 1.5), np.arange(-100, 100, 1.5),
        indexing="ij",
    )  # fmt: skip

    def ball(centre: tuple[float, ...], radii: tuple[float, ...]) -> Mask:
        ends = zip((z, y, x), centre, radii, strict=True)
        return np.asarray(sum(((p - c) / r) ** 2 for p, c, r in ends) <= 1)

    hu = np.full(z.shape, -1000.0)
    hu[ball((0, 0, 0), (140, 98, 78))] = 40
    hu[ball((20, 0, 0), (90, 90, 70))] = 900
    hu[ball((20, 0, 0), (82, 82, 62))] = 35
    rng = np.random.default_rng(1)
    for side in (1, -1):
        hu[ball((-45, -62, side * 24), (18, 16, 14))] = -1000
        cells = ball((-40, 30, side * 60), (18, 14, 12))
        hu[cells] = rng.choice([-1000, 500], cells.sum())
    hu[ball((-65, -50, 0), (16, 30, 18))] = -1000
    noisy = ndimage.gaussian_filter(hu, 0.6) + rng.normal(0, 8, hu.shape)
    grid = Grid(hu.shape, (3.0, 1.5, 1.5))  # type: ignore[arg-type]
    return Volume(noisy.astype(np.float32), grid, "CT", "HU")


def noise(mean: float, spread: float) -> Volume:
    grid = Grid((40, 100, 100), (3.0, 3.0, 3.0))
    values = np.random.default_rng(0).normal(mean, spread, grid.shape)
    return Volume(values.astype(np.float32), grid, "CT", "HU")


@pytest.mark.parametrize(
    "volume",
    [
        pytest.param(head, id="head"),
        pytest.param(lambda: noise(-1000, 10), id="air"),
        pytest.param(lambda: noise(-500, 300), id="noise"),
        pytest.param(lambda: noise(0, 10), id="water"),
        pytest.param(lambda: chest("bowel_gas", reach=(-190, -150)).volume(), id="abdomen"),
    ],
)
def test_what_has_no_lungs_gets_none(volume: object) -> None:
    with pytest.raises(ImageProblem, match=r"没有肺|噪声"):
        segment_ct(volume(), ["lung_left"])  # type: ignore[operator]
    try:
        found = segment_ct(volume())  # type: ignore[operator]
    except ImageProblem:
        return
    assert set(found) <= {"body", "bone"}


def test_a_table_alone_has_no_lungs() -> None:
    scene = replace(chest("table"), hu=chest("table").hu.copy())
    scene.hu[:, scene.places[1].ravel() < 120] = -1000
    with pytest.raises(ImageProblem, match="没有肺"):
        segment_ct(scene.volume(), BOTH)


def test_an_mri_is_refused() -> None:
    with pytest.raises(ImageProblem, match="MR"):
        segment_ct(replace(noise(0, 10), modality="MR"))


def test_a_name_that_is_not_known() -> None:
    with pytest.raises(ImageProblem, match="没有这个结构：spleen"):
        segment_ct(noise(0, 10), ["spleen"])


@pytest.mark.shared
def test_a_real_chest_against_its_contours(shared_data: Path) -> None:
    folder = shared_data / "imaging" / "lung1_ct"
    if not folder.is_dir():
        pytest.skip("no lung1_ct")
    volume = read_image(folder / "image")
    found = segment_ct(volume, BOTH)
    left, right = (
        read_region(folder / "rtstruct.dcm", volume, name).mask
        for name in ("Lung-Left", "Lung-Right")
    )
    assert dice(found["lung_left"], left) >= 0.95
    assert dice(found["lung_right"], right) >= 0.95
    both = found["lung_left"] | found["lung_right"]
    assert dice(both, left | right) >= 0.97
