"""Regions from RTSTRUCT, SEG and mask files lie where they were drawn, or are refused."""

from __future__ import annotations

from pathlib import Path

import nibabel
import nrrd
import numpy as np
import pytest
from imaging_samples import (
    ORIGIN,
    ROOT,
    SPACING,
    ball,
    intensities,
    segmentation,
    series,
    square,
    structure_set,
    written,
)

from assistant.imaging.problem import ImageProblem
from assistant.imaging.series import assemble
from assistant.imaging.source import read_image, read_region, region_names, region_of


def test_contours_are_filled_on_their_slices() -> None:
    drawn = structure_set({"GTV": [square(2, 3.5, 9.5), square(2, 5.5, 7.5), square(3, 3.5, 9.5)]})
    region = region_of(drawn, assemble(series()))
    assert region.name == "GTV"
    assert list(np.flatnonzero(region.mask.any(axis=(1, 2)))) == [2, 3]
    assert (region.mask[2].sum(), region.mask[3].sum()) == (36 - 4, 36)
    assert region.mask[3, 4:10, 4:10].all()


def test_one_of_several_regions_must_be_named(tmp_path: Path) -> None:
    path = tmp_path / "rt.dcm"
    path.write_bytes(
        written(structure_set({"GTV": [square(2, 3.5, 9.5)], "心脏": [square(2, 3.5, 5.5)]}))
    )
    volume = assemble(series())
    assert list(region_names(path)) == ["GTV", "心脏"]
    assert read_region(path, volume, "心脏").mask.sum() == 4
    for name in ("", "gone"):
        with pytest.raises(ImageProblem, match="GTV、心脏"):
            read_region(path, volume, name)


REFUSED = {
    "参考坐标系不同": structure_set({"GTV": [square(2, 3.5, 9.5)]}, frame=f"{ROOT}.99"),
    "没有闭合轮廓": structure_set({"GTV": []}),
    "不在图像层面上": structure_set({"GTV": [square(2.4, 3.5, 9.5)]}),
    "没有体素": structure_set({"GTV": [square(50, 3.5, 9.5)]}),
    "只有一个体素": structure_set({"GTV": [square(2, 3.5, 4.5)]}),
    "没有任何区域": structure_set({}),
    "坐标损坏": structure_set({"GTV": [[float("nan")] * 9]}),
}


@pytest.mark.parametrize("said", REFUSED)
def test_a_region_that_cannot_be_used_is_told_of(said: str) -> None:
    with pytest.raises(ImageProblem, match=said):
        region_of(REFUSED[said], assemble(series()))


def test_a_segmentation_lies_on_the_slices_of_its_frames() -> None:
    region = region_of(segmentation(ball()), assemble(series()))
    assert (region.mask == ball()).all()
    assert region.name == "lesion"


def test_a_segmentation_of_another_grid_is_refused() -> None:
    other = segmentation(ball())
    for group in other.PerFrameFunctionalGroupsSequence:
        group.PlanePositionSequence[0].ImagePositionPatient[0] += 3
    with pytest.raises(ImageProblem, match="网格不一致"):
        region_of(other, assemble(series()))


def _affine() -> np.ndarray:
    return np.diag([-SPACING[2], -SPACING[1], SPACING[0], 1.0]) + np.array(
        [[0, 0, 0, -ORIGIN[0]], [0, 0, 0, -ORIGIN[1]], [0, 0, 0, ORIGIN[2]], [0, 0, 0, 0]]
    )


def test_nifti_and_nrrd_have_the_grid_of_the_series(tmp_path: Path) -> None:
    volume = assemble(series())
    values = intensities().transpose(2, 1, 0)
    nibabel.save(nibabel.Nifti1Image(values, _affine()), tmp_path / "image.nii.gz")
    header = {
        "space": "left-posterior-superior",
        "space directions": np.diag(SPACING[::-1]),
        "space origin": ORIGIN,
    }
    nrrd.write(str(tmp_path / "image.nrrd"), values, header)
    for name in ("image.nii.gz", "image.nrrd"):
        found = read_image(tmp_path / name)
        assert np.array_equal(found.array, volume.array)
        assert found.grid.same_as(volume.grid)


def test_a_mask_file_must_be_of_the_image(tmp_path: Path) -> None:
    volume = assemble(series())
    labels = (ball() * 1 + (intensities() > 130) * ball()).transpose(2, 1, 0).astype(np.uint8)
    nibabel.save(nibabel.Nifti1Image(labels, _affine()), tmp_path / "mask.nii")
    with pytest.raises(ImageProblem, match="多个标签（1、2）"):
        read_region(tmp_path / "mask.nii", volume)
    both = [read_region(tmp_path / "mask.nii", volume, n).mask.sum() for n in ("1", "2")]
    assert sum(both) == ball().sum()
    for name in ("7", "²"):
        with pytest.raises(ImageProblem, match=r"没有标签 7，有的是：1、2|没有“²”"):
            read_region(tmp_path / "mask.nii", volume, name)
    with pytest.raises(ImageProblem, match="没有“GTV-1”"):
        read_region(tmp_path / "mask.nii", volume, "GTV-1")
    moved = _affine()
    moved[0, 3] += 5
    nibabel.save(nibabel.Nifti1Image(labels, moved), tmp_path / "moved.nii")
    with pytest.raises(ImageProblem, match="网格"):
        read_region(tmp_path / "moved.nii", volume, "1")


def test_images_of_four_dimensions_or_of_skewed_axes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "image.nii"
    nibabel.save(nibabel.Nifti1Image(np.zeros((4, 4, 4, 2), np.int16), np.eye(4)), path)
    with pytest.raises(ImageProblem, match="4 维"):
        read_image(path)
    skewed = np.eye(4)
    skewed[0, 2] = 0.3
    nibabel.save(nibabel.Nifti1Image(np.zeros((4, 4, 4), np.int16), skewed), path)
    with pytest.raises(ImageProblem, match="倾斜"):
        read_image(path)
