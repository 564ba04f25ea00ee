"""Each kind of bad input ends with a sentence that says what to do, and names nobody."""

from __future__ import annotations

import logging
import re
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest
from cohort_tables import CLASS, SMALL, draw, write
from imaging_samples import (
    ROOT,
    SHAPE,
    ball,
    ct_slice,
    intensities,
    segmentation,
    series,
    square,
    structure_set,
    written,
)
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless
from typer.testing import CliRunner

from assistant.imaging import archive
from assistant.imaging.problem import ImageProblem
from assistant.imaging.series import assemble
from assistant.tasks.radiomics.cohort.refusal import CohortRefused
from assistant.tasks.radiomics.cohort.table import read_cohort
from assistant.tasks.radiomics.command import app

NAME = "张三-Zhang San"
"""Burnt into the names of files, and the name in the header is like it."""

Files = tuple[Path, Path]


def dicom(folder: Path, slices: list[Dataset], region: Dataset | None = None) -> Files:
    images = folder / NAME
    images.mkdir()
    for number, one in enumerate(slices):
        (images / f"{NAME} {number}.dcm").write_bytes(written(one))
    mask = folder / f"{NAME} seg.dcm"
    mask.write_bytes(written(region or segmentation(ball())))
    return images, mask


def nifti(folder: Path, image: np.ndarray, mask: np.ndarray | None = None) -> Files:
    affine = np.diag([-1.0, -1.0, 2.5, 1.0])
    paths = folder / f"{NAME}.nii", folder / f"{NAME} mask.nii"
    labels = ball().astype(np.uint8) if mask is None else mask
    for path, array in zip(paths, (image, labels), strict=True):
        nibabel.save(nibabel.Nifti1Image(array.transpose(2, 1, 0), affine), path)
    return paths


def mixed(folder: Path) -> Files:
    return dicom(folder, [*series(), ct_slice(2, SeriesInstanceUID=f"{ROOT}.8")])


def missing(folder: Path) -> Files:
    return dicom(folder, series()[1:])


def double(folder: Path) -> Files:
    return dicom(folder, [*series(), ct_slice(2, SOPInstanceUID=f"{ROOT}.9")])


def tilted(folder: Path) -> Files:
    slices = series()
    for one in slices:
        one.ImagePositionPatient[1] += one.ImagePositionPatient[2] * 0.2
    return dicom(folder, slices)


def compressed(folder: Path) -> Files:
    slices = series()
    for one in slices:
        one.file_meta.TransferSyntaxUID = JPEG2000Lossless
        one.PixelData = encapsulate([b"no such stream"])
        one["PixelData"].is_undefined_length = True
    return dicom(folder, slices)


def truncated(folder: Path) -> Files:
    images, mask = dicom(folder, series())
    one = next(images.iterdir())
    one.write_bytes(one.read_bytes()[:-200])
    return images, mask


def drawn(*corners: tuple[float, float, float], frame: str = "") -> Callable[[Path], Files]:
    def made(folder: Path) -> Files:
        contours = {"GTV": [square(*one) for one in corners]}
        region = structure_set(contours, frame) if frame else structure_set(contours)
        return dicom(folder, series(), region)

    return made


def not_a_number(folder: Path) -> Files:
    values = intensities().astype(np.float32)
    values[tuple(np.argwhere(ball())[0])] = np.nan
    return nifti(folder, values)


def empty_mask(folder: Path) -> Files:
    return nifti(folder, intensities(), np.zeros(SHAPE, np.uint8))


def zeros(folder: Path) -> Files:
    """2 GiB of them behind the header of an image; they take no place on the disk."""
    image, mask = nifti(folder, np.zeros((1, 1, 1), np.int16))
    header = bytearray(image.read_bytes()[:352])
    header[40:48] = np.array([3, 1024, 1024, 1024], "<i2").tobytes()
    with image.open("wb") as file:
        file.write(header)
        file.truncate(352 + 2 * 1024**3)
    return image, mask


