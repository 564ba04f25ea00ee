"""The departments: what was found and dismissed, and what an administrator turns down."""

from __future__ import annotations

import copy
import csv
import io
import shutil
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from assistant.application import build_app
from assistant.engine_settings import EngineSettings
from assistant.settings import Settings
from assistant.tasks.record_qc.rules import OWN

PATH = "/v1/record-qc"
ADMIN = {"X-Actor-Role": "admin", "X-Actor-Id": "chief"}
KIND = "impossible_value"
REASON = "李建华系家属，录入笔误"


@pytest.fixture(scope="module")
def settings(
    tmp_path_factory: pytest.TempPathFactory, knowledge_folder: Path, empty_database: Path
) -> Settings:
    home = tmp_path_factory.mktemp("home")
    shutil.copy(empty_database, home)
    (home / "knowledge").symlink_to(knowledge_folder)
    engines = {"demo": EngineSettings(kind="echo", demo_only=True)}
    return Settings(home=home, engines=engines, encoder="hashing")


@pytest.fixture(scope="module")
def client(settings: Settings) -> Iterator[TestClient]:
    """One for the module: opening the terms takes longer than all checks."""
    app = build_app(settings, with_ui=False)
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as opened:
        yield opened


def allowing(settings: Settings, old: str, new: str) -> None:
    """The shipped rule set with one line of the hospital's own."""
    rules = files("assistant.tasks.record_qc").joinpath("data/rules.yaml").read_text("utf-8")
    assert old in rules
    (settings.home / OWN).write_text(rules.replace(old, new), encoding="utf-8")


def checked(client: TestClient, stay: dict[str, Any], number: int, department: str) -> Any:
    """A report of a stay of one's own with a defect; (id of the draft, report)."""
    stay = copy.deepcopy(stay)
    stay["id"], stay["department"] = f"enc-{number}", department
    stay["patient"] |= {"id": f"pat-{number}", "name": "李建华"}
    stay["notes"][2]["text"] += "\n今日血压 80/130mmHg。"
    answer = client.post(PATH, json={"encounter": stay})
    assert answer.status_code == 200, answer.text
    draft = answer.json()["drafts"][0]
    return draft["id"], draft.get("draft", draft)


def dismissed(client: TestClient, stay: dict[str, Any], number: int, department: str) -> None:
    draft, report = checked(client, stay, number, department)
    finding = next(one for one in report["findings"] if one["kind"] == KIND)
    body = {
        "draft_id": draft,
        "verdict": "dislike",
        "section": finding["id"],
        "quote": KIND,
        "comment": REASON,
    }
    of_stay = {"X-Patient-Id": f"pat-{number}", "X-Encounter-Id": f"enc-{number}"}
    answer = client.post("/v1/feedback", json=body, headers=of_stay)
    assert answer.status_code < 300, answer.text


