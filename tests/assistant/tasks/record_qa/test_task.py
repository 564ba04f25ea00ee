"""The task as the API and the store have it: conversations, other patients, kills, models."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from typing import Any

import pytest
from starlette.testclient import TestClient

from assistant.application import build_app, build_services
from assistant.settings import Settings
from assistant.store import Context
from assistant.store.errors import ConversationNotFound
from assistant.tasks.record_qa import run as running
from assistant.tasks.record_qa.request import RecordQuestion
from assistant.tasks.record_qa.task import RecordQa
from assistant.work.registry import GROUP, Registry

POINT = EntryPoint("record_qa", "assistant.tasks.record_qa.task:RecordQa", GROUP)
PATH = "/v1/record-qa"


def who(stay: dict[str, Any]) -> dict[str, str]:
    return {"X-Patient-Id": stay["patient"]["id"], "X-Encounter-Id": stay["id"]}


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    app = build_app(settings, with_ui=False, tasks=Registry.of([POINT]))
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as opened:
        yield opened


def begin(client: TestClient, stay: dict[str, Any]) -> str:
    made = client.post(f"{PATH}/conversations", json={"encounter": stay})
    assert made.status_code == 201, made.text
    found: str = made.json()["id"]
    return found


def ask(client: TestClient, stay: dict[str, Any], talk: str, question: str, **more: str) -> Any:
    body = {
        "question": question,
        "conversation_id": talk,
        "patient_id": stay["patient"]["id"],
        "encounter_id": stay["id"],
        **more,
    }
    return client.post(PATH, json=body)


def answer(response: Any) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()["drafts"][0]
    return found


def test_its_example_is_a_body_and_is_answered(client: TestClient) -> None:
    for body in RecordQa.examples.values():
        RecordQuestion.model_validate(json.loads(json.dumps(body)))
        said = answer(client.post(PATH, json=body))
        assert "3.2mmol/L" in said["statements"][0]["text"]
        assert said["statements"][0]["evidence"][0]["quote"].startswith("2026年3月2日 血钾 3.2")


def test_a_conversation_goes_on_is_titled_found_and_read_again(
    client: TestClient, stay: dict[str, Any]
) -> None:
    talk = begin(client, stay)
    one = answer(ask(client, stay, talk, "近三次血钾趋势？"))
    two = answer(ask(client, stay, talk, "那肌酐呢？"))
    assert (one["turn"], two["turn"]) == (1, 2)
    assert two["route"] == "trend"
    whole = client.get(f"{PATH}/conversations/{talk}", headers=who(stay)).json()
    assert whole["title"] == "近三次血钾趋势？"
    assert [t["question"] for t in whole["turns"]] == ["近三次血钾趋势？", "那肌酐呢？"]
    listed = f"{PATH}/conversations"
    for words, count in (("肌酐", 1), ("血钾", 1), ("心电图", 0)):
        found = client.get(listed, params={"q": words}, headers=who(stay)).json()
        assert len(found["conversations"]) == count
    renamed = client.patch(f"{listed}/{talk}", json={"title": "电解质"}, headers=who(stay))
    assert renamed.json()["title"] == "电解质"


def test_two_tabs_each_go_on_from_their_own_answer(
    client: TestClient, stay: dict[str, Any]
) -> None:
    talk = begin(client, stay)
    first = answer(ask(client, stay, talk, "血钾最高多少"))
    answer(ask(client, stay, talk, "肌酐最高多少"))
    said = answer(ask(client, stay, talk, "最低呢？", after=first["id"]))
    assert "3.2mmol/L" in said["statements"][0]["text"]
    latest = answer(ask(client, stay, talk, "最低呢？"))
    assert "3.2mmol/L" in latest["statements"][0]["text"]


def test_nothing_of_a_conversation_is_seen_from_another_patient_or_stay(
    client: TestClient, stay: dict[str, Any]
) -> None:
    talk = begin(client, stay)
    answer(ask(client, stay, talk, "血钾最高多少"))
    for other in ({"X-Patient-Id": "pat-z", "X-Encounter-Id": stay["id"]},
                  {"X-Patient-Id": stay["patient"]["id"], "X-Encounter-Id": "enc-z"}):  # fmt: skip
        place = f"{PATH}/conversations/{talk}"
        assert client.get(place, headers=other).status_code == 404
        assert client.delete(place, headers=other).status_code == 404
        assert client.get(f"{PATH}/conversations", headers=other).json()["conversations"] == []
    body = {"question": "血钾", "conversation_id": talk, "patient_id": "pat-z",
            "encounter_id": stay["id"]}  # fmt: skip
    refused = client.post(PATH, json=body)
    assert "4.4" not in refused.text
    assert not refused.json().get("drafts")


def test_a_newer_record_is_read_by_the_next_question(
    client: TestClient, stay: dict[str, Any]
) -> None:
    talk = begin(client, stay)
    stay["observations"][4]["value"] = "5.1"
    renewed = client.put(f"{PATH}/conversations/{talk}/record", json=stay, headers=who(stay))
    assert renewed.status_code == 200
    assert "5.1" in answer(ask(client, stay, talk, "血钾最高"))["statements"][0]["text"]
    other = {**stay, "id": "enc-other"}
    wrong = client.put(f"{PATH}/conversations/{talk}/record", json=other, headers=who(stay))
    assert wrong.status_code == 409


def test_a_deleted_conversation_is_gone_with_its_turns(
    client: TestClient, stay: dict[str, Any]
) -> None:
    talk = begin(client, stay)
    job = ask(client, stay, talk, "血钾最高").json()["id"]
    place = f"{PATH}/conversations/{talk}"
    assert client.delete(place, headers=who(stay)).status_code == 204
    assert client.get(place, headers=who(stay)).status_code == 404
    assert client.get(f"{PATH}/{job}", headers=who(stay)).status_code == 404


def test_a_purge_takes_the_conversations_too(settings: Settings, stay: dict[str, Any]) -> None:
    parts = build_services(settings, Registry.of([POINT]), None, workers=0)
    context = Context("d", "doctor", stay["patient"]["id"], stay["id"])
    kept = parts.store.conversations
    row = kept.begin(context, stay)
    other = Context("d", "doctor", "pat-b", "enc-b")
    stays = kept.begin(other, {"id": "enc-b"})
    parts.store.purge_patient(context.patient_id, Context.operator("a", "admin"))
    with pytest.raises(ConversationNotFound):
        kept.get(context, row.id)
    assert kept.get(other, stays.id).id == stays.id
    assert parts.store.audit.verify().ok
    parts.store.close()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"question": "血钾"}, 422),
        ({"question": " ", "encounter": "stay"}, 422),
        ({"question": "血钾", "encounter": "stay", "patient_id": "pat-z"}, 422),
        ({"question": "血" * 50_001, "encounter": "stay"}, 422),
        (
            {"question": "血钾", "conversation_id": "x", "patient_id": "p 1", "encounter_id": "e"},
            422,
        ),
    ],
)
def test_a_bad_body_is_refused_with_a_sentence(
    client: TestClient, stay: dict[str, Any], body: dict[str, Any], status: int
) -> None:
    if body.get("encounter") == "stay":
        body = {**body, "encounter": stay}
    response = client.post(PATH, json=body)
    assert response.status_code == status
    assert "Traceback" not in response.text


def test_forty_thousand_characters_get_an_answer_that_refuses(
    client: TestClient, stay: dict[str, Any]
) -> None:
    said = answer(client.post(PATH, json={"question": "血钾" * 20_000, "encounter": stay}))
    assert said["outcome"] == "refused"


def test_a_tool_that_hangs_gets_a_safe_answer(
    client: TestClient, stay: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "TOOL_SECONDS", 0.05)
    monkeypatch.setattr(running, "ask", lambda *_: time.sleep(0.6))
    said = answer(client.post(PATH, json={"question": "血钾", "encounter": stay}))
    assert said["outcome"] == "failed"
    assert not said["statements"]


def test_what_a_model_says_is_checked_and_its_thoughts_are_apart(
    client: TestClient, stay: dict[str, Any]
) -> None:
    # The echo engine answers with what it was asked: none of it is in the record.
    body = {"question": "胆囊为何会发炎呢", "encounter": stay}
    said = answer(client.post(PATH, json=body))
    if said["model"]:
        assert all(s["evidence"] or s["status"] == "unsupported" for s in said["statements"])
        assert said["demo_only"]
    without = answer(client.post(PATH, json={**body, "use_model": False}))
    assert without["model"] == ""
    assert not without["statements"]


def test_a_turn_that_was_accepted_is_answered_after_a_restart(
    settings: Settings, stay: dict[str, Any]
) -> None:
    registry = Registry.of([POINT])
    context = Context("d", "doctor", stay["patient"]["id"], stay["id"])

    async def accept() -> tuple[str, str]:
        parts = build_services(settings, registry, None, workers=0)
        talk = parts.store.conversations.begin(context, stay).id
        body = RecordQuestion(
            question="血钾最高多少", conversation_id=talk, patient_id=context.patient_id,
            encounter_id=context.encounter_id,
        )  # fmt: skip
        asked = RecordQa().accept(body, settings)
        row = await parts.jobs.submit(context, "record_qa", asked.payload, asked.record_hash)
        # As after a kill: nothing is stopped in order.
        parts.store.close()
        return talk, row.id

    async def resume(talk: str, request: str) -> list[str]:
        parts = build_services(settings, registry, None, workers=0)
        await parts.jobs.start()
        try:
            await parts.jobs.work_on(request)
            async with asyncio.timeout(20):
                while not parts.store.conversations.turns(context, talk):
                    await asyncio.sleep(0.05)
            await parts.jobs.work_on(request)
            turns = parts.store.conversations.turns(context, talk)
            return [t.content["draft"]["statements"][0]["text"] for t in turns]
        finally:
            await parts.jobs.stop()
            await parts.engines.close()
            parts.store.close()

    talk, request = asyncio.run(accept())
    said = asyncio.run(resume(talk, request))
    assert len(said) == 1
    assert "4.4mmol/L" in said[0]


def test_two_hundred_turns_stay_quick_and_in_order(
    settings: Settings, stay: dict[str, Any]
) -> None:
    parts = build_services(settings, Registry.of([POINT]), None, workers=0)
    context = Context("d", "doctor", stay["patient"]["id"], stay["id"])
    talk = parts.store.conversations.begin(context, stay).id
    for number in range(200):
        row = parts.store.requests.submit(context, "record_qa", {"n": number}, "h")
        content = {"text": "", "draft": {"kind": "record_answer", "question": f"第{number}问"}}
        parts.store.drafts.add(
            context, row.id, "record_qa", "copied", talk, content, record_hash="h", model="",
            prompt_version="", knowledge_version="",
        )  # fmt: skip
    turns = parts.store.conversations.turns(context, talk)
    assert [t.content["draft"]["question"] for t in turns] == [f"第{n}问" for n in range(200)]
    parts.store.close()


def test_calculators_are_listed_and_computed(client: TestClient) -> None:
    listed = client.get(f"{PATH}/calculators").json()
    assert len(listed) >= 20
    assert all(one["source"] for one in listed)
    body = {"weight": {"value": 81, "unit": "kg"}, "height": {"value": 180, "unit": "cm"}}
    found = client.post(f"{PATH}/calculators/bmi", json=body).json()
    assert found["value"] == 25.0
    wrong = client.post(f"{PATH}/calculators/bmi", json={"weight": {"value": 81, "unit": "cm"}})
    assert wrong.status_code == 422
    assert "换算" in wrong.text
    assert client.post(f"{PATH}/calculators/none", json={}).status_code == 404
    assert client.post(f"{PATH}/calculators/bmi", json={"x": {"value": 1}}).status_code == 422
