"""What 使用情况 counts."""

from __future__ import annotations

import csv
import io
from typing import Any

from starlette.testclient import TestClient

from assistant.api.adoption import as_csv
from assistant.store.adoption import Adoption, AdoptionRow

HEADERS = {"X-Actor-Id": "doc-1", "X-Actor-Role": "doctor"}


def used(client: TestClient, case: dict[str, Any], patient: str, *, fill: bool) -> None:
    stay = f"enc-{patient}"
    body = case | {"patient": case["patient"] | {"id": patient}, "encounter_id": stay}
    place = "/v1/differential-diagnoses"
    made = client.post(place, params={"wait": True}, json=body, headers=HEADERS).json()
    if not fill:
        return
    own = HEADERS | {"X-Patient-Id": patient, "X-Encounter-Id": stay}
    draft = made["drafts"][0]
    name = f"/v1/drafts/{draft['id']}"
    edit = {"statement_id": draft["diagnoses"][0]["name_statement"]["id"], "action": "edited"}
    opened = client.post(f"{name}/resolutions", json=edit | {"text": "肺炎"}, headers=own)
    for statement in opened.json()["open"]:
        gone = {"statement_id": statement["id"], "action": "deleted"}
        client.post(f"{name}/resolutions", json=gone, headers=own)
    assert client.post(f"{name}/fill-in", headers=own).status_code == 200
    client.post("/v1/feedback", json={"draft_id": draft["id"], "verdict": "like"}, headers=own)
    client.post("/v1/feedback", json={"draft_id": draft["id"], "verdict": "error"}, headers=own)


def test_nothing_has_no_rate(client: TestClient) -> None:
    told = client.get("/v1/adoption").json()
    assert (told["rate"], told["eligible"]) == (None, 0)


def test_the_rate_is_the_share_of_stays_that_used_it(
    client: TestClient, case: dict[str, Any], encounter: dict[str, Any]
) -> None:
    used(client, case, "p1", fill=True)
    used(client, case, "p2", fill=False)
    event = {"id": "e1", "type": "result.final", "encounter": encounter}
    assert client.post("/v1/events", json=event, headers=HEADERS).status_code == 202
    told = client.get("/v1/adoption").json()
    assert (told["eligible"], told["used"]) == (3, 1)
    assert told["rate"] == 1 / 3
    total = {
        name: sum(row[name] for row in told["drafts"])
        for name in ("drafts", "filled_in", "edited", "liked", "reported", "disliked")
    }
    assert total["drafts"] >= 6, "two requests of three members"
    assert total | {"drafts": 0} == {
        "drafts": 0, "filled_in": 1, "edited": 1, "liked": 1, "reported": 1, "disliked": 0,
    }  # fmt: skip
    text = client.get("/v1/adoption").text
    assert "p1" not in text
    assert "肺炎" not in text
    other = client.get("/v1/adoption", params={"task": "discharge_record"}).json()
    assert other["used"] == 0
    before = client.get("/v1/adoption", params={"to": "2001-01-01"}).json()
    assert before["eligible"] == 0
    wrong = client.get("/v1/adoption", params={"from": "2026-02-01", "to": "2026-01-01"})
    assert wrong.status_code == 422


def test_a_department_is_told_where_the_record_says_it(
    client: TestClient, encounter: dict[str, Any]
) -> None:
    posted = client.post("/v1/discharge-records", json={"encounter": encounter}, headers=HEADERS)
    assert posted.status_code == 202, posted.text
    (stay,) = client.get("/v1/adoption").json()["stays"]
    assert stay["department"] == encounter["department"]


def test_the_export_is_no_formula(client: TestClient) -> None:
    rows = [AdoptionRow("2026-03", "=cmd()", "t", "m", drafts=2)]
    read = list(csv.reader(io.StringIO(as_csv(Adoption(drafts=rows)).lstrip("\ufeff"))))
    assert read[0][:5] == ["month", "department", "task", "model", "drafts"]
    assert read[1][1] == "'=cmd()"
    told = client.get("/v1/adoption/export.csv")
    assert told.headers["content-type"] == "text/csv; charset=utf-8"
