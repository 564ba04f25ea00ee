"""What a doctor sees of the alerts: on the samples, at a moment, after an answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient
from typer.testing import CliRunner

from assistant.alerts.engine import alerts_of
from assistant.alerts.policy import to_show
from assistant.alerts.rule import Sample, shipped_rules
from assistant.alerts.sample import encounter_of
from assistant.cli import app
from assistant.record.encounter import Encounter

SAMPLES = sorted(
    (Path(__file__).parents[3] / "assistant" / "samples" / "encounters").glob("*.json")
)
ALERTS = "/v1/alerts"


def test_clean_samples_have_at_most_one_alert_that_interrupts() -> None:
    encounters = [Encounter.model_validate_json(path.read_bytes()) for path in SAMPLES]
    assert len(encounters) == 10
    found = [a for e in encounters for a in alerts_of(e, shipped_rules()) if a.interruptive]
    assert len(found) <= 1, [alert.message for alert in found]


def test_a_moment_and_drafts_narrow_what_is_said() -> None:
    sample = Sample(drugs=("华法林钠片", "氟康唑胶囊", "呋塞米片", "硫酸庆大霉素注射液"))
    encounter = encounter_of(sample)
    rules = shipped_rules()
    every = {a.rule for a in alerts_of(encounter, rules)}
    assert {"warfarin-azole", "aminoglycoside-loop"} <= every
    assert not {a.rule for a in alerts_of(encounter, rules, moment="view")} & every
    drafted = alerts_of(encounter, rules, moment="order", drafts=["m1"])
    assert {a.rule for a in drafted} == {"warfarin-azole"}


def test_one_dose_after_the_other_is_no_pair() -> None:
    encounter = encounter_of(Sample(drugs=("华法林钠片", "氟康唑胶囊")))
    rows = encounter.medications
    rows[0] = rows[0].model_copy(update={"stop": rows[0].start})
    rows[1] = rows[1].model_copy(update={"start": encounter.admitted_at.date().replace(day=5)})  # type: ignore[union-attr]
    assert not alerts_of(encounter, shipped_rules())


def test_a_rule_that_fails_takes_no_other_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from assistant.alerts import engine

    real = engine.ways

    def ways(rule: Any, facts: Any) -> Iterator[Any]:
        if rule.id == "allergy":
            raise KeyError("x")
        return real(rule, facts)

    monkeypatch.setattr(engine, "ways", ways)
    sample = Sample(drugs=("华法林钠片", "氟康唑胶囊"))
    assert [a.rule for a in alerts_of(encounter_of(sample), shipped_rules())] == ["warfarin-azole"]


def test_few_interrupt_at_once() -> None:
    note = "对青霉素、头孢、磺胺、阿司匹林过敏。"
    drugs = ("注射用青霉素钠", "注射用头孢曲松钠", "复方磺胺甲噁唑片", "布洛芬缓释胶囊")
    found = alerts_of(encounter_of(Sample(drugs=drugs, note=note)), shipped_rules())
    assert sum(a.interruptive for a in found) == 4
    shown = to_show(found, set(), 2)
    assert len(shown) == len(found)
    assert sum(a.interruptive for a in shown) == 2
    assert not to_show(found, {a.key for a in found}, 2)


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_is_read(note: str, drug: str) -> None:
    sample = Sample(drugs=(drug,) if drug.strip() and " " not in drug else (), note=note)
    try:
        encounter = encounter_of(sample)
    except ValueError:
        return
    rules = {key: rule for key, rule in shipped_rules().items() if key != "must-not-miss"}
    for alert in alerts_of(encounter, rules):
        for place in alert.evidence:
            told = encounter.note(place.note_id)
            assert told is not None
            assert told.text[place.start : place.end] == place.quote


def body(*drugs: str, note: str = "既往史：青霉素过敏。") -> dict[str, Any]:
    encounter = encounter_of(Sample(drugs=drugs, note=note))
    return {"encounter": encounter.model_dump(mode="json")}


HEADERS = {"X-Patient-Id": "pat-sample", "X-Encounter-Id": "enc-sample"}


def test_an_answer_is_kept_and_the_alert_stays_away(client: TestClient) -> None:
    (alert,) = client.post(ALERTS, json=body("注射用青霉素钠")).json()["alerts"]
    assert (alert["severity"], alert["interruptive"]) == ("critical", True)
    place = f"{ALERTS}/{alert['card_id']}/answer"
    assert client.post(place, json={"outcome": "overridden"}, headers=HEADERS).status_code == 422
    said = {"outcome": "overridden", "reason": "known", "comment": "皮试阴性"}
    other = HEADERS | {"X-Patient-Id": "pat-2"}
    assert client.post(place, json=said, headers=other).status_code == 404
    assert client.post(place, json=said, headers=HEADERS).status_code == 204
    again = client.post(ALERTS, json=body("注射用青霉素钠")).json()
    assert (again["alerts"], again["hidden"]) == ([], 1)
    changed = client.post(ALERTS, json=body("注射用青霉素钠", "注射用阿莫西林钠")).json()
    assert [a["drugs"] for a in changed["alerts"]] == [["m1"]]
    admin = {"X-Actor-Role": "auditor"}
    rates = client.get(f"{ALERTS}/rates", headers=admin).json()
    (rate,) = [r for r in rates if r["rule"] == "allergy"]
    assert (rate["cards"], rate["overridden"], rate["override_rate"]) == (2, 1, 1.0)
    assert client.get(f"{ALERTS}/rates").status_code == 403


def test_rates_outlast_a_purge_and_text_does_not(client: TestClient) -> None:
    (alert,) = client.post(ALERTS, json=body("注射用青霉素钠")).json()["alerts"]
    said = {"outcome": "overridden", "comment": "患者坚持使用"}
    client.post(f"{ALERTS}/{alert['card_id']}/answer", json=said, headers=HEADERS)
    store = client.app.state.services.store  # type: ignore[attr-defined]
    from assistant.store import SYSTEM
    from assistant.store.models.card import CardRow

    store.purge_patient("pat-sample", SYSTEM)
    with store.database.read() as session:
        row = session.get(CardRow, alert["card_id"])
    assert (row.patient_id, row.encounter_id, row.comment, row.key) == ("", "", "", "")
    assert store.cards.rates()[0].overridden == 1
    assert store.audit.verify().ok


def test_the_rules_are_listed(client: TestClient) -> None:
    listed = client.get(f"{ALERTS}/rules").json()
    assert {rule["id"] for rule in listed} == set(shipped_rules())
    assert all(rule["source"] for rule in listed)


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEDSIDE_HOME", str(tmp_path))
    file = tmp_path / "encounter.json"
    file.write_text(json.dumps(body("注射用青霉素钠")["encounter"]), encoding="utf-8")
    said = CliRunner().invoke(app, ["alerts", str(file)])
    assert said.exit_code == 0
    assert "过敏" in said.output
    listed = CliRunner().invoke(app, ["alerts", str(file), "--json"])
    assert [alert["rule"] for alert in json.loads(listed.output)] == ["allergy"]
    quiet = CliRunner().invoke(app, ["alerts", str(file), "--moment", "discharge", "--json"])
    assert quiet.exit_code == 0


def test_a_drug_that_is_said_to_be_stopped_is_not_given() -> None:
    """FHIR's status ``stopped`` without a day stands in the frequency."""

    def found(frequency: str) -> list[str]:
        rows = [
            {"id": "a", "name": "华法林钠片", "frequency": frequency},
            {"id": "b", "name": "阿司匹林肠溶片", "frequency": "每日1次"},
        ]
        encounter = {"id": "e", "patient": {"id": "p"}, "medications": rows}
        alerts = alerts_of(Encounter.model_validate(encounter), shipped_rules(), moment="order")
        return [alert.rule for alert in alerts]

    assert "anticoagulant-antiplatelet" in found("3mg 每日1次")
    assert "anticoagulant-antiplatelet" not in found("3mg 每日1次（已停用）")


