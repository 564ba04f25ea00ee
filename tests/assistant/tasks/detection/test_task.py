"""The task through the API and the command: a simulated CT in, nodules with their pictures out."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from io import BytesIO
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from chest_samples import chest, slices
from PIL import Image
from starlette.testclient import TestClient
from typer import Typer
from typer.testing import CliRunner

from assistant.application import build_app
from assistant.settings import Settings
from assistant.tasks.detection.command import detect
from assistant.work.registry import GROUP, Registry

PATIENT = {"X-Patient-Id": "pat-1", "X-Encounter-Id": "enc-1"}
POINT = EntryPoint("detection", "assistant.tasks.detection.task:NoduleDetection", GROUP)
TWO = (("left", "solid", 12.0), ("right", "part_solid", 16.0))


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    app = build_app(settings, with_ui=False, tasks=Registry.of([POINT]))
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as opened:
        yield opened


def ask(client: TestClient, files: list[bytes], **more: Any) -> Any:
    for data in files:
        answer = client.post(
            "/v1/attachments", headers=PATIENT | {"Content-Type": "application/dicom"}, content=data
        )
        assert answer.status_code == 201, answer.text
    body = {"patient_id": "pat-1", "encounter_id": "enc-1", "attachments": [answer.json()]}
    return client.post("/v1/detection", params={"wait": True}, json=body | more)


def test_nodules_come_with_a_report_that_cites_them(client: TestClient) -> None:
    volume, truth = chest(*TWO)
    job = ask(client, slices(volume)).json()
    assert job["status"] == "finished", job["message"]
    (draft,) = job["drafts"]
    assert "科研用途" in draft["notice"]
    places = [volume.grid.positions(np.array([one.index]))[0] for one in truth]
    centres = np.array([one["centre_mm"] for one in draft["detections"]])
    for place in places:
        assert np.linalg.norm(centres - place, axis=1).min() < 4
    assert len(draft["report"]) == len(draft["detections"]) + 1
    region = draft["report"][0]["evidence"][0]
    picture = region["picture"]
    answer = client.get(f"/v1/attachments/{picture['attachment_id']}/content", headers=PATIENT)
    shown = np.asarray(Image.open(BytesIO(answer.content)), int)
    coloured = np.abs(shown[..., 0] - shown[..., 2]) > 60
    rows, columns = np.nonzero(coloured)
    assert picture["x"] - 2 <= columns.min()
    assert columns.max() <= picture["x"] + picture["width"] + 2
    assert picture["y"] - 2 <= rows.min()
    refused = client.post(
        f"/v1/drafts/{draft['id']}/fill-in", headers=PATIENT | {"X-Role": "doctor"}
    )
    assert refused.status_code >= 400


def test_another_modality_is_refused_and_no_lungs_are_the_message_of_the_job(
    client: TestClient,
) -> None:
    volume, _ = chest(*TWO)
    water = volume.with_array(np.zeros(volume.grid.shape, np.float32))
    job = ask(client, slices(water)[:12]).json()
    assert job["status"] == "failed"
    assert "没有肺" in job["message"]
    series = {
        "kind": "dicom_series", "id": "a1", "study_uid": "1.2", "series_uid": "1.2.3",
        "modality": "MR", "sha256": "0" * 64, "instances": 3,
    }  # fmt: skip
    answer = client.post("/v1/detection", json={"patient_id": "pat-1", "attachments": [series]})
    assert answer.status_code == 422
    assert "CT" in answer.text


def test_the_command_prints_json_and_sentences(tmp_path: Path) -> None:
    volume, truth = chest(*TWO)
    step = np.diag([-1.0, -1.0, 1.0])  # DICOM's axes to NIfTI's
    grid = volume.grid
    affine = np.eye(4)
    affine[:3, :3] = step @ grid.step[:, ::-1]
    affine[:3, 3] = step @ grid.origin
    path = tmp_path / "ct.nii.gz"
    nibabel.save(
        nibabel.Nifti1Image(volume.array.transpose(2, 1, 0).astype(np.int16), affine), path
    )
    app = Typer()
    app.command()(detect)
    result = CliRunner().invoke(app, [str(path), "--json"])
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert "科研用途" in answer["notice"]
    wanted = {"label", "score", "box_mm", "diameter_mm", "side", "density"}
    assert wanted <= set(answer["detections"][0])
    centres = np.array([one["centre_mm"] for one in answer["detections"]])
    for one in truth:
        place = grid.positions(np.array([one.index]))[0]
        assert np.linalg.norm(centres - place, axis=1).min() < 4
    plain = CliRunner().invoke(app, [str(path)])
    assert "结节 1：" in plain.stdout
    assert answer["report"].splitlines() == plain.stdout.splitlines()


def test_the_task_and_its_command_are_quick_to_import() -> None:
    code = (
        "import sys, assistant.tasks.detection.task, assistant.tasks.detection.command\n"
        "print(sorted({'numpy','scipy','pydicom','skimage','lightgbm'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
