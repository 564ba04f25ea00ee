"""Nobody sees a patient who is not in the token of the page."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from pydantic import ValidationError
from starlette.testclient import TestClient

from assistant.application import build_app
from assistant.interop.embed.grant import Grant, Purpose, signed
from assistant.interop.settings import EmbedSettings
from assistant.settings import Settings
from assistant.store import Store

ORIGIN = "https://emr.example"
TASK = "differential_diagnosis"
DOCTOR = {"X-Actor-Id": "doc-1", "X-Actor-Role": "doctor"}


@pytest.fixture
def emr(settings: Settings) -> Iterator[TestClient]:
    own = settings.model_copy(update={"embed": EmbedSettings(origins=[ORIGIN])})
    with TestClient(build_app(own, with_ui=False), base_url="http://127.0.0.1") as opened:
        yield opened


def store_of(client: TestClient) -> Store:
    found: Store = client.app.state.services.store  # type: ignore[attr-defined]
    return found


def launch(emr: TestClient, patient: str = "pat-1", **changes: str) -> Any:
    body = {"task": TASK, "patient_id": patient, "encounter_id": "enc-1", "origin": ORIGIN}
    return emr.post("/v1/embed-sessions", json=body | changes, headers=DOCTOR)


def page_token(emr: TestClient, patient: str = "pat-1", **changes: str) -> str:
    page = emr.get(launch(emr, patient, **changes).json()["url"])
    assert page.status_code == 200, page.text
    told = re.search(r'id="session">(.*?)</script>', page.text)
    assert told is not None
    token: str = json.loads(told[1])["token"]
    return token


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def a_draft(emr: TestClient, case: dict[str, Any]) -> str:
    made = emr.post("/v1/differential-diagnoses", params={"wait": True}, json=case, headers=DOCTOR)
    assert made.status_code == 200, made.text
    found: str = made.json()["drafts"][0]["id"]
    return found


def test_a_page_is_framed_by_its_origin_alone_and_sets_no_cookie(emr: TestClient) -> None:
    page = emr.get(launch(emr).json()["url"])
    policy = page.headers["content-security-policy"]
    assert f"frame-ancestors {ORIGIN}" in policy
    assert "script-src 'self';" in policy
    assert "set-cookie" not in page.headers
    assert launch(emr, origin="https://evil.example").status_code == 403


@pytest.mark.parametrize("origin", ["*", "https://a.example/", "ftp://a", "https://a;b", "null"])
def test_an_origin_that_would_open_the_frame_to_others_is_no_setting(origin: str) -> None:
    with pytest.raises(ValidationError):
        EmbedSettings(origins=[origin])


def test_the_address_is_good_once(emr: TestClient) -> None:
    url = launch(emr).json()["url"]
    assert emr.get(url).status_code == 200
    again = emr.get(url)
    assert again.status_code == 403
    assert "pat-1" not in again.text
    assert "已用过" in again.text


def test_a_launch_is_no_page_token_and_a_page_token_no_launch(emr: TestClient) -> None:
    made = launch(emr).json()
    assert emr.get("/v1/embed/state", headers=bearer(made["token"])).status_code == 401
    token = page_token(emr)
    assert emr.get("/v1/embed/state", headers=bearer(token)).status_code == 200
    assert emr.get(f"/embed/{TASK}", params={"launch": token}).status_code == 403
    other = launch(emr).json()["url"].replace(TASK, "discharge_record")
    assert emr.get(other).status_code == 403, "opened for another task"


def test_a_token_of_another_patient_or_stay_finds_nothing(
    emr: TestClient, case: dict[str, Any]
) -> None:
    draft = a_draft(emr, case)
    own = page_token(emr)
    others = [
        page_token(emr, "pat-2"),
        page_token(emr, encounter_id="enc-2"),
        page_token(emr, task="discharge_record"),
    ]
    paths: dict[str, Any] = {
        "resolutions": {"statement_id": "d1-n", "action": "deleted"},
        "fill-in": {},
        "written": {"how": "written"},
        "feedback": {"verdict": "like"},
    }
    place = f"/v1/embed/drafts/{draft}"
    assert emr.get(place, headers=bearer(own)).status_code == 200
    for token in others:
        assert emr.get(place, headers=bearer(token)).status_code == 404
        assert emr.get("/v1/embed/state", headers=bearer(token)).json()["drafts"] == []
        for path, body in paths.items():
            told = emr.post(f"{place}/{path}", json=body, headers=bearer(token))
            assert told.status_code == 404, path
        # A header that names the other patient changes nothing.
        swapped = {**bearer(token), "X-Patient-Id": "pat-1", "X-Encounter-Id": "enc-1"}
        assert emr.get(place, headers=swapped).status_code == 404


def test_a_record_of_another_patient_is_not_taken(
    emr: TestClient, encounter: dict[str, Any]
) -> None:
    token = page_token(emr, task="discharge_record")
    told = emr.post("/v1/embed/requests", json={"encounter": encounter}, headers=bearer(token))
    assert told.status_code == 409
    body = {"patient": {"id": "pat-9"}, "fields": {"chief_complaint": "胸痛2小时"}}
    made = emr.post("/v1/embed/requests", json=body, headers=bearer(page_token(emr)))
    assert made.status_code == 202
    assert made.json()["patient_id"] == "pat-1", "the token says whose it is"


@pytest.mark.parametrize("purpose", ["page", "launch"])
def test_forged_and_expired_tokens_are_refused(emr: TestClient, purpose: Purpose) -> None:
    store = store_of(emr)
    key = store.hashes.embed_key()
    grant = Grant("d", "doctor", "pat-1", "enc-1", TASK, ORIGIN)
    token, _ = signed(store, grant, purpose, 60)
    good = jwt.decode(token, options={"verify_signature": False})
    other: Purpose = "launch" if purpose == "page" else "page"
    forged = [
        "",
        "x.y.z",
        "a" * 10_000,
        jwt.encode(good, "", algorithm="none"),
        jwt.encode(good, b"k" * 32, algorithm="HS256"),
        jwt.encode(good, key, algorithm="HS384"),
        jwt.encode({**good, "aud": "other"}, key, algorithm="HS256"),
        jwt.encode({**good, "iss": "other"}, key, algorithm="HS256"),
        jwt.encode({**good, "role": "admin"}, key, algorithm="HS256"),
        jwt.encode({**good, "patient": ""}, key, algorithm="HS256"),
        jwt.encode({**good, "exp": int(time.time()) - 1}, key, algorithm="HS256"),
        jwt.encode({**good, "origin": "https://gone.example"}, key, algorithm="HS256"),
        jwt.encode({n: v for n, v in good.items() if n != "exp"}, key, algorithm="HS256"),
        signed(store, grant, other, 60)[0],
    ]

    def status(sent: str) -> int:
        if purpose == "page":
            return emr.get("/v1/embed/state", headers=bearer(sent)).status_code
        return emr.get(f"/embed/{TASK}", params={"launch": sent}).status_code

    refused = 401 if purpose == "page" else 403
    assert [status(one) for one in forged] == [refused] * len(forged)
    # The right one, made anew: an id is taken once, whoever brought it.
    assert status(signed(store, grant, purpose, 60)[0]) == 200
    assert emr.get("/v1/embed/state").status_code == 401


def test_a_nurse_reads_and_does_not_fill_in(emr: TestClient, case: dict[str, Any]) -> None:
    draft = a_draft(emr, case)
    body = {"task": TASK, "patient_id": "pat-1", "encounter_id": "enc-1", "origin": ORIGIN}
    nurse = {"X-Actor-Id": "nurse-1", "X-Actor-Role": "nurse"}
    page = emr.get(emr.post("/v1/embed-sessions", json=body, headers=nurse).json()["url"])
    told = json.loads(re.findall(r'id="session">(.*?)</script>', page.text)[0])
    assert told["fillable"] is False
    place = f"/v1/embed/drafts/{draft}"
    assert emr.get(place, headers=bearer(told["token"])).status_code == 200
    assert emr.post(f"{place}/fill-in", json={}, headers=bearer(told["token"])).status_code == 403
    system = {"X-Actor-Id": "his", "X-Actor-Role": "system"}
    assert emr.post("/v1/embed-sessions", json=body, headers=system).status_code == 403


def test_fields_become_a_draft_that_is_filled_in_and_confirmed(
    emr: TestClient, case: dict[str, Any]
) -> None:
    token = bearer(page_token(emr))
    fields = {name: case[name] for name in ("chief_complaint", "present_illness")}
    body = {"patient": {"sex": "male", "age_text": "30岁"}, "fields": fields | {"unknown": "x"}}
    first = emr.post("/v1/embed/requests", json=body, headers=token)
    assert first.status_code == 202, first.text
    until = time.monotonic() + 60
    while (told := emr.get("/v1/embed/state", headers=token).json())["status"] != "finished":
        assert time.monotonic() < until, told
        time.sleep(0.05)
    again = emr.post("/v1/embed/requests", json=body, headers=token).json()
    assert [d["id"] for d in again["drafts"]] == [d["id"] for d in told["drafts"]], "made once"
    ranked = next(d for d in told["drafts"] if d["title"] == "知识库排序")
    place = f"/v1/embed/drafts/{ranked['id']}"
    shown = emr.get(place, headers=token).json()
    quotes = [e["quote"] for s in shown["statements"] for e in s["evidence"]]
    assert quotes, "statements come with their evidence"
    for statement in shown["open"]:
        answer = {"statement_id": statement, "action": "deleted"}
        assert emr.post(f"{place}/resolutions", json=answer, headers=token).status_code == 200
    filled = emr.post(f"{place}/fill-in", json={}, headers=token)
    assert filled.status_code == 200, filled.text
    assert "preliminary_diagnosis" in filled.json()["fields"]
    confirmed = {"how": "written", "fields": ["首次病程记录"]}
    assert emr.post(f"{place}/written", json=confirmed, headers=token).status_code == 204
    store = store_of(emr)
    actions = [row.action for row in store.audit.list(limit=50)]
    assert "draft.written" in actions
    assert emr.get(place, headers=token).json()["state"] == "accepted"