@pytest.mark.parametrize(
    ("told", "ordered"),
    [
        ("Penicillin G", "注射用青霉素钠"),
        ("Amoxicillin", "阿莫西林胶囊"),
        ("Cefaclor", "注射用头孢曲松钠"),
        ("Ibuprofen", "双氯芬酸钠缓释片"),
    ],
)
def test_an_allergy_in_english_refuses_a_chinese_order(told: str, ordered: str) -> None:
    """As other systems send the substance, by the display of its code."""
    encounter = {
        "id": "e",
        "patient": {"id": "p"},
        "notes": [{"id": "n", "title": "过敏史", "text": f"过敏史：{told}过敏。"}],
        "medications": [{"id": "a", "name": ordered}],
    }
    read = Encounter.model_validate(encounter)
    assert "allergy" in [a.rule for a in alerts_of(read, shipped_rules(), moment="order")]


def test_a_header_of_another_patient_is_refused(client: TestClient) -> None:
    body = {"encounter": {"id": "e1", "patient": {"id": "p1"}}, "moment": "view"}
    answer = client.post(ALERTS, json=body, headers={"X-Patient-Id": "p2"})
    assert answer.status_code == 409
    assert client.post(ALERTS, json=body, headers={"X-Patient-Id": "p1"}).status_code == 200
