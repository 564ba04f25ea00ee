"""Resolve, fill in, sign, feedback: what a doctor does with a draft."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

DDX = "/v1/differential-diagnoses"
PATIENT = {"X-Patient-Id": "pat-1", "X-Encounter-Id": "enc-1"}


@pytest.fixture
def drafts(client: TestClient, case: dict[str, Any]) -> dict[str, dict[str, Any]]:
    job = client.post(DDX, params={"wait": True}, json=case).json()
    return {d["member"]: d for d in job["drafts"]}


def unsupported(draft: dict[str, Any]) -> list[str]:
    keys = ("supporting", "opposing", "ask", "tests", "red_flags")
    statements = [
        s
        for entry in (*draft["critical"], *draft["diagnoses"])
        for s in (entry["name_statement"], *(s for key in keys for s in entry[key]))
    ]
    return list(dict.fromkeys(s["id"] for s in statements if s["status"] == "unsupported"))


def names(draft: dict[str, Any]) -> list[str]:
    return [entry["name_statement"]["id"] for entry in draft["diagnoses"]]


def resolve(client: TestClient, draft: str, **body: Any) -> Any:
    return client.post(f"/v1/drafts/{draft}/resolutions", headers=PATIENT, json=body)


def test_fill_in_is_refused_until_every_unsupported_statement_is_dealt_with(
    client: TestClient, drafts: dict[str, dict[str, Any]]
) -> None:
    draft = drafts["甲"]
    open_ids = unsupported(draft)
    assert open_ids, "the echo engine's filler has no evidence"
    refused = client.post(f"/v1/drafts/{draft['id']}/fill-in", headers=PATIENT)
    assert refused.status_code == 409
    assert "依据" in refused.json()["detail"]
    for number, statement in enumerate(open_ids):
        action = "deleted" if number % 2 else "confirmed"
        assert statement not in names(draft) or action == "confirmed"
        left = resolve(client, draft["id"], statement_id=statement, action=action).json()["open"]
        assert len(left) == len(open_ids) - number - 1
    filled = client.post(f"/v1/drafts/{draft['id']}/fill-in", headers=PATIENT)
    assert filled.status_code == 200
    body = filled.json()
    for heading in ("首次病程记录", "病例特点", "诊断依据", "鉴别诊断", "诊疗计划"):
        assert heading in body["text"]
    assert set(body["fields"]) >= {"case_features", "diagnostic_basis", "plan"}
    assert "草稿" in body["notice"]


def test_restored_statements_are_open_again(
    client: TestClient, drafts: dict[str, dict[str, Any]]
) -> None:
    draft = drafts["甲"]
    first = unsupported(draft)[0]
    resolve(client, draft["id"], statement_id=first, action="deleted")
    left = resolve(client, draft["id"], statement_id=first, action="restored").json()["open"]
    assert first in [s["id"] for s in left]


def test_the_baselines_note_keeps_negatives_negative(
    client: TestClient, drafts: dict[str, dict[str, Any]]
) -> None:
    draft = drafts["知识库排序"]
    for statement in unsupported(draft):
        resolve(client, draft["id"], statement_id=statement, action="deleted")
    text = client.post(f"/v1/drafts/{draft['id']}/fill-in", headers=PATIENT).json()["text"]
    positive = next(line for line in text.splitlines() if "阳性表现：" in line)
    negative = next(line for line in text.splitlines() if "阴性表现：" in line)
    assert "发热" in positive
    assert "胸痛" not in positive
    assert "胸痛" in negative


def test_an_edit_takes_the_place_of_the_statement(
    client: TestClient, drafts: dict[str, dict[str, Any]]
) -> None:
    draft = drafts["甲"]
    basis = draft["diagnoses"][0]["supporting"][0]["id"]
    edits = {basis: "医师改写的依据", names(draft)[0]: "医师改写的诊断"}
    for statement, text in edits.items():
        resolve(client, draft["id"], statement_id=statement, action="edited", text=text)
    for statement in set(unsupported(draft)) - set(edits):
        resolve(client, draft["id"], statement_id=statement, action="deleted")
    body = client.post(f"/v1/drafts/{draft['id']}/fill-in", headers=PATIENT).json()
    assert "医师改写的依据" in body["text"]
    assert body["fields"]["preliminary_diagnosis"] == "医师改写的诊断"
    assert draft["diagnoses"][0]["name"] not in body["text"]


def test_without_a_diagnosis_left_nothing_is_filled_in_or_accepted(
    client: TestClient, drafts: dict[str, dict[str, Any]]
) -> None:
    draft = drafts["甲"]
    for statement in names(draft):
        left = resolve(client, draft["id"], statement_id=statement, action="deleted").json()
    assert left["open"] == [], "with the name all that was said of it is gone"
    refused = client.post(f"/v1/drafts/{draft['id']}/fill-in", headers=PATIENT)
    assert refused.status_code == 409
    assert "没有可以回填的内容" in refused.json()["detail"]
    kept = client.get(f"/v1/drafts/{draft['id']}", headers=PATIENT).json()
    assert kept["accepted_at"] is None


def test_a_name_that_the_doctor_restores_is_open_again_with_its_statements(
    client: TestClient, drafts: dict[str, dict[str, Any]]
) -> None:
    draft = drafts["甲"]
    name = names(draft)[0]
    resolve(client, draft["id"], statement_id=name, action="deleted")
    left = resolve(client, draft["id"], statement_id=name, action="restored").json()["open"]
    assert {s["id"] for s in left} == set(unsupported(draft))


def test_unknown_statements_and_drafts_are_refused(
    client: TestClient, drafts: dict[str, dict[str, Any]]
) -> None:
    draft = drafts["甲"]["id"]
    assert resolve(client, draft, statement_id="nope", action="deleted").status_code == 422
    assert resolve(client, "nope", statement_id="x", action="deleted").status_code == 404
    assert resolve(client, draft, statement_id="x", action="melted").status_code == 422


def test_the_signed_text_gives_edit_distance_and_time(
    client: TestClient, drafts: dict[str, dict[str, Any]]
) -> None:
    draft = drafts["知识库排序"]
    for statement in unsupported(draft):
        resolve(client, draft["id"], statement_id=statement, action="deleted")
    text = client.post(f"/v1/drafts/{draft['id']}/fill-in", headers=PATIENT).json()["text"]
    path = f"/v1/drafts/{draft['id']}/signature"
    signed = client.post(path, headers=PATIENT, json={"text": text + "补"}).json()
    assert signed["edit_distance"] == 1
    assert signed["seconds_to_acceptance"] >= 0
    again = client.post(path, headers=PATIENT, json={"text": "另一份"})
    assert again.status_code == 409


def test_a_changed_record_makes_older_drafts_stale(
    client: TestClient, case: dict[str, Any], drafts: dict[str, dict[str, Any]]
) -> None:
    client.post(DDX, params={"wait": True}, json=case | {"tests": "白细胞13.2×10^9/L"})
    old = client.get(f"/v1/drafts/{drafts['甲']['id']}", headers=PATIENT).json()
    assert old["stale"] is True
    path = f"/v1/drafts/{drafts['知识库排序']['id']}"
    for statement in unsupported(drafts["知识库排序"]):
        resolve(client, drafts["知识库排序"]["id"], statement_id=statement, action="deleted")
    filled = client.post(f"{path}/fill-in", headers=PATIENT).json()
    assert filled["stale"] is True
    assert "已有改动" in filled["notice"]
    assert "草稿" in filled["notice"]


def test_a_current_draft_is_not_called_stale(
    client: TestClient, drafts: dict[str, dict[str, Any]]
) -> None:
    draft = drafts["知识库排序"]
    for statement in unsupported(draft):
        resolve(client, draft["id"], statement_id=statement, action="deleted")
    filled = client.post(f"/v1/drafts/{draft['id']}/fill-in", headers=PATIENT).json()
    assert filled["stale"] is False
    assert "已有改动" not in filled["notice"]


def test_an_old_request_sent_again_leaves_the_new_drafts_current(
    client: TestClient, case: dict[str, Any]
) -> None:
    old = {"Idempotency-Key": "old"}
    client.post(DDX, params={"wait": True}, json=case, headers=old)
    changed = case | {"tests": "白细胞13.2×10^9/L"}
    new = client.post(DDX, params={"wait": True}, json=changed).json()
    again = client.post(DDX, params={"wait": True}, json=case, headers=old).json()
    assert [d["stale"] for d in again["drafts"]] == [True] * 3
    for draft in new["drafts"]:
        shown = client.get(f"/v1/drafts/{draft['id']}", headers=PATIENT).json()
        assert shown["stale"] is False


def test_fill_in_and_signature_answer_again_under_their_key(
    client: TestClient, drafts: dict[str, dict[str, Any]]
) -> None:
    draft = drafts["甲"]
    fill, sign = (f"/v1/drafts/{draft['id']}/{name}" for name in ("fill-in", "signature"))
    key = PATIENT | {"Idempotency-Key": "k1"}
    assert client.post(fill, headers=key).status_code == 409
    for statement in unsupported(draft):
        resolve(client, draft["id"], statement_id=statement, action="confirmed")
    first = client.post(fill, headers=key)
    assert first.status_code == 200, "what was refused may be asked again"
    signing = PATIENT | {"Idempotency-Key": "k2"}
    signed = client.post(sign, headers=signing, json={"text": "定稿"})
    assert signed.status_code == 200
    assert client.post(sign, headers=signing, json={"text": "定稿"}).json() == signed.json()
    assert client.post(fill, headers=key).json() == first.json()
    assert client.post(sign, headers=key, json={"text": "定稿"}).status_code == 409
    assert client.post(sign, headers=signing, json={"text": "别的"}).status_code == 409
    other = signing | {"X-Patient-Id": "pat-2"}
    assert client.post(sign, headers=other, json={"text": "定稿"}).status_code == 409


def test_signing_a_draft_with_open_statements_accepts_nothing(
    client: TestClient, drafts: dict[str, dict[str, Any]]
) -> None:
    draft = drafts["甲"]
    assert unsupported(draft)
    path = f"/v1/drafts/{draft['id']}/signature"
    signed = client.post(path, headers=PATIENT, json={"text": "医师自己写的"}).json()
    assert signed["signed_at"] is not None
    assert signed["accepted_at"] is None
    assert signed["seconds_to_acceptance"] is None


@pytest.mark.parametrize(
    "marked", [{"start": 1}, {"end": 1}, {"start": 3, "end": 2}, {"start": 0, "end": 900_000}]
)
def test_feedback_on_a_range_that_is_none_is_refused(
    client: TestClient, drafts: dict[str, dict[str, Any]], marked: dict[str, int]
) -> None:
    body = {"draft_id": drafts["甲"]["id"], "verdict": "error", **marked}
    assert client.post("/v1/feedback", headers=PATIENT, json=body).status_code == 422


def test_feedback_is_kept_and_counted(
    client: TestClient, drafts: dict[str, dict[str, Any]]
) -> None:
    body = {
        "draft_id": drafts["甲"]["id"],
        "verdict": "error",
        "quote": "错误的一句",
        "comment": "与病历不符",
        "correction": "正确的一句",
        "start": 0,
        "end": 5,
    }
    key = PATIENT | {"Idempotency-Key": "f1"}
    first = client.post("/v1/feedback", headers=key, json=body)
    again = client.post("/v1/feedback", headers=key, json=body)
    assert first.status_code == 201
    assert first.json()["id"] == again.json()["id"]
    client.post("/v1/feedback", headers=PATIENT, json=body | {"verdict": "like"})
    assert len(client.get("/v1/feedback", headers=PATIENT).json()) == 2
    row = next(r for r in client.get("/v1/feedback/summary").json() if r["member"] == "甲")
    assert (row["likes"], row["errors"]) == (1, 1)
    assert "错误的一句" not in client.get("/v1/feedback/summary").text
    other = client.post("/v1/feedback", headers={"X-Patient-Id": "pat-2"}, json=body)
    assert other.status_code == 404
