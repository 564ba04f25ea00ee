"""``bedside classify``: probabilities as JSON, a heat map as PNG, sentences for the rest."""

from __future__ import annotations

import json
from pathlib import Path

import classifier_models
import nibabel
import numpy as np
import pytest
import typer
import vision_models
from PIL import Image
from typer.testing import CliRunner, Result

from assistant.imaging.problem import ImageProblem
from assistant.tasks.classification.command import classify
from serving.vision.problem import VisionProblem

APP = typer.Typer()
APP.command()(classify)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEDSIDE_HOME", str(tmp_path / "home"))


def run(*words: object) -> Result:
    return CliRunner().invoke(APP, [str(one) for one in words])


def picture(path: Path) -> Path:
    """64 by 80 with a bright square, rows 16 to 27 and columns 50 to 64."""
    image = np.full((64, 80), 20, np.uint8)
    image[16:28, 50:65] = 230
    Image.fromarray(image).save(path)
    return path


def test_probabilities_and_where_they_rest(tmp_path: Path) -> None:
    model = classifier_models.write(tmp_path / "model", (32, 32), temperature=2.0)
    path = picture(tmp_path / "a.jpg")
    heat = tmp_path / "heat.png"
    result = run(path, "--model", model, "--heat", heat, "--json")
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert "科研用途" in said["notice"]
    first, second = said["classes"]
    assert first["name"] == "spot"
    score = first["score"]
    assert first["probability"] == pytest.approx(1 / (1 + np.exp(-score / 2)), abs=1e-3)
    assert first["probability"] + second["probability"] == pytest.approx(1, abs=1e-3)
    _, row, column = said["seen"]["peak"]
    assert 12 <= row <= 32
    assert 46 <= column <= 68
    assert "亮点" in said["report"]
    shown = np.asarray(Image.open(heat).convert("RGB"), int)
    factor = shown.shape[0] / 64
    coloured = shown[..., 0] - shown[..., 2]
    assert coloured[int(22 * factor), int(57 * factor)] > 40
    assert coloured[int(50 * factor), int(10 * factor)] < 20


def test_a_volume_and_one_slice_of_it(tmp_path: Path) -> None:
    array = np.zeros((30, 24, 12), np.float32)  # x, y, z
    array[20:26, 6:12, 7:10] = 255
    nibabel.save(nibabel.Nifti1Image(array, np.diag([1.0, 1, 2.5, 1])), tmp_path / "v.nii.gz")
    solid = classifier_models.write(
        tmp_path / "solid", (12, 24, 24), spacing=[2.5, 1, 1], orientation="SPL"
    )
    result = run(tmp_path / "v.nii.gz", "--model", solid, "--json", "--modality", "CT")
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert said["classes"][0]["name"] == "spot"
    slice_, row, column = said["seen"]["peak"]
    assert 5 <= slice_ <= 11
    assert 4 <= row <= 14
    assert 17 <= column <= 28
    flat = classifier_models.write(tmp_path / "flat", (24, 24))
    problem = run(tmp_path / "v.nii.gz", "--model", flat).exception
    assert isinstance(problem, ImageProblem)
    assert "12 层" in str(problem)
    one = run(tmp_path / "v.nii.gz", "--model", flat, "--slice", 9, "--json")
    assert json.loads(one.stdout)["seen"]["peak"][0] == 8
    other = run(tmp_path / "v.nii.gz", "--model", flat, "--slice", 2, "--json", "--no-heat")
    assert json.loads(other.stdout)["classes"][0]["name"] == "plain"


def test_colours_are_normalised_channel_by_channel(tmp_path: Path) -> None:
    model = classifier_models.write(
        tmp_path / "model", (16, 16), channels=3, mean=[0.5, 0, 0], deviation=[0.5, 1, 1]
    )
    colours = np.zeros((16, 16, 3), np.uint8)
    colours[..., 0] = 255
    Image.fromarray(colours).save(tmp_path / "red.png")
    said = json.loads(run(tmp_path / "red.png", "--model", model, "--json", "--no-heat").stdout)
    # The mean of (1, 0, 0) is 1/3, which is below a half.
    scores = {one["name"]: one["score"] for one in said["classes"]}
    assert scores["spot"] == pytest.approx(12 * (1 / 3 - 0.5), abs=1e-3)
    grey = run(picture(tmp_path / "g.png"), "--model", model, "--json", "--no-heat")
    assert grey.exit_code == 0


def test_sentences_for_what_cannot_be(tmp_path: Path) -> None:
    path = picture(tmp_path / "a.png")
    model = classifier_models.write(tmp_path / "model", modality="CT")
    assert "CT" in str(run(path, "--model", model, "--modality", "DX").exception)
    assert isinstance(run(path, "--model", "none").exception, VisionProblem)
    segmenter = vision_models.write(tmp_path / "s", vision_models.kernels(), size=None)
    assert "不用于分类" in str(run(path, "--model", segmenter).exception)
    assert ".png" in str(run(path, "--model", model, "--heat", tmp_path / "h.tif").exception)
    solid = classifier_models.write(tmp_path / "solid", (8, 16, 16))
    assert "完整序列" in str(run(path, "--model", solid).exception)
