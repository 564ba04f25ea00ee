"""`bedside model calibrate-vision`: a temperature is written where it helps, and only there."""

from __future__ import annotations

import json
from pathlib import Path

import classifier_models
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from assistant.commands.model import app
from assistant.imaging.problem import ImageProblem
from serving.vision.description import FILE_NAME, read
from serving.vision.problem import VisionProblem
from serving.vision.store import VisionStore


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BEDSIDE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def images(folder: Path, steepness: float, count: int = 60) -> Path:
    """Spots whose class was drawn with the probability of their brightness."""
    rng = np.random.default_rng(4)
    for number in range(count):
        brightness = rng.uniform(0.2, 0.8)
        spot = rng.uniform() < 1 / (1 + np.exp(-steepness * (brightness - 0.5)))
        place = folder / ("spot" if spot else "plain")
        place.mkdir(parents=True, exist_ok=True)
        image = np.zeros((16, 16), np.uint8)
        image[4:8, 9:13] = round(brightness * 255)
        Image.fromarray(image).save(place / f"{number}.png")
    return folder


def test_a_registered_model_gets_a_temperature(tmp_path: Path, home: Path) -> None:
    store = VisionStore(home)
    store.add("spot", classifier_models.write(tmp_path / "model", steepness=40.0))
    folder = images(tmp_path / "images", 8.0)
    result = CliRunner().invoke(
        app, ["calibrate-vision", "spot", "--images", str(folder), "--json"]
    )
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert said["images"] == 60
    assert said["written"]
    assert said["after"] < said["before"]
    # The file that was changed is still one of the model's own.
    assert store.open("spot").description.temperature == said["temperature"] > 2


def test_what_is_wrong_with_a_folder_is_said(tmp_path: Path) -> None:
    model = classifier_models.write(tmp_path / "model")
    before = (model / FILE_NAME).read_text("utf-8")

    def run(folder: Path) -> BaseException | None:
        words = ["calibrate-vision", str(model), "--images", str(folder)]
        return CliRunner().invoke(app, words).exception

    (tmp_path / "a" / "shadow").mkdir(parents=True)
    problem = run(tmp_path / "a")
    assert isinstance(problem, ImageProblem)
    assert "plain、spot" in str(problem)
    assert isinstance(run(tmp_path / "absent"), ImageProblem)
    few = run(images(tmp_path / "few", 8.0, 6))
    assert isinstance(few, VisionProblem)
    broken = images(tmp_path / "broken", 8.0, 4) / "spot" / "x.png"
    broken.parent.mkdir(exist_ok=True)
    broken.write_bytes(b"no image")
    assert "图像：" in str(run(tmp_path / "broken"))
    assert (model / FILE_NAME).read_text("utf-8") == before
    assert read(model / FILE_NAME).temperature == 1
