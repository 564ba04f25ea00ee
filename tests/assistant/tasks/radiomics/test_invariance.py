"""What must not change a feature does not, and what must does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.imaging.volume import Grid, Volume
from assistant.tasks.radiomics.extraction import extract
from assistant.tasks.radiomics.features.autocorrelation import autocorrelation
from assistant.tasks.radiomics.features.enclosing import (
    ellipsoid_area,
    enclosing_ellipsoid,
    smallest_box,
)
from assistant.tasks.radiomics.features.local_intensity import local_intensity
from assistant.tasks.radiomics.features.morphology import mesh
from assistant.tasks.radiomics.region import PEAK_RADIUS, prepare
from assistant.tasks.radiomics.settings import FAMILIES, Bins, Settings

SHAPE = (7, 8, 9)
TEXTURE = [family for family in FAMILIES if family.startswith(("g", "n"))]
PLAIN = Settings(bins=Bins(number=6))


def made(seed: int) -> tuple[Volume, np.ndarray]:
    """An image with a region that is one piece."""
    random = np.random.default_rng(seed)
    image = random.integers(0, 200, SHAPE).astype(float)
    mask = np.zeros(SHAPE, bool)
    mask[1:6, 1:7, 2:8] = random.random((5, 6, 6)) > 0.2
    return Volume(image, Grid(SHAPE, (2.0, 2.0, 2.0))), mask


def values(volume: Volume, mask: np.ndarray, chosen: Settings = PLAIN) -> dict[str, float | None]:
    return {one.tag: one.value for one in extract(volume, mask, chosen)}


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 3), st.sampled_from([(0, 1), (1, 2), (0, 2)]))
def test_a_quarter_turn_changes_nothing_in_three_dimensions(
    seed: int, turns: int, plane: tuple[int, int]
) -> None:
    volume, mask = made(seed)
    before = values(volume, mask)
    image, turned = np.rot90(volume.array, turns, plane), np.rot90(mask, turns, plane)
    grid = Grid((image.shape[0], image.shape[1], image.shape[2]), volume.grid.spacing)
    after = values(Volume(image.copy(), grid), turned.copy())
    # Cubes that can be cut in two ways are not cut alike; boxes and ellipsoids are searched.
    loose = [t for t in before if t.startswith("morph")]
    for tag, value in before.items():
        rel = 0.05 if tag in loose else 1e-9
        assert after[tag] == pytest.approx(value, rel=rel, abs=1e-9), tag


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 10**6), st.integers(-500, 500), st.sampled_from([0.5, 2.0, 8.0]))
def test_a_shift_and_a_scale_of_intensities_leave_texture_by_bin_number(
    seed: int, shift: int, scale: float
) -> None:
    volume, mask = made(seed)
    chosen = PLAIN.model_copy(update={"families": TEXTURE})
    moved = volume.with_array(volume.array * scale + shift)
    assert values(moved, mask, chosen) == pytest.approx(values(volume, mask, chosen))


def test_voxels_outside_of_the_region_matter_to_local_peaks_alone() -> None:
    volume, mask = made(3)
    other = volume.with_array(np.where(mask, volume.array, 7.0))
    before, after = values(volume, mask), values(other, mask)
    changed = {tag for tag in before if before[tag] != pytest.approx(after[tag])}
    assert changed == {"loc_peak_loc", "loc_peak_glob"}


def test_spacing_is_of_the_shape_not_of_texture() -> None:
    volume, mask = made(4)
    wide = Volume(volume.array, Grid(SHAPE, (4.0, 2.0, 2.0)))
    before, after = values(volume, mask), values(wide, mask)
    assert after["morph_volume"] == pytest.approx(2 * (before["morph_volume"] or 0))
    textures = [tag for tag in before if not tag.startswith(("morph", "loc"))]
    assert [after[tag] for tag in textures] == pytest.approx([before[tag] for tag in textures])


def test_moran_and_geary_are_the_sums_over_all_pairs() -> None:
    volume, mask = made(5)
    region = prepare(volume, mask, PLAIN)
    places = np.argwhere(region.mask) * region.spacing
    x = region.values - region.values.mean()
    apart = np.linalg.norm(places[:, None] - places, axis=-1)
    weight = np.divide(1, apart, out=np.zeros_like(apart), where=apart > 0)
    moran = len(x) / weight.sum() * (x @ weight @ x) / (x @ x)
    geary = (len(x) - 1) / (2 * weight.sum())
    geary *= (weight * (x[:, None] - x) ** 2).sum() / (x @ x)
    found = autocorrelation(region)
    assert found["morph_moran_i"] == pytest.approx(moran, rel=1e-10)
    assert found["morph_geary_c"] == pytest.approx(geary, rel=1e-10)


def test_local_peaks_are_means_over_a_sphere() -> None:
    volume, mask = made(6)
    region = prepare(volume, mask, PLAIN)
    places = np.argwhere(np.ones(volume.array.shape, bool))
    flat = volume.array.ravel()

    def mean(place: np.ndarray) -> float:
        near = np.linalg.norm((places - place) * 2.0, axis=1) <= PEAK_RADIUS
        return float(flat[near].mean())

    inside = np.argwhere(mask)
    highest = inside[volume.array[mask].argmax()]
    found = local_intensity(region)
    assert found["loc_peak_loc"] == pytest.approx(mean(highest))
    assert found["loc_peak_glob"] == pytest.approx(max(map(mean, inside)))


def test_the_mesh_of_a_ball_is_a_ball() -> None:
    places = np.argwhere(np.ones((33, 33, 33), bool)) - 16
    mask = (np.linalg.norm(places, axis=1) <= 13.2).reshape(33, 33, 33)
    volume = Volume(mask.astype(float), Grid((33, 33, 33), (1.0, 1.0, 1.0)))
    found = mesh(prepare(volume, mask, PLAIN))
    assert found.volume == pytest.approx(4 / 3 * np.pi * 13.2**3, rel=0.02)
    tags = values(volume, mask)
    for tag in ("morph_pca_elongation", "morph_pca_flatness"):
        assert tags[tag] == pytest.approx(1, abs=0.01)
    # The ellipsoid reaches the corners of the outermost voxels.
    outer = np.linalg.norm(found.corners - 14, axis=1).max()
    full = 4 / 3 * np.pi * outer**3
    assert tags["morph_vol_dens_mvee"] == pytest.approx(found.volume / full, rel=0.02)


def test_enclosing_boxes_and_ellipsoids() -> None:
    from scipy.spatial import ConvexHull

    turn, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))
    corners = np.array([[x, y, z] for x in (0, 2) for y in (0, 3) for z in (0, 7)]) @ turn
    sides = smallest_box(corners, corners[ConvexHull(corners).simplices])
    assert sorted(sides) == pytest.approx([2, 3, 7])
    # Around a box: its half sides times √3.
    semi = enclosing_ellipsoid(corners)
    assert sorted(semi) == pytest.approx(np.array([1, 1.5, 3.5]) * np.sqrt(3), rel=1e-4)


@pytest.mark.parametrize("axes", [(2, 2, 2), (5, 5, 2), (5, 2, 2)])
def test_the_area_of_an_ellipsoid_is_steady_where_axes_are_equal(
    axes: tuple[float, float, float],
) -> None:
    a, b, c = axes
    near = ellipsoid_area(a + 2e-5, b + 1e-5, c)
    assert ellipsoid_area(a, b, c) == pytest.approx(near, rel=1e-3)
    if a == c:
        assert ellipsoid_area(a, b, c) == pytest.approx(4 * np.pi * a**2)
