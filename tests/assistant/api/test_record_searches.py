"""``/v1/record-searches`` as a page or a system calls it."""

from __future__ import annotations

from starlette.testclient import TestClient

PATH = "/v1/record-searches"


def test_words_are_translated_and_not_run(client: TestClient) -> None:
    answer = client.post(PATH, json={"words": "EGFR 阳性且无胸腔积液"})
    assert answer.status_code == 200
    assert (answer.json()["query"], answer.json()["ran"]) == ("EGFR:阳性 AND NOT 胸腔积液", False)


def test_a_query_runs_and_an_export_is_a_group(client: TestClient) -> None:
    answer = client.post(PATH, json={"query": "肺癌"})
    assert (answer.status_code, answer.json()["ran"], answer.json()["total"]) == (200, True, 0)
    group = client.post(f"{PATH}/export?format=fhir", json={"form": {"all_of": ["肺癌"]}})
    assert group.json()["resourceType"] == "Group"


def test_what_cannot_be_read_is_a_sentence(client: TestClient) -> None:
    for query in ("肺" * 10_000, "(肺癌", "年龄段:青年", ""):
        answer = client.post(PATH, json={"query": query})
        assert answer.status_code == 422
        assert "个字符" in answer.json()["detail"]


def test_roles(client: TestClient) -> None:
    student = client.post(PATH, json={"query": "肺癌"}, headers={"X-Actor-Role": "student"})
    assert student.status_code == 403
    nurse = {"X-Actor-Role": "nurse"}
    assert client.post(PATH, json={"query": "肺癌"}, headers=nurse).status_code == 200
    named = {"query": "肺癌", "identified": True}
    assert client.post(PATH, json=named, headers=nurse).status_code == 403
    assert client.post(PATH, json={"query": "患者:p1"}, headers=nurse).status_code == 403