def headless_zeros(folder: Path) -> Files:
    image, mask = folder / f"{NAME}.dcm", folder / f"{NAME} mask.nii"
    with image.open("wb") as file:
        file.truncate(2 * 1024**3)
    return image, mask


def bomb(folder: Path) -> Files:
    _, mask = dicom(folder, series())
    packed = folder / f"{NAME}.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr(f"{NAME}.dcm", bytes(8 * 2**20))
    return packed, mask


BAD: dict[str, tuple[Callable[[Path], Files], str]] = {
    "mixed series": (mixed, "2 个序列"),
    "missing slices": (missing, "缺层"),
    "double slices": (double, "位置重复"),
    "gantry tilt": (tilted, "机架倾斜"),
    "a compressed transfer syntax": (compressed, "压缩传输语法"),
    "a truncated file": (truncated, "损坏或不完整|不完整"),
    "a region of another frame": (drawn((2, 3.5, 9.5), frame=f"{ROOT}.99"), "参考坐标系不同"),
    "an empty region": (empty_mask, "没有体素"),
    "a region of one voxel": (drawn((2, 3.5, 4.5)), "只有一个体素"),
    "a region outside of the image": (drawn((50, 3.5, 9.5)), "没有体素"),
    "NaN": (not_a_number, "NaN"),
    "2 GB of zeros as an image": (zeros, "图像过大"),
    "2 GB of zeros": (headless_zeros, "无法识别"),
    "a zip bomb": (bomb, "解压后过大"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_sentence_says_what_to_do(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(archive, "_RATIO_FROM", 2**20)
    caplog.set_level(logging.DEBUG)
    make, said = BAD[kind]
    image, mask = make(tmp_path)
    tracemalloc.start()
    try:
        told = CliRunner().invoke(app, ["extract", str(image), "--mask", str(mask), "--json"])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # The command itself prints the sentence of such an error.
    assert isinstance(told.exception, ImageProblem), told.exception
    problem = str(told.exception)
    assert re.search(said, problem), problem
    assert "请" in problem
    for text in (problem, told.output, caplog.text):
        assert not any(part in text for part in ("张三", "Zhang"))
    assert peak < 256 * 2**20


def test_values_beyond_16_bits_are_not_turned_over() -> None:
    high = np.full(SHAPE[1:], 60_000, "<u2").tobytes()
    slices = series(PixelData=high, RescaleSlope=3, RescaleIntercept=-1024)
    assert (assemble(slices).array == 60_000 * 3 - 1024).all()


def test_names_of_paths_in_a_zip_are_never_used(tmp_path: Path) -> None:
    folder = tmp_path / "inside"
    folder.mkdir()
    _, mask = dicom(folder, [])
    packed = folder / "study.zip"
    with zipfile.ZipFile(packed, "w") as target:
        for number, one in enumerate(series()):
            target.writestr(f"../../{NAME}{number}.dcm", written(one))
    told = CliRunner().invoke(app, ["extract", str(packed), "--mask", str(mask), "--json"])
    assert told.exit_code == 0, told.output
    assert [one.name for one in tmp_path.iterdir()] == ["inside"]
    assert "张三" not in told.output


@pytest.mark.parametrize(
    ("cases", "classes", "said"), [(3, ("是", "否"), "病例太少"), (40, ("是",), "只有 1 类")]
)
def test_a_table_of_three_cases_or_of_one_class(
    tmp_path: Path, cases: int, classes: tuple[str, ...], said: str
) -> None:
    head, *rows = draw(False, cases=cases)
    told = [[*row[:-1], classes[number % len(classes)]] for number, row in enumerate(rows)]
    with pytest.raises(CohortRefused, match=said) as problem:
        read_cohort(write(tmp_path / f"{NAME}.csv", [head, *told]), CLASS, SMALL)
    assert "张三" not in str(problem.value)
