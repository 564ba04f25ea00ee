"""The task through the API: an image uploaded, its class with the region it rests on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from io import BytesIO
from pathlib import Path
from typing import Any

import classifier_models
import numpy as np
import pytest
from imaging_samples import CENTRE, series, written
from PIL import Image
from starlette.testclient import TestClient

from assistant.application import build_app
from assistant.settings import Settings
from assistant.work.registry import GROUP, Registry
from serving.vision.store import VisionStore

PATIENT = {"X-Patient-Id": "pat-1", "X-Encounter-Id": "enc-1"}
POINT = EntryPoint("classification", "assistant.tasks.classification.task:Classification", GROUP)


@pytest.fixture
def client(settings: Settings, tmp_path: Path) -> Iterator[TestClient]:
    store = VisionStore(settings.home)
    how = {"intensity": {"kind": "range", "low": -50, "high": 150}}
    store.add("ball", classifier_models.write(tmp_path / "solid", (8, 20, 24), **how))
    store.add("spot", classifier_models.write(tmp_path / "flat", (32, 32)))
    app = build_app(settings, with_ui=False, tasks=Registry.of([POINT]))
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as opened:
        yield opened


def kept(client: TestClient, kind: str, *contents: bytes) -> Any:
    for one in contents:
        answer = client.post(
            "/v1/attachments", headers=PATIENT | {"Content-Type": kind}, content=one
        )
        assert answer.status_code == 201, answer.text
    return answer.json()


def ask(client: TestClient, attachment: Any, **more: Any) -> Any:
    body = {"patient_id": "pat-1", "encounter_id": "enc-1", "attachments": [attachment]}
    return client.post("/v1/classification", params={"wait": True}, json=body | more)


def test_a_series_has_a_class_and_the_report_cites_a_region(client: TestClient) -> None:
    scan = kept(client, "application/dicom", *(written(one) for one in series()))
    job = ask(client, scan, model="ball").json()
    assert job["status"] == "finished", job["message"]
    (draft,) = job["drafts"]
    assert "科研用途" in draft["notice"]
    assert draft["classes"][0]["name"] == "spot"
    assert len(draft["network_sha256"]) == 64
    statement = draft["report"][0]
    assert statement["status"] == "supported"
    assert "亮点" in statement["text"]
    region = statement["evidence"][0]
    low, high = region["box"]["low"], region["box"]["high"]
    middle = CENTRE[::-1]
    assert all(a - 4 <= m <= b + 4 for a, m, b in zip(low, middle, high, strict=True))
    place = f"/v1/attachments/{region['picture']['attachment_id']}/content"
    shown = np.asarray(Image.open(BytesIO(client.get(place, headers=PATIENT).content)))
    box = region["picture"]
    assert box["x"] + box["width"] <= shown.shape[1]
    assert box["y"] + box["height"] <= shown.shape[0]
    refused = client.post(
        f"/v1/drafts/{draft['id']}/fill-in", headers=PATIENT | {"X-Role": "doctor"}
    )
    assert refused.status_code >= 400


def test_a_picture_is_cited_by_a_box_on_itself(client: TestClient) -> None:
    image = np.full((60, 90), 10, np.uint8)
    image[30:45, 60:80] = 250
    data = BytesIO()
    Image.fromarray(image).save(data, "PNG")
    page = kept(client, "image/png", data.getvalue())
    (draft,) = ask(client, page, model="spot").json()["drafts"]
    box = draft["report"][0]["evidence"][0]
    assert box["attachment_id"] == page["id"]
    assert box["x"] <= 80
    assert box["x"] + box["width"] >= 60
    assert box["x"] + box["width"] <= 90
    assert box["y"] <= 45
    assert 60 >= box["y"] + box["height"] >= 30


def test_an_image_without_the_class_cites_nothing(client: TestClient) -> None:
    data = BytesIO()
    Image.fromarray(np.zeros((60, 90), np.uint8)).save(data, "PNG")
    page = kept(client, "image/png", data.getvalue())
    (draft,) = ask(client, page, model="spot").json()["drafts"]
    assert draft["classes"][0]["name"] == "plain"
    assert draft["seen"] is None
    assert draft["report"][0]["status"] == "unsupported"


def test_what_cannot_be_is_said(client: TestClient) -> None:
    scan = kept(client, "application/dicom", *(written(one) for one in series()))
    answer = ask(client, scan, model="none")
    assert answer.status_code == 422
    assert "ball、spot" in answer.text
    assert ask(client, scan, model="../x").status_code == 422
    job = ask(client, scan, model="spot").json()
    assert job["status"] == "failed"
    assert "8 层" in job["message"]
    chosen = ask(client, scan, model="spot", slice=4, heat_map=False).json()
    assert chosen["status"] == "finished", chosen["message"]
    assert "共 8 层" in ask(client, scan, model="spot", slice=40).json()["message"]


def test_the_task_and_its_command_are_quick_to_import() -> None:
    code = (
        "import sys, assistant.tasks.classification.task, assistant.tasks.classification.command\n"
        "print(sorted({'numpy','scipy','pydicom','openvino'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
