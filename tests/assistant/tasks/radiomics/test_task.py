"""The task through the API: a series and a region uploaded, features with their picture read."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from imaging_samples import ball, segmentation, series, square, structure_set, written
from PIL import Image
from starlette.testclient import TestClient

from assistant.application import build_app
from assistant.settings import Settings
from assistant.work.registry import GROUP, Registry

PATIENT = {"X-Patient-Id": "pat-1", "X-Encounter-Id": "enc-1"}
POINT = EntryPoint("radiomics", "assistant.tasks.radiomics.task:Radiomics", GROUP)


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    app = build_app(settings, with_ui=False, tasks=Registry.of([POINT]))
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as opened:
        yield opened


def upload(client: TestClient, data: bytes) -> Any:
    kind = {"Content-Type": "application/dicom"}
    answer = client.post("/v1/attachments", headers=PATIENT | kind, content=data)
    assert answer.status_code == 201
    return answer.json()


def ask(client: TestClient, region: bytes, leave_out: int = 0, **more: Any) -> Any:
    for one in series()[leave_out:]:
        image = upload(client, written(one))
    body = {
        "patient_id": "pat-1",
        "encounter_id": "enc-1",
        "attachments": [image, upload(client, region)],
        "settings": {"bins": {"width": 25, "start": "minimum"}},
    }
    return client.post("/v1/radiomics", params={"wait": True}, json=body | more)


def test_features_come_with_settings_codes_and_the_picture_of_the_region(
    client: TestClient,
) -> None:
    job = ask(client, written(segmentation(ball()))).json()
    assert job["status"] == "finished", job["message"]
    by_tag = {one["tag"]: one for one in job["features"]}
    mean = by_tag["stat_mean"]
    assert (mean["code"], mean["unit"]) == ("Q4LE", "HU")
    assert 110 < mean["value"] < 130
    assert by_tag["morph_vol_approx"]["value"] == pytest.approx(ball().sum() * 2.5)
    assert by_tag["cm_contrast_3D_comb"]["aggregation_code"] == "IAZD"
    draft = job["drafts"][0]
    assert "科研用途" in draft["notice"]
    assert draft["settings"]["bins"]["width"] == 25
    assert draft["region"] == {
        "name": "lesion",
        "voxels": int(ball().sum()),
        "millilitres": pytest.approx(ball().sum() * 2.5 / 1000),
    }
    picture = draft["evidence"]["picture"]
    place = f"/v1/attachments/{picture['attachment_id']}/content"
    shown = np.asarray(Image.open(BytesIO(client.get(place, headers=PATIENT).content)), int)
    inside = shown[
        picture["y"] : picture["y"] + picture["height"],
        picture["x"] : picture["x"] + picture["width"],
    ]
    coloured = np.abs(shown[..., 0] - shown[..., 2]) > 30
    assert coloured.any()
    assert coloured.sum() == (np.abs(inside[..., 0] - inside[..., 2]) > 30).sum()
    low, high = draft["evidence"]["box"]["low"], draft["evidence"]["box"]["high"]
    places = np.argwhere(ball())
    assert (low[::-1], high[::-1]) == (list(places.min(0)), list(places.max(0)))


def test_a_draft_is_filled_in_only_while_an_administrator_allows_it(client: TestClient) -> None:
    job = ask(client, written(segmentation(ball()))).json()
    place = f"/v1/drafts/{job['drafts'][0]['id']}"
    doctor = PATIENT | {"X-Role": "doctor"}
    refused = client.post(f"{place}/fill-in", headers=doctor)
    assert refused.status_code in (409, 422)
    assert "imaging-release" in refused.text
    signed = client.post(f"{place}/signature", headers=doctor, json={"text": "x"})
    assert signed.status_code in (409, 422)
    switches = client.app.state.services.store.releases  # type: ignore[attr-defined]
    switches.switch("radiomics", True, by="王主任", reason="伦理2026-03")
    (shown,) = client.get("/v1/imaging-releases").json()
    assert (shown["kind"], shown["is_on"], shown["switched_by"]) == ("radiomics", True, "王主任")
    filled = client.post(f"{place}/fill-in", headers=doctor).json()
    assert filled["text"].startswith("科研用途")
    assert "stat_mean" in filled["text"]
    assert "王主任" in filled["notice"]
    switches.switch("radiomics", False, by="王主任", reason="复核")
    assert client.post(f"{place}/fill-in", headers=doctor).status_code in (409, 422)


def test_what_is_wrong_with_the_images_is_the_message_of_the_job(client: TestClient) -> None:
    missing = ask(client, written(segmentation(ball())), leave_out=1).json()
    assert missing["status"] == "failed"
    assert "缺层" in missing["message"]
    two = structure_set({"GTV": [square(2, 3.5, 9.5)], "肺": [square(2, 3.5, 5.5)]})
    unnamed = client.post("/v1/radiomics", json={})
    assert unnamed.status_code == 422
    several = ask(client, written(two)).json()
    assert "GTV、肺" in several["message"]


def test_a_request_without_a_region_or_with_unknown_settings_is_refused(
    client: TestClient,
) -> None:
    for one in series():
        image = upload(client, written(one))
    region = upload(client, written(segmentation(ball())))
    body = {"patient_id": "pat-1", "encounter_id": "enc-1"}
    two_images = body | {"attachments": [image, image]}
    assert client.post("/v1/radiomics", json=two_images).status_code == 422
    unknown = body | {"attachments": [image, region], "settings": "/etc/passwd"}
    answer = client.post("/v1/radiomics", json=unknown)
    assert answer.status_code == 422
    assert "没有这个设置" in answer.text


def test_perturbations_give_an_icc_of_each_feature(client: TestClient) -> None:
    job = ask(client, written(segmentation(ball())), reproducibility=True).json()
    found = {one["tag"]: one["icc"] for one in job["features"]}
    assert all(value is None or -1 <= value <= 1 for value in found.values())
    # Parts of different size stay of different size, however they are drawn.
    assert found["morph_volume"] > 0.5
    assert sum(value is not None for value in found.values()) > 150
