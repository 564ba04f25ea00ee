"""The application of the API's tests, and drafts in it."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient


@pytest.fixture
def differential(client: TestClient, case: dict[str, Any]) -> dict[str, Any]:
    job = client.post("/v1/differential-diagnoses", params={"wait": True}, json=case).json()
    found: dict[str, Any] = next(d for d in job["drafts"] if d["member"] == "知识库排序")
    return found


@pytest.fixture
def sections(client: TestClient, encounter: dict[str, Any]) -> list[dict[str, Any]]:
    job = client.post(
        "/v1/discharge-records", params={"wait": True}, json={"encounter": encounter}
    ).json()
    found: list[dict[str, Any]] = job["drafts"]
    return found
