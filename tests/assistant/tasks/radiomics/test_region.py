"""Resampling, re-segmentation and discretisation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from assistant.imaging.problem import ImageProblem
from assistant.imaging.volume import Grid, Volume
from assistant.tasks.radiomics.region import binned, prepare
from assistant.tasks.radiomics.resampling import resample
from assistant.tasks.radiomics.settings import Bins, Resampling, Settings, load, shipped


def volume(array: np.ndarray, spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> Volume:
    return Volume(array, Grid((array.shape[0], array.shape[1], array.shape[2]), spacing))


@pytest.mark.parametrize("interpolation", ["linear", "cubic"])
def test_a_part_is_resampled_as_the_whole(interpolation: str) -> None:
    image = np.random.default_rng(1).normal(size=(90, 80, 70))
    mask = np.zeros(image.shape, bool)
    mask[40:52, 30:48, 33:45] = True
    spacing, wanted = (1.7, 0.9, 0.9), (1.3, 1.1, 1.0)
    found = resample(image, mask, spacing, wanted, interpolation, (4.0, 4.0, 4.0))
    step = np.divide(wanted, spacing)
    shape = np.ceil(image.shape / step).astype(int)
    origin = (np.array(image.shape) - 1) / 2 - (shape - 1) / 2 * step
    whole = ndimage.affine_transform(
        image,
        step,
        origin,
        tuple(shape),
        order=3 if interpolation == "cubic" else 1,
        mode="nearest",
    )
    part = tuple(slice(a, a + n) for a, n in zip(found.start, found.image.shape, strict=True))
    assert found.whole == tuple(shape)
    assert np.abs(found.image - whole[part]).max() < 1e-10
    assert found.mask.any()
    assert not found.mask[0].any()


def test_a_grid_of_half_the_spacing_has_the_same_centre() -> None:
    image = np.arange(4.0) * np.ones((4, 4, 1))
    found = resample(
        image, np.ones(image.shape, bool), (1, 1, 1), (0.5, 0.5, 0.5), "linear", (0, 0, 0)
    )
    assert found.image.shape == (8, 8, 8)
    assert found.image[0, 0] == pytest.approx([0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3])


def test_half_a_voxel_is_inside() -> None:
    mask = np.zeros((1, 1, 4), bool)
    mask[..., :2] = True
    found = resample(mask.astype(float), mask, (1, 1, 1), (1, 1, 2), "linear", (5, 5, 5))
    assert list(found.mask[0, 0]) == [True, False]


def test_range_and_outliers_are_of_the_region_before_either() -> None:
    values = np.array([[[0.0, 1, 2, 3, 4, 5, 6, 7, 8, 900]]])
    mask = np.ones(values.shape, bool)
    by_range = Settings(range=(2, None), bins=Bins(width=1))
    assert list(prepare(volume(values), mask, by_range).values) == [2, 3, 4, 5, 6, 7, 8, 900]
    both = Settings(range=(2, 1000), outlier_sigma=2, bins=Bins(width=1))
    kept = prepare(volume(values), mask, both)
    assert list(kept.values) == [2, 3, 4, 5, 6, 7, 8]
    assert kept.shape_mask.all()


def test_bins_of_a_number_and_of_a_width() -> None:
    values = np.array([0.0, 2.5, 4.9, 5.0, 10.0])
    assert list(binned(values, Bins(number=2), np.nan)[0]) == [1, 1, 1, 2, 2]
    assert list(binned(values, Bins(number=4), np.nan)[0]) == [1, 2, 2, 3, 4]
    assert list(binned(values, Bins(width=2.5), -5)[0]) == [3, 4, 4, 5, 7]
    assert list(binned(values, Bins(width=2.5, start="minimum"), -5)[0]) == [1, 2, 2, 3, 5]
    assert list(binned(values + 1, Bins(width=2, start="multiple"), -5)[0]) == [1, 2, 3, 4, 6]
    assert binned(np.array([3.0, 3.0]), Bins(number=8), np.nan)[1] == 8


def test_what_leaves_nothing_is_said() -> None:
    image = np.zeros((3, 3, 3))
    mask = np.ones(image.shape, bool)
    with pytest.raises(ImageProblem, match="不足两个体素"):
        prepare(volume(image), mask, Settings(range=(10, 20)))
    coarse = Settings(resampling=Resampling(spacing=[50, 50, 50]))
    with pytest.raises(ImageProblem, match="不足两个体素"):
        prepare(volume(image), mask, coarse)
    image[1, 1, 1] = np.nan
    with pytest.raises(ImageProblem, match="NaN"):
        prepare(volume(image), mask, Settings())
    fine = Settings(resampling=Resampling(spacing=[0.001, 0.001, 0.001]))
    with pytest.raises(ImageProblem, match="间距下过大"):
        prepare(volume(image), mask, fine)
    tiny = Volume(np.zeros((3, 3, 3)), Grid((3, 3, 3), (1e-4, 1e-4, 1e-4)))
    with pytest.raises(ImageProblem, match="间距下过大"):
        prepare(tiny, mask, Settings())
    with pytest.raises(ImageProblem, match="灰度级过多"):
        binned(np.array([0.0, 1e9]), Bins(width=1), np.nan)


def test_values_of_hu_are_whole_and_others_are_not() -> None:
    image = np.random.default_rng(2).integers(0, 9, (6, 6, 6)).astype(float)
    mask = np.ones(image.shape, bool)
    finer = Settings(resampling=Resampling(spacing=[0.7, 0.7, 0.7]))
    plain = volume(image)
    assert (prepare(plain.with_array(image, "HU"), mask, finer).values % 1 == 0).all()
    assert (prepare(plain, mask, finer).values % 1 != 0).any()


def test_normalisation_is_of_images_without_a_unit() -> None:
    image = np.random.default_rng(3).normal(300, 20, (6, 6, 6))
    mask = np.ones(image.shape, bool)
    chosen = Settings(normalisation="zscore")
    found = prepare(volume(image), mask, chosen).values
    assert (found.mean(), found.std()) == pytest.approx((0, 100), abs=1e-9)
    same = prepare(volume(image).with_array(image, "SUV"), mask, chosen).values
    assert same == pytest.approx(image.ravel())


def test_shipped_settings_are_read() -> None:
    assert {"standard", "ibsi-a", "ibsi-e"} <= set(shipped())
    for name in shipped():
        assert load(name).name
    assert load("ibsi-e").outlier_sigma == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("bins: {width: -1}", "bins.width"),
        ("bins: {width: 1, number: 3}", "width 或 number"),
        ("colour: red", "colour"),
        ("range: [5, 2]", "下限"),
        ("resampling: {spacing: [1, 1]}", "三维重采样"),
        ("{", "YAML"),
        ("[" * 20_000, "YAML"),
    ],
)
def test_a_wrong_settings_file_is_told_of(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text(text)
    with pytest.raises(ImageProblem, match=said):
        load(str(path))
    with pytest.raises(ImageProblem, match="没有这个设置文件"):
        load(str(tmp_path / "gone.yaml"))
