"""A DICOM series becomes a volume, and what would mislead is told."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from imaging_samples import (
    CENTRE,
    FRAME,
    ORIGIN,
    ROOT,
    SERIES,
    SHAPE,
    SPACING,
    ball,
    ct_slice,
    dataset,
    intensities,
    series,
    written,
)
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, JPEG2000Lossless

from assistant.imaging import archive
from assistant.imaging.problem import ImageProblem
from assistant.imaging.series import assemble
from assistant.imaging.source import read_image


def test_slices_are_put_in_order_and_rescaled() -> None:
    volume = assemble(series())
    assert np.array_equal(volume.array, intensities())
    assert (volume.unit, volume.modality, volume.frame_of_reference) == ("HU", "CT", FRAME)
    assert volume.grid.spacing == SPACING
    centre = volume.grid.positions(np.array([CENTRE], float))[0]
    expected = np.add(ORIGIN, [CENTRE[2], CENTRE[1], CENTRE[0] * SPACING[0]])
    assert np.allclose(centre, expected)
    assert np.allclose(volume.grid.indices(centre[None]), [CENTRE])


def test_a_folder_and_a_zip_give_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "series"
    folder.mkdir()
    for number, one in enumerate(series()):
        (folder / f"{number}.dcm").write_bytes(written(one))
    (folder / "read me.txt").write_text("not an image")
    packed = tmp_path / "series.zip"
    with zipfile.ZipFile(packed, "w") as target:
        for file in folder.iterdir():
            target.write(file, f"../../{file.name}")
    assert np.array_equal(read_image(folder).array, intensities())
    assert np.array_equal(read_image(packed).array, intensities())
    assert sorted(p.name for p in tmp_path.iterdir()) == ["series", "series.zip"]


def _without(number: int) -> list:
    return [one for one in series() if not one.SOPInstanceUID.endswith(f".{number + 1}")]


def _tilted() -> list:
    slices = series()
    for one in slices:
        one.ImagePositionPatient[1] += one.ImagePositionPatient[2] * 0.2
    return slices


BAD = {
    "缺层": _without(3),
    "只保留一期": [*series(), ct_slice(2, SOPInstanceUID=f"{ROOT}.9")],
    "2 个序列": [*series(), ct_slice(2, SeriesInstanceUID=f"{ROOT}.8")],
    "机架倾斜": _tilted(),
    "像素间距": [*_without(2), ct_slice(2, PixelSpacing=[2, 2])],
    "参考坐标系": [*_without(2), ct_slice(2, FrameOfReferenceUID=f"{ROOT}.8")],
    "多帧": [ct_slice(0, NumberOfFrames=5)],
    "ImagePositionPatient": [*_without(2), ct_slice(2, ImagePositionPatient=None)],
    "不完整": [*_without(2), ct_slice(2, PixelData=b"\0\0\0\0")],
    "RescaleSlope": [*_without(2), ct_slice(2, RescaleSlope=0)],
    "方位": series(ImageOrientationPatient=[0, 0, 0, 0, 0, 0]),
    "没有找到": [],
}


@pytest.mark.parametrize("said", BAD)
def test_what_is_wrong_is_said(said: str) -> None:
    with pytest.raises(ImageProblem, match=said) as problem:
        assemble(BAD[said])
    assert "Zhang" not in str(problem.value)


def test_a_compressed_syntax_that_cannot_be_decoded_is_named() -> None:
    one = ct_slice(0)
    one.file_meta.TransferSyntaxUID = JPEG2000Lossless
    with pytest.raises(ImageProblem, match="压缩传输语法"):
        assemble([one])


def test_a_truncated_file_is_told_of(tmp_path: Path) -> None:
    data = written(ct_slice(0))
    (tmp_path / "1.dcm").write_bytes(data[:400])
    with pytest.raises(ImageProblem):
        read_image(tmp_path)


def test_a_zip_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "_RATIO_FROM", 2**20)
    packed = tmp_path / "bomb.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("a.dcm", bytes(8 * 2**20))
    with pytest.raises(ImageProblem, match="解压后过大"):
        read_image(packed)


@pytest.mark.parametrize("name", ["a.zip", "a.dcm", "a.nii.gz", "a.nrrd", "a.txt"])
def test_any_other_file_is_told_of(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"PK\x03\x04 nothing of the kind")
    with pytest.raises(ImageProblem):
        read_image(path)
    with pytest.raises(ImageProblem, match="没有这个文件"):
        read_image(tmp_path / "gone" / name)


def test_zeros_without_end_are_no_image(tmp_path: Path) -> None:
    path = tmp_path / "zeros.dcm"
    with path.open("wb") as file:
        file.truncate(2 * 1024**3)
    with pytest.raises(ImageProblem, match="无法识别"):
        read_image(path)


def test_a_region_object_is_no_image() -> None:
    found = dataset("1.2.840.10008.5.1.4.1.1.481.3", f"{ROOT}.4.1", "RTSTRUCT")
    with pytest.raises(ImageProblem, match="没有找到 DICOM 图像"):
        assemble([found])


def test_the_ball_is_where_it_was_put() -> None:
    places = np.argwhere(ball())
    assert np.allclose(places.mean(0), CENTRE)
    assert intensities().shape == SHAPE


def test_two_thousand_slices_of_the_usual_size_are_refused_before_a_pixel_is_read() -> None:
    def slice_(number: int) -> Dataset:
        one = dataset(CTImageStorage, f"{SERIES}.{number + 1}", "CT")
        one.ImagePositionPatient = [0, 0, 0.6 * number]
        one.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        one.PixelSpacing, one.SliceThickness = [0.7, 0.7], 0.6
        one.Rows = one.Columns = 512
        return one

    with pytest.raises(ImageProblem, match="图像过大"):
        assemble(slice_(number) for number in range(2000))
