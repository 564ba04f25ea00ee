"""NIfTI as DICOM: the same values at the same places."""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.imaging import as_series, dicom, nifti, series
from assistant.imaging.problem import ImageProblem
from assistant.tasks.perfusion import dicom_study


def written(path: Path, array: np.ndarray, affine: np.ndarray, step: float = 0.0) -> Path:
    image = nibabel.Nifti1Image(array, affine)
    if step:
        image.header.set_zooms((*image.header.get_zooms()[:3], step))
        image.header.set_xyzt_units("mm", "sec")
    nibabel.save(image, path)
    return path


@pytest.mark.parametrize(("values", "modality"), [("whole", "CT"), ("fractions", "MR")])
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
    path = written(tmp_path / "v.nii.gz", array, affine)
    assert as_series.is_nifti(path.read_bytes())
    volume = series.assemble(dicom.datasets(as_series.instances(path.read_bytes())))
    stored, grid = nifti.read(path)
    assert volume.modality == modality
    # A voxel of the file lies where it lay, whatever the order of slices.
    places = grid.positions(np.argwhere(np.ones(stored.shape)).astype(float))
    index = np.round(volume.grid.indices(places)).astype(int)
    moved = volume.array[tuple(index.T)]
    assert moved == pytest.approx(stored.ravel(), abs=1e-3 * float(np.ptp(stored)) / 20)
    assert np.abs(volume.grid.positions(index.astype(float)) - places).max() < 1e-3


def test_times_of_four_dimensions_are_those_of_the_header(tmp_path: Path) -> None:
    array = np.random.default_rng(0).integers(0, 90, (6, 6, 2, 12)).astype(np.int16)
    path = written(tmp_path / "p.nii", array, np.diag([-2.0, -2.0, 5.0, 1.0]), 1.5)
    study = dicom_study.read(dicom.datasets(as_series.instances(path.read_bytes())))
    assert study.times[0] == pytest.approx(1.5 * np.arange(12))
    assert np.array_equal(study.array, array.transpose(3, 2, 1, 0))


def test_the_same_file_is_the_same_series(tmp_path: Path) -> None:
    data = written(tmp_path / "v.nii", np.zeros((3, 3, 3), np.int16), np.eye(4)).read_bytes()
    assert list(as_series.instances(data)) == list(as_series.instances(data))


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 900, (9, 9, 9)).astype(np.int16)
    data = written(tmp_path / "v.nii", noise, np.eye(4)).read_bytes()
    nan = written(tmp_path / "n.nii", np.full((3, 3, 3), np.nan, np.float32), np.eye(4))
    flat = written(tmp_path / "f.nii", np.zeros((3, 3, 3, 2, 2), np.int16), np.eye(4))
    for bad in (data[:400], gzip.compress(data)[:600], nan.read_bytes(), flat.read_bytes()):
        with pytest.raises(ImageProblem):
            list(as_series.instances(bad))


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_none_or_a_sentence(data: bytes) -> None:
    for one in (data, b"\x1f\x8b" + data, data.ljust(344, b"\0") + b"n+1\0" + data):
        if as_series.is_nifti(one):
            with pytest.raises(ImageProblem):
                list(as_series.instances(one))
