"""The task through the API: a series uploaded, structures with the slices they are seen on."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import vision_models
from imaging_samples import SHAPE, series, written
from PIL import Image
from starlette.testclient import TestClient

from assistant.application import build_app
from assistant.settings import Settings
from assistant.work.registry import GROUP, Registry
from serving.vision.store import VisionStore

PATIENT = {"X-Patient-Id": "pat-1", "X-Encounter-Id": "enc-1"}
POINT = EntryPoint("segmentation", "assistant.tasks.segmentation.task:Segmentation", GROUP)


@pytest.fixture
def client(settings: Settings, tmp_path: Path) -> Iterator[TestClient]:
    folder = vision_models.write(tmp_path / "model", vision_models.kernels(), size=None)
    VisionStore(settings.home).add("toy", folder)
    app = build_app(settings, with_ui=False, tasks=Registry.of([POINT]))
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as opened:
        yield opened


def ask(client: TestClient, **more: Any) -> Any:
    kind = {"Content-Type": "application/dicom"}
    for one in series():
        answer = client.post("/v1/attachments", headers=PATIENT | kind, content=written(one))
        assert answer.status_code == 201
    body = {
        "patient_id": "pat-1",
        "encounter_id": "enc-1",
        "attachments": [answer.json()],
        "model": "toy",
    }
    return client.post("/v1/segmentation", params={"wait": True}, json=body | more)


def test_structures_come_with_volumes_and_a_slice_each(client: TestClient) -> None:
    job = ask(client).json()
    assert job["status"] == "finished", job["message"]
    draft = job["drafts"][0]
    assert "科研用途" in draft["notice"]
    assert draft["network"] == "toy"
    assert len(draft["network_sha256"]) == 64
    assert sum(one["voxels"] for one in draft["structures"]) <= np.prod(SHAPE)
    assert draft["structures"]
    for one in draft["structures"]:
        assert one["volume_ml"] == pytest.approx(one["voxels"] * 2.5 / 1000)
        evidence = one["evidence"]
        assert evidence["segment"] == one["label"]
        low, high = evidence["box"]["low"], evidence["box"]["high"]
        assert low[2] <= evidence["picture"]["slice"] <= high[2]
        place = f"/v1/attachments/{evidence['picture']['attachment_id']}/content"
        shown = np.asarray(Image.open(BytesIO(client.get(place, headers=PATIENT).content)))
        assert (shown[..., :3].max(axis=2) > 0).any()


@pytest.mark.parametrize("model", ["../../etc", "/srv/model", "a b"])
def test_a_folder_is_no_model_of_a_request(client: TestClient, model: str) -> None:
    assert ask(client, model=model).status_code == 422


def test_a_model_that_there_is_not(client: TestClient) -> None:
    answer = ask(client, model="none")
    assert 400 <= answer.status_code < 500
    assert "没有这个影像模型" in answer.text
    job = ask(client, model="brain-tissue").json()
    assert job["status"] == "failed"
    assert "bedside model pull brain-tissue" in job["message"]


def test_nothing_of_it_is_filled_in(client: TestClient) -> None:
    job = ask(client).json()
    answer = client.post(
        f"/v1/drafts/{job['drafts'][0]['id']}/fill-in", headers=PATIENT | {"X-Role": "doctor"}
    )
    assert answer.status_code == 422
    assert "尚未开启回填" in answer.text
