"""The task through the API: a study uploaded, its report with evidence and pictures read."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint
from io import BytesIO
from typing import Any

import pytest
from imaging_samples import written
from perfusion_samples import instances, phantom
from PIL import Image
from starlette.testclient import TestClient

from assistant.application import build_app
from assistant.settings import Settings
from assistant.work.registry import GROUP, Registry
from eval.clinical.perfusion.phantom import Phantom

PATIENT = {"X-Patient-Id": "pat-1", "X-Encounter-Id": "enc-1"}
POINT = EntryPoint("perfusion", "assistant.tasks.perfusion.task:Perfusion", GROUP)


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    app = build_app(settings, with_ui=False, tasks=Registry.of([POINT]))
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as opened:
        yield opened


def upload(client: TestClient, made: Phantom, leave_out: int = 0) -> Any:
    kind = {"Content-Type": "application/dicom"}
    for one in instances(made)[leave_out:]:
        answer = client.post("/v1/attachments", headers=PATIENT | kind, content=written(one))
        assert answer.status_code == 201
    return answer.json()


def ask(client: TestClient, series: Any, **more: Any) -> Any:
    body = {"patient_id": "pat-1", "encounter_id": "enc-1", "attachments": [series]}
    return client.post("/v1/perfusion", params={"wait": True}, json=body | more)


def small() -> Phantom:
    """Few instances: each is a request."""
    return phantom(shape=(1, 64, 64), spacing=(5.0, 3.3, 3.3), times=30, step=1.5)


def test_a_study_gives_a_report_with_evidence_and_pictures(client: TestClient) -> None:
    series = upload(client, small())
    job = ask(client, series).json()
    assert job["status"] == "finished", job["message"]
    draft = job["drafts"][0]
    assert draft["research_only"] is True
    assert "科研用途" in draft["report"]
    assert draft["findings"]["affected_side"] == "left"
    shown = draft["statements"][0]["evidence"][0]
    assert shown["series_id"] == series["id"]
    assert shown["picture"]["attachment_id"] in draft["pictures"].values()
    place = f"/v1/attachments/{draft['pictures']['tmax']}/content"
    picture = Image.open(BytesIO(client.get(place, headers=PATIENT).content))
    box = shown["picture"]
    assert box["x"] + box["width"] <= picture.width
    refused = client.post(
        f"/v1/drafts/{draft['id']}/fill-in", headers=PATIENT | {"X-Role": "doctor"}
    )
    assert refused.status_code >= 400


def test_what_is_wrong_is_the_message_of_the_job(client: TestClient) -> None:
    made = phantom(shape=(2, 32, 32), spacing=(5.0, 6.6, 6.6), times=12)
    job = ask(client, upload(client, made, leave_out=1)).json()
    assert job["status"] == "failed"
    assert "时相数不一致" in job["message"]
    series = ask(client, {"kind": "dicom_series"})
    assert series.status_code == 422


def test_other_modalities_are_refused(client: TestClient) -> None:
    made = phantom(shape=(1, 32, 32), spacing=(5.0, 6.6, 6.6), times=12)
    series = upload(client, made, leave_out=11)
    answer = ask(client, series | {"modality": "PT"})
    assert answer.status_code == 422
    assert "CT 或 MR" in answer.text
