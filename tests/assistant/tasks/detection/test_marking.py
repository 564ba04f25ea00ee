"""``bedside detect --model`` and the task with a model: boxes, each cited."""

from __future__ import annotations

import json
from importlib.metadata import EntryPoint
from io import BytesIO
from pathlib import Path
from typing import Any

import detector_models
import numpy as np
import pytest
from imaging_samples import CENTRE, series, written
from PIL import Image
from starlette.testclient import TestClient
from typer import Typer
from typer.testing import CliRunner

from assistant.application import build_app
from assistant.imaging.problem import ImageProblem
from assistant.settings import Settings
from assistant.tasks.detection.command import detect
from assistant.work.registry import GROUP, Registry
from serving.vision.problem import VisionProblem
from serving.vision.store import VisionStore

PATIENT = {"X-Patient-Id": "pat-1", "X-Encounter-Id": "enc-1"}
POINT = EntryPoint("detection", "assistant.tasks.detection.task:NoduleDetection", GROUP)
APP = Typer()
APP.command()(detect)


def picture() -> bytes:
    image = np.zeros((100, 140), np.uint8)
    image[10:18, 20:28] = 255
    image[60:68, 90:98] = 245
    data = BytesIO()
    Image.fromarray(image).save(data, "PNG")
    return data.getvalue()


def run(*words: object) -> Any:
    return CliRunner().invoke(APP, [str(one) for one in words])


def test_the_command_gives_boxes_and_sentences(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEDSIDE_HOME", str(tmp_path / "home"))
    model = detector_models.write(tmp_path / "model")
    (tmp_path / "a.png").write_bytes(picture())
    result = run(tmp_path / "a.png", "--model", model, "--json")
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert "科研用途" in said["notice"]
    boxes = [[one[key] for key in ("x", "y", "width", "height")] for one in said["marks"]]
    assert boxes == [[20, 10, 8, 8], [90, 60, 8, 8]]
    assert said["marks"][0]["score"] == 1
    assert "方块 1" in said["report"]
    assert said["statements"][0]["evidence"][0]["box"]["low"] == [20, 10, 0]
    strict = run(tmp_path / "a.png", "--model", model, "--json", "--threshold", 0.99)
    assert len(json.loads(strict.stdout)["marks"]) == 1
    assert isinstance(run(tmp_path / "a.png", "--model", "none").exception, VisionProblem)
    chest = detector_models.write(tmp_path / "chest", modality="DX")
    problem = run(tmp_path / "a.png", "--model", chest, "--modality", "CT").exception
    assert isinstance(problem, ImageProblem)
    assert "DX" in str(problem)


@pytest.fixture
def client(settings: Settings, tmp_path: Path) -> Any:
    store = VisionStore(settings.home)
    how = {
        "intensity": {"kind": "range", "low": -100, "high": 100},
        "boxes": {"kind": "yolo", "score": 0.8, "overlap": 0.1},
    }
    store.add("squares", detector_models.write(tmp_path / "model", 32, **how))
    app = build_app(settings, with_ui=False, tasks=Registry.of([POINT]))
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as opened:
        yield opened


def ask(client: TestClient, kind: str, contents: list[bytes], **more: Any) -> Any:
    for one in contents:
        answer = client.post(
            "/v1/attachments", headers=PATIENT | {"Content-Type": kind}, content=one
        )
        assert answer.status_code == 201, answer.text
    body = {"patient_id": "pat-1", "encounter_id": "enc-1", "attachments": [answer.json()]}
    return client.post("/v1/detection", params={"wait": True}, json=body | more)


def test_marks_of_a_series_are_cited_with_a_picture(client: TestClient) -> None:
    files = [written(one) for one in series()]
    job = ask(client, "application/dicom", files, model="squares").json()
    assert job["status"] == "finished", job["message"]
    (draft,) = job["drafts"]
    assert draft["network"] == "squares"
    assert draft["detections"] == []
    slices = [one["slice"] for one in draft["marks"]]
    assert slices
    for one in draft["marks"]:
        assert one["x"] <= CENTRE[2] <= one["x"] + one["width"]
        assert abs(one["slice"] - CENTRE[0]) <= 2
    region = draft["report"][0]["evidence"][0]
    place = f"/v1/attachments/{region['picture']['attachment_id']}/content"
    shown = Image.open(BytesIO(client.get(place, headers=PATIENT).content))
    assert region["picture"]["x"] + region["picture"]["width"] <= shown.width


def test_marks_of_a_picture_are_boxes_on_it_and_bad_requests_are_said(client: TestClient) -> None:
    job = ask(client, "image/png", [picture()], model="squares").json()
    (draft,) = job["drafts"]
    boxes = [one["evidence"][0] for one in draft["report"]]
    assert {box["kind"] for box in boxes} == {"box"}
    assert [20, 10] in [[box["x"], box["y"]] for box in boxes]
    answer = ask(client, "image/png", [picture()], model="none")
    assert answer.status_code == 422
    assert "squares" in answer.text
    assert ask(client, "image/png", [picture()]).status_code == 422
