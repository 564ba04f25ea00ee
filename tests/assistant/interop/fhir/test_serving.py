"""``/fhir``: what goes out is valid, labelled, and seen in its patient's context alone."""

from __future__ import annotations

import base64
import json
from typing import Any

from fhir_validation import validate
from starlette.testclient import TestClient

PATIENT = {"X-Patient-Id": "pat-1", "X-Encounter-Id": "enc-1"}
KINDS = ("Composition", "DocumentReference", "Condition", "ClinicalImpression", "Provenance")


def search(client: TestClient, kind: str, **query: Any) -> dict[str, Any]:
    asked = {"patient": "Patient/pat-1", "encounter": "enc-1", **query}
    answer = client.get(f"/fhir/{kind}", params=asked)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/fhir+json")
    found: dict[str, Any] = answer.json()
    validate(found)
    return found


def resources(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    return [e["resource"] for e in bundle.get("entry", []) if e["search"]["mode"] == "match"]


def test_the_capability_statement_is_valid_and_says_what_is_served(client: TestClient) -> None:
    statement = client.get("/fhir/metadata").json()
    validate(statement)
    assert statement["fhirVersion"] == "4.0.1"
    served = {r["type"] for r in statement["rest"][0]["resource"]}
    assert served == {*KINDS, "AuditEvent"}


def test_every_resource_is_valid_and_labelled(
    client: TestClient, differential: dict[str, Any]
) -> None:
    found = [(kind, r) for kind in KINDS for r in resources(search(client, kind))]
    assert {kind for kind, _ in found} == set(KINDS)
    for kind, resource in found:
        validate(resource)
        assert [s["code"] for s in resource["meta"]["security"]] == ["AIAST"]
        assert "人工智能" in resource["text"]["div"]
        answer = client.get(f"/fhir/{kind}/{resource['id']}", headers=PATIENT)
        assert answer.json() == resource
        again = search(client, kind, _id=resource["id"])
        assert resources(again) == [resource]


def test_statements_carry_their_evidence(
    client: TestClient, differential: dict[str, Any], case: dict[str, Any]
) -> None:
    composition = client.get(f"/fhir/Composition/{differential['id']}", headers=PATIENT).json()
    assert composition["status"] == "preliminary"
    assert composition["title"].startswith("【AI草稿】")
    spans = 0
    for section in composition["section"]:
        for statement in section["extension"]:
            parts = {p["url"]: p for p in statement["extension"] if p["url"] != "evidence"}
            assert parts["text"]["valueString"] in section["text"]["div"].replace("&lt;", "<")
            for evidence in statement["extension"]:
                if evidence["url"] != "evidence":
                    continue
                said = {p["url"]: next(iter(list(p.values())[1:])) for p in evidence["extension"]}
                if said["kind"] == "span":
                    spans += 1
                    text = case[said["note"]]
                    assert text[said["start"] : said["end"]]
    assert spans > 0


def test_candidates_are_never_confirmed_and_deleted_ones_are_gone(
    client: TestClient, differential: dict[str, Any]
) -> None:
    before = resources(search(client, "Condition", _count=100))
    mine = [c for c in before if c["id"].startswith(differential["id"])]
    states = {c["verificationStatus"]["coding"][0]["code"] for c in before}
    assert states == {"differential"}
    first = differential["diagnoses"][0]["name_statement"]
    client.post(
        f"/v1/drafts/{differential['id']}/resolutions",
        headers=PATIENT,
        json={"statement_id": first["id"], "action": "deleted"},
    )
    after = resources(search(client, "Condition", _count=100))
    left = [c["code"]["text"] for c in after if c["id"].startswith(differential["id"])]
    assert first["text"] in [c["code"]["text"] for c in mine]
    assert first["text"] not in left
    impression = client.get(
        f"/fhir/ClinicalImpression/{differential['id']}", headers=PATIENT
    ).json()
    names = [f["itemCodeableConcept"]["text"] for f in impression["finding"]]
    assert first["text"] not in names
    urls = {e["url"] for f in impression["finding"] for e in f["extension"]}
    assert "urn:bedside:fhir:log-odds-score" in urls


def test_a_signed_text_goes_out_as_signed_with_its_signer(
    client: TestClient, sections: list[dict[str, Any]], encounter: dict[str, Any]
) -> None:
    headers = {
        "X-Patient-Id": encounter["patient"]["id"],
        "X-Encounter-Id": encounter["id"],
        "X-Actor-Id": "doc-7",
    }
    draft = sections[0]
    path = f"/fhir/DocumentReference/{draft['id']}"
    before = client.get(path, headers=headers).json()
    validate(before)
    assert before["docStatus"] == "preliminary"
    text = "胆囊结石伴慢性胆囊炎。<医师签名>"
    signed = client.post(
        f"/v1/drafts/{draft['id']}/signature", headers=headers, json={"text": text}
    )
    assert signed.status_code == 200
    after = client.get(path, headers=headers).json()
    validate(after)
    shown = base64.b64decode(after["content"][0]["attachment"]["data"]).decode()
    label, _, rest = shown.partition("\n")
    assert "人工智能辅助生成" in label
    assert rest == text
    assert after["docStatus"] == "final"
    assert after["authenticator"]["identifier"]["value"] == "doc-7"
    composition = client.get(f"/fhir/Composition/{draft['id']}", headers=headers).json()
    validate(composition)
    assert composition["status"] == "final"
    assert "&lt;医师签名&gt;" in composition["section"][0]["text"]["div"]
    origin = client.get(f"/fhir/Provenance/{draft['id']}", headers=headers).json()
    validate(origin)
    agents = {a["type"]["coding"][0]["code"]: a["who"] for a in origin["agent"]}
    assert agents["legal"]["identifier"]["value"] == "doc-7"
    assert {t["reference"] for t in origin["target"]} >= {f"Composition/{draft['id']}"}
    # By HL7's AI Transparency guide: the reason, the model among the agents, and its Device.
    assert origin["reason"][0]["coding"][0]["code"] == "AIAST"
    roles = [r["coding"][0]["code"] for a in origin["agent"] for r in a.get("role", [])]
    assert roles == ["Artificial-Intelligence"]
    assert origin["contained"][0]["type"]["coding"][0]["code"] == "Artificial-Intelligence"
    assert {e["what"]["identifier"]["system"] for e in origin["entity"]} >= {
        "urn:bedside:fhir:record-hash"
    }


def test_nobody_sees_another_patients(client: TestClient, differential: dict[str, Any]) -> None:
    other = {"X-Patient-Id": "pat-2", "X-Encounter-Id": "enc-1"}
    for kind in KINDS:
        mine = resources(search(client, kind))[0]["id"]
        for headers in (other, {"X-Patient-Id": "pat-1", "X-Encounter-Id": "enc-9"}):
            answer = client.get(f"/fhir/{kind}/{mine}", headers=headers)
            assert answer.status_code == 404, kind
            validate(answer.json())
        assert resources(search(client, kind, patient="pat-2")) == []
        assert resources(search(client, kind, patient="pat-2", _id=mine)) == []


REFUSED: list[tuple[str, dict[str, str], int]] = [
    ("/fhir/Composition", {}, 400),
    ("/fhir/Composition?patient=pat-1", {"X-Patient-Id": "pat-2"}, 409),
    ("/fhir/Composition?patient=pat-1&code=x", {}, 400),
    ("/fhir/Composition?patient=pat-1&_count=0", {}, 400),
    ("/fhir/Composition?patient=pat-1&before=x", {}, 400),
    ("/fhir/Composition?patient=Encounter/pat-1", {}, 400),
    ("/fhir/Observation?patient=pat-1", {}, 404),
    ("/fhir/Composition/nothing", PATIENT, 404),
    ("/fhir/Condition/nothing", PATIENT, 404),
    ("/fhir/a/b/c/d", PATIENT, 404),
    ("/fhir/Composition?patient=pat-1", {"X-Actor-Role": "auditor"}, 403),
    ("/fhir/AuditEvent", {}, 403),
    ("/fhir/AuditEvent/0", {"X-Actor-Role": "auditor"}, 404),
    ("/fhir/Composition?patient=pat-1", {"Authorization": "Bearer bsk_x"}, 401),
]


def test_refusals_are_operation_outcomes(client: TestClient) -> None:
    for path, headers, status in REFUSED:
        answer = client.get(path, headers=headers)
        assert answer.status_code == status, (path, answer.text)
        validate(answer.json())
        assert answer.json()["resourceType"] == "OperationOutcome"


def test_it_is_read_only(client: TestClient) -> None:
    assert client.post("/fhir/Composition", json={}).status_code == 405


def test_pages_are_linked(client: TestClient, differential: dict[str, Any]) -> None:
    seen: list[str] = []
    bundle = search(client, "Composition", _count=1)
    for _ in range(10):
        seen += [r["id"] for r in resources(bundle)]
        following = [link["url"] for link in bundle["link"] if link["relation"] == "next"]
        if not following:
            break
        bundle = client.get(following[0]).json()
    assert len(seen) == len(set(seen)) == 3


def test_the_audit_names_user_and_application(
    client: TestClient, differential: dict[str, Any]
) -> None:
    auditor = {"X-Actor-Id": "aud-1", "X-Actor-Role": "auditor"}
    answer = client.get("/fhir/AuditEvent", params={"patient": "pat-1"}, headers=auditor)
    bundle = answer.json()
    validate(bundle)
    events = resources(bundle)
    for event in events:
        validate(event)
    added = [e for e in events if e["subtype"][0]["code"] == "draft.add"]
    assert added
    user, application = added[0]["agent"]
    assert user["who"]["identifier"]["value"] == "demo-doctor"
    assert application["who"]["identifier"]["value"] == "api"
    assert added[0]["action"] == "C"
    assert "测试甲" not in json.dumps(bundle, ensure_ascii=False)
    one = client.get(f"/fhir/AuditEvent/{added[0]['id']}", headers=auditor).json()
    assert one == added[0]
