"""``bedside segment``: structures as JSON, a mask on the image's grid, sentences for the rest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel
import nrrd
import numpy as np
import pytest
import typer
import vision_models
from imaging_samples import SHAPE, series, written
from typer.testing import CliRunner, Result

from assistant.imaging.problem import ImageProblem
from assistant.tasks.segmentation.command import segment
from serving.vision.description import FILE_NAME
from serving.vision.problem import VisionProblem

APP = typer.Typer()
APP.command()(segment)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BEDSIDE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return vision_models.write(tmp_path / "model", vision_models.kernels(), size=None)


def run(*words: object) -> Result:
    return CliRunner().invoke(APP, [str(one) for one in words])


def test_a_volume_of_two_thousand_slices(tmp_path: Path, model: Path) -> None:
    array = np.zeros((12, 12, 2000), np.uint8)
    array[3:9, 3:9, 900:1100] = np.random.default_rng(0).integers(100, 200, (6, 6, 200))
    nibabel.save(nibabel.Nifti1Image(array, np.eye(4)), tmp_path / "long.nii.gz")
    out = tmp_path / "mask.nii.gz"
    result = run(tmp_path / "long.nii.gz", "--model", model, "--out", out, "--json")
    assert result.exit_code == 0, result.output
    assert nibabel.load(out).shape == (12, 12, 2000)


def nifti(path: Path) -> np.ndarray:
    """A head 2 mm by 1 by 1, its axes to the left, to the front, to the head."""
    array = vision_models.head((20, 30, 24)) * 200
    nibabel.save(nibabel.Nifti1Image(array, np.diag([-2.0, 1, 1, 1])), path)
    return array


def test_structures_and_a_mask_on_the_same_grid(tmp_path: Path, model: Path) -> None:
    array = nifti(tmp_path / "t1.nii.gz")
    out = tmp_path / "mask.nii.gz"
    result = run(tmp_path / "t1.nii.gz", "--model", model, "--out", out, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert "科研用途" in found["notice"]
    # The network is given slices, rows, columns where its folder does not say otherwise.
    scores = vision_models.answer(
        vision_models.kernels(), ((array - array.min()) / np.ptp(array)).transpose(2, 1, 0)
    )
    wanted = scores.argmax(axis=0).transpose(2, 1, 0)
    mask = nibabel.load(out)
    best = np.sort(scores, axis=0)
    clear = (best[-1] - best[-2] > 1e-3).transpose(2, 1, 0) & (array > 0)
    made = np.asarray(mask.dataobj)
    assert np.allclose(mask.affine, np.diag([-2.0, 1, 1, 1]))
    assert np.array_equal(made[clear], wanted[clear])
    counts = np.bincount(made.ravel(), minlength=4)
    listed = {one["label"]: one for one in found["structures"]}
    assert {label for label in range(1, 4) if counts[label]} == set(listed)
    for label, one in listed.items():
        assert one["voxels"] == counts[label]
        assert one["volume_ml"] == pytest.approx(counts[label] * 2 / 1000)
    names = {1: "丘脑", 2: "脑干", 3: "壳核"}
    assert all(one["name_zh"] == names[label] for label, one in listed.items())
    assert all(one["code"] for one in listed.values())


def test_dicom_in_and_nrrd_out_with_names(tmp_path: Path, model: Path) -> None:
    folder = tmp_path / "ct"
    folder.mkdir()
    for number, one in enumerate(series()):
        (folder / f"{number}.dcm").write_bytes(written(one))
    out = tmp_path / "mask.nrrd"
    result = run(folder, "--model", model, "--out", out)
    assert result.exit_code == 0, result.output
    assert "ml" in result.output
    labels, header = nrrd.read(str(out))
    assert labels.shape == SHAPE[::-1]
    assert header["space"] == "left-posterior-superior"
    assert np.allclose(header["space directions"], np.diag([1.0, 1.0, 2.5]))
    first = int(header["Segment0_LabelValue"])
    assert header["Segment0_Name"] == ["", "Thalamus", "Brain-Stem", "Putamen"][first]
    assert (labels == first).any()


@pytest.mark.parametrize(
    ("words", "error", "said"),
    [
        (["--model", "nothing"], VisionProblem, "没有影像模型"),
        (["--model", "brain-tissue"], VisionProblem, "bedside model pull"),
        (["--out", "mask.png"], ImageProblem, "结尾"),
        (["--out", "nowhere/mask.nii.gz"], ImageProblem, "输出文件夹"),
    ],
)
def test_what_cannot_be_is_said_before_the_work(
    tmp_path: Path, words: list[str], error: type[Exception], said: str
) -> None:
    nifti(tmp_path / "t1.nii.gz")
    result = run(tmp_path / "t1.nii.gz", *words)
    assert isinstance(result.exception, error)
    assert said in str(result.exception)


def test_a_model_for_another_modality(tmp_path: Path, model: Path) -> None:
    (model / FILE_NAME).write_text("modality: MR\n")
    nifti(tmp_path / "t1.nii.gz")
    result = run(tmp_path / "t1.nii.gz", "--model", model, "--modality", "CT")
    assert isinstance(result.exception, ImageProblem)
    assert "MR" in str(result.exception)


def test_an_image_that_is_none(tmp_path: Path, model: Path) -> None:
    (tmp_path / "a.nii.gz").write_bytes(b"no image")
    result = run(tmp_path / "a.nii.gz", "--model", model)
    assert isinstance(result.exception, ImageProblem)
    result = run(tmp_path / "absent.nii.gz", "--model", model)
    assert isinstance(result.exception, ImageProblem)


@pytest.mark.shared
def test_the_tiny_brain_model_runs_on_its_folder_as_it_is(
    tmp_path: Path, shared_data: Path
) -> None:
    brain = shared_data / "imaging" / "brain_mri"
    result = run(
        brain / "t1_crop.nii.gz", "--model", brain / "model5_gw_ae", "--json", "--precision", "f32"
    )
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = {
        one["name"]: one["volume_ml"] for one in json.loads(result.stdout)["structures"]
    }
    # The other two networks have 487 and 552 ml; this one is small and says more.
    assert 450 < found["White Matter"] < 650
    assert 550 < found["Grey Matter"] < 850
