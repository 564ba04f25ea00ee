"""``bedside model`` for image models: add, inspect, list, verify, remove, pull."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import vision_models
from typer.testing import CliRunner, Result

from assistant.commands.model import app
from serving.vision.problem import VisionProblem


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BEDSIDE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "160")
    return tmp_path / "home"


def model(*words: object) -> Result:
    return CliRunner().invoke(app, [str(one) for one in words])


def test_a_model_of_ones_own_from_its_folder_to_its_end(tmp_path: Path, home: Path) -> None:
    folder = vision_models.write(tmp_path / "given", vision_models.kernels())
    shown = json.loads(model("inspect", folder, "--json").stdout)
    assert (shown["kind"], shown["origin"], shown["runs"]) == ("vision", "tfjs", "layer by layer")
    # Dilations of 1, 2 and 1 look four voxels to either side.
    assert shown["receptive_field"] == [9, 9, 9]
    assert [one["name"] for one in shown["classes"]][1] == "Thalamus"
    added = model("add-vision", "toy", "--folder", folder)
    assert added.exit_code == 0, added.output
    assert "bedside segment" in added.output
    assert model("verify", "toy").exit_code == 0
    assert "toy" in model("list").output
    (home / "vision" / "toy" / "model.bin").write_bytes(b"")
    broken = model("verify", "toy")
    assert broken.exit_code == 1
    assert "model.bin" in broken.output
    assert model("remove", "toy").exit_code == 0
    assert not (home / "vision" / "toy").exists()


def test_a_folder_that_does_not_fit_is_not_added(tmp_path: Path, home: Path) -> None:
    folder = vision_models.write(tmp_path / "given", vision_models.kernels())
    (folder / "vision.yaml").write_text("classes: [{name: background}, {name: liver}]\n")
    refused = model("add-vision", "toy", "--folder", folder)
    assert isinstance(refused.exception, VisionProblem)
    assert "2 个类别" in str(refused.exception)
    assert not (home / "vision" / "toy").exists()


@pytest.mark.shared
def test_the_catalogue_is_pulled_without_a_network(
    shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEDSIDE_MODEL_MIRROR", str(shared_data / "imaging" / "brain_mri"))
    pulled = model("pull", "brain-tissue-tiny")
    assert pulled.exit_code == 0, pulled.output
    assert model("verify", "brain-tissue-tiny").exit_code == 0
