"""The three kinds of work through the API: accept, wait, watch, keep to the patient."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from assistant.application import build_app
from assistant.engines import Engines
from assistant.settings import Settings
from assistant.tasks.differential import run
from serving.engines.echo import EchoEngine

DDX = "/v1/differential-diagnoses"
DISCHARGE = "/v1/discharge-records"
PATIENT = {"X-Patient-Id": "pat-1", "X-Encounter-Id": "enc-1"}


def events_of(text: str) -> list[tuple[str, dict[str, Any]]]:
    blocks = [b for b in text.split("\n\n") if b.startswith("event: ")]
    pairs = [b.split("\n", 1) for b in blocks]
    return [(a.removeprefix("event: "), json.loads(b.removeprefix("data: "))) for a, b in pairs]


def test_every_member_answers_and_the_knowledge_ranking_is_one(
    client: TestClient, case: dict[str, Any]
) -> None:
    answer = client.post(DDX, params={"wait": True}, json=case)
    assert answer.status_code == 200
    job = answer.json()
    assert job["status"] == "finished"
    assert {d["member"] for d in job["drafts"]} == {"知识库排序", "甲", "乙"}
    assert "草稿" in job["notice"]
    baseline = next(d for d in job["drafts"] if d["member"] == "知识库排序")
    assert baseline["diagnoses"][0]["supporting"]
    for statement in baseline["diagnoses"][0]["supporting"]:
        evidence = next(e for e in statement["evidence"] if e["kind"] == "span")
        span = evidence
        assert case[span["note_id"]][span["start"] : span["end"]] in statement["text"]


def test_a_denied_finding_is_never_a_supporting_one(
    client: TestClient, case: dict[str, Any]
) -> None:
    drafts = client.post(DDX, params={"wait": True}, json=case).json()["drafts"]
    baseline = next(d for d in drafts if d["member"] == "知识库排序")
    absent = {f["text"] for f in baseline["findings"] if f["polarity"] == "absent"}
    assert {"胸痛", "咯血"} <= absent
    for entry in (*baseline["critical"], *baseline["diagnoses"]):
        said = " ".join(s["text"] for s in entry["supporting"])
        assert "有“胸痛”" not in said
        assert "有“咯血”" not in said


def test_accepted_work_is_answered_with_202_and_can_be_watched(
    client: TestClient, case: dict[str, Any]
) -> None:
    accepted = client.post(DDX, json=case)
    assert accepted.status_code == 202
    links = accepted.json()["links"]
    assert accepted.headers["location"] == links["self"]
    stream = client.get(links["events"], headers=PATIENT)
    assert stream.headers["content-type"].startswith("text/event-stream")
    names = [name for name, _ in events_of(stream.text)]
    assert names.count("draft") == 3
    assert names[-1] == "finished"
    done = client.get(links["self"], headers=PATIENT).json()
    assert done["status"] == "finished"
    assert len(done["drafts"]) == 3


def test_the_same_idempotency_key_gives_the_same_job(
    client: TestClient, case: dict[str, Any]
) -> None:
    key = {"Idempotency-Key": "key-1"}
    first = client.post(DDX, json=case, headers=key).json()
    again = client.post(DDX, json=case, headers=key).json()
    assert first["id"] == again["id"]
    other = client.post(DDX, json=case | {"chief_complaint": "头痛"}, headers=key)
    assert other.status_code == 409
    assert other.headers["content-type"] == "application/problem+json"


def test_another_patients_context_sees_nothing(client: TestClient, case: dict[str, Any]) -> None:
    job = client.post(DDX, params={"wait": True}, json=case).json()
    draft = job["drafts"][0]["id"]
    assert client.get(f"/v1/drafts/{draft}", headers=PATIENT).status_code == 200
    other = {"X-Patient-Id": "pat-2"}
    for path in (f"/v1/drafts/{draft}", f"{DDX}/{job['id']}", f"{DDX}/{job['id']}/events"):
        assert client.get(path, headers=other).status_code == 404
    assert client.get("/v1/drafts", headers=other).json() == []
    assert client.get(f"/v1/drafts/{draft}").status_code == 422


def test_a_header_that_names_another_patient_is_refused(
    client: TestClient, case: dict[str, Any]
) -> None:
    assert client.post(DDX, json=case, headers={"X-Patient-Id": "pat-9"}).status_code == 409


def test_a_discharge_record_copies_what_the_data_has(
    client: TestClient, encounter: dict[str, Any]
) -> None:
    answer = client.post(DISCHARGE, params={"wait": True}, json={"encounter": encounter})
    assert answer.status_code == 200
    record = answer.json()
    header = record["header"]
    assert header["patient_name"] == encounter["patient"]["name"]
    assert header["signature"] == ""
    assert header["pending_results"]
    sections = {d["section"]: d for d in record["drafts"]}
    assert list(sections) == [
        "discharge_diagnosis",
        "admission_condition",
        "hospital_course",
        "discharge_condition",
        "discharge_orders",
    ]
    orders = "\n".join(s["text"] for s in sections["discharge_orders"]["statements"])
    for row in (m for m in encounter["medications"] if m["discharge"]):
        for value in ("name", "specification", "dose", "route", "frequency"):
            assert row[value] in orders
    for name in header["pending_results"]:
        assert name in orders
    names = [s["text"] for s in sections["discharge_diagnosis"]["statements"]]
    wanted = [d["name"] for d in encounter["diagnoses"] if d["kind"] == "discharge"]
    assert all(any(name in text for text in names) for name in wanted)


def test_what_the_record_does_not_say_reads_not_recorded(client: TestClient) -> None:
    bare = {
        "id": "enc-3",
        "patient": {"id": "pat-3"},
        "notes": [{"id": "n1", "kind": "progress", "text": "今日行换药，伤口干燥。"}],
    }
    record = client.post(DISCHARGE, params={"wait": True}, json={"encounter": bare}).json()
    assert record["header"]["admitted_on"] == "病历未记载"
    sections = {d["section"]: d for d in record["drafts"]}
    for name in ("discharge_diagnosis", "admission_condition", "discharge_condition"):
        assert [s["text"] for s in sections[name]["statements"]] == ["病历未记载"]
    said = json.dumps(record, ensure_ascii=False)
    assert "阴性" not in said


def test_the_record_streams_section_by_section(
    client: TestClient, encounter: dict[str, Any]
) -> None:
    job = client.post(DISCHARGE, json={"encounter": encounter}).json()
    headers = {"X-Patient-Id": encounter["patient"]["id"], "X-Encounter-Id": encounter["id"]}
    found = events_of(client.get(job["links"]["events"], headers=headers).text)
    names = [name for name, _ in found]
    assert names.index("header") < names.index("delta") < names.index("draft")
    assert names[-1] == "finished"


def test_an_answer_cites_its_passages(client: TestClient) -> None:
    body = {"question": "肺炎有哪些症状？", "patient_id": "pat-1"}
    job = client.post("/v1/answers", params={"wait": True}, json=body).json()
    answer = job["drafts"][0]
    assert answer["passages"]
    for passage_id in answer["passages"]:
        found = client.get(f"/v1/knowledge/passages/{passage_id}")
        assert found.status_code == 200
        assert found.json()["source"]


@pytest.mark.parametrize("path", [DDX, DISCHARGE, "/v1/answers"])
def test_an_unknown_job_is_not_found(client: TestClient, path: str) -> None:
    for suffix in ("nonsense", "0190d9c0-0000-7000-8000-000000000000"):
        assert client.get(f"{path}/{suffix}", headers=PATIENT).status_code == 404


def test_a_job_can_be_cancelled(client: TestClient, case: dict[str, Any]) -> None:
    job = client.post(DDX, json=case).json()
    answer = client.delete(f"{DDX}/{job['id']}", headers=PATIENT)
    assert answer.status_code == 200
    assert answer.json()["status"] in ("cancelled", "finished")


def test_one_bad_member_does_not_fail_the_panel(
    client: TestClient, case: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = run.differential_chain

    def chain(member: run.Member) -> Any:
        if member.name == "甲":
            raise ValueError("病历里的一句话")
        return real(member)

    monkeypatch.setattr(run, "differential_chain", chain)
    job = client.post(DDX, params={"wait": True}, json=case).json()
    assert job["status"] == "finished"
    drafts = {d["member"]: d for d in job["drafts"]}
    assert set(drafts) == {"知识库排序", "甲", "乙"}
    assert "内部错误" in drafts["甲"]["warnings"][0]
    assert "病历里的一句话" not in str(job)
    assert drafts["乙"]["diagnoses"]


@pytest.fixture
def busy(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """One worker, and a model that takes its time."""
    monkeypatch.setattr(Engines, "load", lambda self, chosen, n=0: EchoEngine(seconds_per_word=0.2))
    app = build_app(settings.model_copy(update={"jobs": 1}), with_ui=False)
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as opened:
        yield opened


def test_the_ranking_does_not_wait_for_a_model(busy: TestClient, case: dict[str, Any]) -> None:
    robot = {"X-Actor-Id": "robot"}
    flood = [
        busy.post(DDX, json=case | {"chief_complaint": f"咳嗽{n}天"}, headers=robot).json()
        for n in range(1, 6)
    ]
    batch = busy.post(DDX, params={"batch": True}, json=case | {"tests": "无"}).json()
    mine = busy.post(DDX, json=case).json()
    place = f"{DDX}/{mine['id']}"
    for _ in range(200):
        now = busy.get(place, headers=PATIENT).json()
        # The place is told again once the ranking has given its own lane back.
        if now["drafts"] and now["place"] is not None:
            break
        time.sleep(0.05)
    assert now["status"] == "queued"
    assert [d["member"] for d in now["drafts"]] == ["知识库排序"]
    assert now["place"] == 1, "a doctor goes before what is left of another's flood"
    last = busy.get(f"{DDX}/{flood[-1]['id']}", headers=PATIENT).json()
    assert last["place"] > now["place"]
    behind = busy.get(f"{DDX}/{batch['id']}", headers=PATIENT).json()
    assert behind["place"] > last["place"]
    for job in (*flood, batch, mine):
        busy.delete(f"{DDX}/{job['id']}", headers=PATIENT)
    ended = busy.get(place, headers=PATIENT).json()
    assert (ended["status"], ended["place"]) == ("cancelled", None)
