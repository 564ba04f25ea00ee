"""NIfTI as DICOM: the same values at the same places and times."""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant.imaging import as_dicom, dicom, nifti, series
from assistant.imaging.problem import ImageProblem
from assistant.tasks.perfusion import dicom_study


def saved(path: Path, array: np.ndarray, affine: np.ndarray, step: float = 0.0) -> Path:
    image = nibabel.Nifti1Image(array, affine)
    if step:
        image.header.set_zooms((*image.header.get_zooms()[:3], step))
        image.header.set_xyzt_units("mm", "sec")
    nibabel.save(image, path)
    return path


def instances(path: Path, seed: str = "pat-1") -> list[bytes]:
    array, grid, step = nifti.read_times(path)
    return list(as_dicom.series(array, grid, as_dicom.modality_of(array), seed, step))


@pytest.mark.parametrize(("values", "modality"), [("whole", "CT"), ("fractions", "OT")])
@pytest.mark.parametrize("turn", [(1, 1, 1), (-1, 1, 1), (-1, -1, -1)])
def test_values_and_places_stay(
    tmp_path: Path, values: str, modality: str, turn: tuple[int, int, int]
) -> None:
    rng = np.random.default_rng(1)
    array = rng.integers(-1000, 1500, (5, 6, 7)).astype(np.int16)
    if values == "fractions":
        array = rng.normal(3, 1, (5, 6, 7)).astype(np.float32)
    affine = np.diag([*(np.array([1.25, 0.8, 3.0]) * turn), 1.0])
    affine[:3, 3] = (10.5, -20.25, 30)
    path = saved(tmp_path / "v.nii.gz", array, affine)
    volume = series.assemble(dicom.datasets(instances(path)))
    stored, grid = nifti.read(path)
    assert volume.modality == modality
    # A voxel of the file lies where it lay, whatever the order of slices.
    places = grid.positions(np.argwhere(np.ones(stored.shape)).astype(float))
    index = np.round(volume.grid.indices(places)).astype(int)
    moved = volume.array[tuple(index.T)]
    assert moved == pytest.approx(stored.ravel(), rel=1e-7)
    assert np.abs(volume.grid.positions(index.astype(float)) - places).max() < 1e-3


@pytest.mark.parametrize("kind", [np.int16, np.float32])
def test_times_of_four_dimensions_are_those_of_the_header(tmp_path: Path, kind: type) -> None:
    array = np.random.default_rng(0).integers(0, 90, (6, 6, 2, 12)) / np.array(1, kind)
    array = (array + (0.25 if kind is np.float32 else 0)).astype(kind)
    path = saved(tmp_path / "p.nii", array, np.diag([-2.0, -2.0, 5.0, 1.0]), 1.5)
    study = dicom_study.read(dicom.datasets(instances(path)))
    assert study.modality == "MR"
    assert study.times[0] == pytest.approx(1.5 * np.arange(12))
    assert study.array == pytest.approx(array.transpose(3, 2, 1, 0), rel=1e-6)


def test_a_series_is_of_its_file_and_of_its_patient(tmp_path: Path) -> None:
    path = saved(tmp_path / "v.nii", np.zeros((3, 3, 3, 2), np.int16), np.eye(4), 2.0)
    assert instances(path) == instances(path)
    uids = {
        one.SeriesInstanceUID
        for seed in ("pat-1", "pat-2")
        for one in dicom.datasets(instances(path, seed))
    }
    assert len(uids) == 2


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 900, (9, 9, 9)).astype(np.int16)
    data = saved(tmp_path / "v.nii", noise, np.eye(4)).read_bytes()
    nan = saved(tmp_path / "n.nii", np.full((3, 3, 3), np.nan, np.float32), np.eye(4))
    five = saved(tmp_path / "f.nii", np.zeros((3, 3, 3, 2, 2), np.int16), np.eye(4))
    cut, packed = tmp_path / "cut.nii", tmp_path / "packed.nii.gz"
    cut.write_bytes(data[:400])
    packed.write_bytes(gzip.compress(data)[:600])
    for bad in (cut, packed, nan, five):
        with pytest.raises(ImageProblem):
            instances(bad)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_a_sentence(tmp_path: Path, data: bytes) -> None:
    for ending, one in (
        (".nii", data),
        (".nii.gz", b"\x1f\x8b" + data),
        (".nii", data.ljust(344, b"\0") + b"n+1\0" + data),
    ):
        path = tmp_path / f"any{ending}"
        path.write_bytes(one)
        with pytest.raises(ImageProblem):
            instances(path)
