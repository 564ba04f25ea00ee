"""Whatever way rows of a search go out, by role, de-identified, and in the audit."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from assistant.record_index.entries import Entries, Fact
from assistant.record_index.index import NoteToIndex, add_notes
from assistant.store import Context

PATH = "/v1/record-searches"
FORMS = ("", "/export?format=csv", "/export?format=parquet", "/export?format=fhir")
ADMIN = {"X-Actor-Role": "admin"}
TEXT = "患者王建国，诊断肺癌。"


@pytest.fixture
def filled(client: TestClient) -> TestClient:
    fact = Fact("肺癌", "", "disease", "pccpn", "2025-05-01", 8, 10)
    store = client.app.state.services.store  # type: ignore[attr-defined]
    for number, group in enumerate(("", "", "呼吸科")):
        entries = Entries([fact], [])
        day = {"access": group, "title": "病程", "written_on": "2025-05-01"}
        note = NoteToIndex(f"patient-{number}", f"note-{number}", TEXT, entries, **day)
        add_notes(store, [note], Context.operator("tester"))
    return client


@pytest.mark.parametrize("form", FORMS)
def test_rows_are_de_identified_and_each_is_in_the_audit(filled: TestClient, form: str) -> None:
    answer = filled.post(f"{PATH}{form}", json={"query": "肺癌"})
    assert answer.status_code == 200
    for said in ("王建国", "patient-0", "note-0", "2025-05-01"):
        assert said.encode() not in answer.content
    for number, count in ((0, 1), (1, 1), (2, 0)):
        of: dict[str, str | int] = {"patient_id": f"patient-{number}", "limit": 20}
        rows = filled.get("/v1/audit", params=of, headers=ADMIN).json()
        shown = [
            row for row in rows if row["action"].startswith("record.") and "row" in row["action"]
        ]
        assert len(shown) == count, "a row that is shown is in the audit, one that is not is not"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("role", ["student", "admin", "auditor"])
def test_other_roles_get_nothing(filled: TestClient, form: str, role: str) -> None:
    who = {"X-Actor-Role": role}
    assert filled.post(f"{PATH}{form}", json={"query": "肺癌"}, headers=who).status_code == 403


@pytest.mark.parametrize("form", FORMS)
def test_who_it_is_only_a_doctor_sees(filled: TestClient, form: str) -> None:
    named = {"query": "肺癌", "identified": True}
    nurse = {"X-Actor-Role": "nurse"}
    assert filled.post(f"{PATH}{form}", json=named, headers=nurse).status_code == 403
    answer = filled.post(f"{PATH}{form}", json=named)
    assert b"patient-0" in answer.content
    assert b"patient-2" not in answer.content, "of a group that nobody granted"