def test_what_a_department_dismisses_is_shown_and_turned_down(
    client: TestClient, settings: Settings, stay: dict[str, Any]
) -> None:
    allowing(settings, "often_dismissed: 5", "often_dismissed: 2")
    for number in range(2):
        dismissed(client, stay, number, "呼吸科")
    _, report = checked(client, stay, 5, "心内科")
    # The same stay once more in the month: the newest report counts.
    checked(client, stay, 5, "心内科")
    shown = client.get(f"{PATH}/departments/counts").json()
    rows = [row for row in shown["kinds"] if row["kind"] == KIND]
    assert [(r["department"], r["findings"], r["dismissed"]) for r in rows] == [
        ("呼吸科", 2, 2),
        ("心内科", 1, 0),
    ]
    assert [(s["department"], s["stays"]) for s in shown["scores"]] == [
        ("呼吸科", 2),
        ("心内科", 1),
    ]
    assert shown["scores"][0]["mean_score"] == pytest.approx(report["score"])
    (often,) = shown["often_dismissed"]
    assert (often["department"], often["kind"], often["dismissed"]) == ("呼吸科", KIND, 2)
    assert "李建华" not in str(shown)
    assert "录入笔误" in str(often["reasons"])

    table = client.get(f"{PATH}/departments/export.csv", params={"name": "呼吸科"})
    lines = list(csv.DictReader(io.StringIO(table.text.removeprefix("\ufeff"))))
    assert {line["department"] for line in lines} == {"呼吸科"}
    assert "李建华" not in table.text

    down = {"department": "呼吸科", "kind": KIND, "action": "mute", "reason": "录入习惯"}
    assert client.post(f"{PATH}/adjustments", json=down).status_code == 403
    assert client.post(f"{PATH}/adjustments", json=down, headers=ADMIN).status_code == 200
    _, muted = checked(client, stay, 6, "呼吸科")
    assert KIND not in {one["kind"] for one in muted["findings"]}
    assert KIND in muted["skipped"], "what is muted is said"
    _, elsewhere = checked(client, stay, 7, "心内科")
    assert KIND in {one["kind"] for one in elsewhere["findings"]}

    lower = down | {"action": "lower"}
    client.post(f"{PATH}/adjustments", json=lower, headers=ADMIN)
    _, lowered = checked(client, stay, 8, "呼吸科")
    finding = next(one for one in lowered["findings"] if one["kind"] == KIND)
    assert (finding["severity"], lowered["adjusted"]) == ("info", [KIND])
    back = down | {"action": "restore"}
    assert client.post(f"{PATH}/adjustments", json=back, headers=ADMIN).json() == {
        "adjustments": []
    }
    assert client.post(f"{PATH}/adjustments", json=back, headers=ADMIN).status_code == 404
    log = client.get("/v1/audit", headers=ADMIN, params={"limit": 200}).json()
    actions = [row["action"] for row in log]
    assert {"qc.mute", "qc.lower", "qc.restore", "qc.dashboard"} <= set(actions)


def test_a_critical_kind_is_never_muted(client: TestClient) -> None:
    asked = {"department": "", "kind": "allergy_order", "action": "mute", "reason": "太多"}
    answer = client.post(f"{PATH}/adjustments", json=asked, headers=ADMIN)
    assert answer.status_code == 422
    assert "只能降级" in answer.json()["detail"]
    lower = asked | {"action": "lower"}
    assert client.post(f"{PATH}/adjustments", json=lower, headers=ADMIN).status_code == 200
    for wrong in (lower | {"kind": "no_such_kind"}, lower | {"reason": "  "}):
        answer = client.post(f"{PATH}/adjustments", json=wrong, headers=ADMIN)
        assert answer.status_code == 422


def test_who_may_look_and_doctors_are_counted_only_where_allowed(
    client: TestClient, settings: Settings, stay: dict[str, Any]
) -> None:
    for role in ("student", "nurse", "pharmacist"):
        answer = client.get(f"{PATH}/departments/counts", headers={"X-Actor-Role": role})
        assert answer.status_code == 403
    allowing(settings, "by_doctor: false", "by_doctor: false")
    checked(client, stay, 9, "儿科")
    assert client.get(f"{PATH}/departments/counts", params={"by_doctor": True}).status_code == 403
    shipped = client.get(f"{PATH}/departments/counts").json()["kinds"]
    assert {row["doctor"] for row in shipped} == {""}
    allowing(settings, "by_doctor: false", "by_doctor: true")
    rows = client.get(f"{PATH}/departments/counts", params={"by_doctor": True}).json()["kinds"]
    author = stay["notes"][2]["author"]
    assert author in {row["doctor"] for row in rows if row["kind"] == KIND}


def test_days_the_wrong_way_round_are_a_sentence(client: TestClient) -> None:
    asked = {"from": "2026-02-01", "to": "2026-01-01"}
    answer = client.get(f"{PATH}/departments/counts", params=asked)
    assert answer.status_code == 422
    assert "早于" in answer.json()["detail"]
