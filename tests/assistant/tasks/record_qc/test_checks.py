"""What a reviewer of records finds, found; and nothing where nothing is wrong."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pytest

from assistant.tasks.record_qc.draft import QcReport

ENCOUNTERS = files("assistant") / "samples" / "encounters"
GAPS = {
    "colorectal-chemo-cycle4": {"missing_part", "pending_result"},
    "duodenal-ulcer-bleeding": {"missing_allergy"},
}
"""What the samples' README says that they leave open."""


def sample(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ENCOUNTERS / f"{name}.json").read_text("utf-8"))
    return found


def note(stay: dict[str, Any], kind: str) -> dict[str, Any]:
    return next(n for n in stay["notes"] if n["kind"] == kind)


def kinds(report: QcReport) -> set[str]:
    return {finding.kind for finding in report.findings}


@pytest.mark.parametrize("name", sorted(f.name[:-5] for f in ENCOUNTERS.iterdir()))
def test_a_sample_has_only_the_gaps_that_it_is_known_for(name: str, check: Any) -> None:
    assert kinds(check(sample(name))) == GAPS.get(name, set())


@pytest.mark.parametrize(
    ("kind", "words", "finding"),
    [
        ("progress", "对侧病房12床……患者李建华今日发热。", "wrong_name"),
        ("progress", "患者女性，一般情况可。", "wrong_sex"),
        ("progress", "患者男，42岁，病情平稳。", "wrong_age"),
        ("progress", "查看28床，生命体征平稳。", "wrong_bed"),
        ("progress", "B超：子宫及双附件未见占位。", "sex_incompatible"),
        ("progress", "查体：P 76次/分，BP 60/120mmHg。", "impossible_value"),
        ("progress", "复查血红蛋白118mmol/L。", "unit_error"),
        ("progress", "腹部情况：【请填写】。", "template_remnant"),
        ("progress", "地高辛0.125mg QOD口服。", "forbidden_abbreviation"),
        ("admission", "2025年6月31日外院胸片正常。", "impossible_date"),
        ("discharge_day", "出院后继续口服华法林钠片3mg每日1次。", "discharge_medication"),
        ("progress", "明日行电子胃镜检查。", "plan_not_followed"),
    ],
)
def test_a_sentence_that_does_not_belong_is_marked_where_it_stands(
    stay: dict[str, Any], check: Any, kind: str, words: str, finding: str
) -> None:
    target = note(stay, kind)
    start = len(target["text"])
    target["text"] += words
    found = [f for f in check(stay).findings if f.kind == finding]
    assert found, f"{finding} is not found"
    places = [p for f in found for p in f.evidence if p.note_id == target["id"]]
    assert any(p.start >= start for p in places)
    assert all(p.quote == target["text"][p.start : p.end] for p in places)


def test_a_penicillin_is_ordered_for_whoever_is_allergic_to_another(
    stay: dict[str, Any], check: Any
) -> None:
    admission = note(stay, "admission")
    admission["text"] = admission["text"].replace("否认药物、食物过敏史", "青霉素过敏史（皮疹）")
    assert "allergy_order" not in kinds(check(stay))
    stay["medications"].append({"id": "x", "name": "注射用哌拉西林钠他唑巴坦钠"})
    found = [f for f in check(stay).findings if f.kind == "allergy_order"]
    assert found[0].severity == "critical"
    assert {p.note_id for p in found[0].evidence} == {"table:medications", admission["id"]}


def test_a_denied_allergy_forbids_nothing(stay: dict[str, Any], check: Any) -> None:
    stay["medications"].append({"id": "x", "name": "注射用哌拉西林钠他唑巴坦钠"})
    assert "allergy_order" not in kinds(check(stay))


def test_what_one_note_denies_and_another_tells(stay: dict[str, Any], check: Any) -> None:
    note(stay, "first_progress")["text"] += "\n补充：冠心病病史6年。"
    found = [f for f in check(stay).findings if f.kind == "denial_conflict"]
    assert [p.quote for p in found[0].evidence] == ["冠心病", "冠心病"]


def test_a_relatives_illness_contradicts_no_denial(stay: dict[str, Any], check: Any) -> None:
    note(stay, "first_progress")["text"] += "\n补充：患者母亲有冠心病病史6年。"
    assert "denial_conflict" not in kinds(check(stay))


def test_times_limits_and_their_order(stay: dict[str, Any], check: Any) -> None:
    first = note(stay, "first_progress")
    first["written_at"] = "2025-11-03T18:10"
    assert "late_note" not in kinds(check(stay))
    first["written_at"] = "2025-11-03T19:40"
    assert "late_note" in kinds(check(stay))
    note(stay, "progress")["written_at"] = "2025-10-02T09:00"
    assert "date_order" in kinds(check(stay))


def test_a_discharge_before_the_admission_is_a_finding(stay: dict[str, Any], check: Any) -> None:
    stay["discharged_at"] = "2025-11-01T10:00"
    assert "discharge_before_admission" in kinds(check(stay))


@pytest.mark.parametrize("kind", ["admission", "first_progress", "discharge_day"])
def test_a_note_that_is_not_there(stay: dict[str, Any], check: Any, kind: str) -> None:
    stay["notes"] = [n for n in stay["notes"] if n["kind"] != kind]
    assert "missing_note" in kinds(check(stay))


def test_a_stay_that_goes_on_needs_no_discharge_note(stay: dict[str, Any], check: Any) -> None:
    stay["discharged_at"] = None
    stay["notes"] = [n for n in stay["notes"] if n["kind"] != "discharge_day"]
    assert "missing_note" not in kinds(check(stay))


def test_a_value_of_a_note_against_the_laboratory(stay: dict[str, Any], check: Any) -> None:
    progress = next(n for n in stay["notes"] if "复查血钾3.9mmol/L" in n["text"])
    progress["text"] = progress["text"].replace("复查血钾3.9mmol/L", "复查血钾4.9mmol/L")
    found = [f for f in check(stay).findings if f.kind == "value_conflict"]
    assert "4.9mmol/L" in [p.quote for p in found[0].evidence]


def test_a_result_is_told_with_its_power_of_ten(stay: dict[str, Any], check: Any) -> None:
    progress = next(n for n in stay["notes"] if "白细胞7.6×10^9/L" in n["text"])
    progress["text"] = progress["text"].replace("白细胞7.6×", "白细胞17.6×")
    found = [f for f in check(stay).findings if f.kind == "value_conflict"]
    assert "检验结果为 7.6×10^9/L" in found[0].message


def test_a_critical_value_that_nobody_answers(stay: dict[str, Any], check: Any) -> None:
    row = {
        "id": "x", "name": "血小板计数", "value": "11", "unit": "10^9/L", "reference": "125-350",
        "flag": "low", "at": "2025-11-06T06:00",
    }  # fmt: skip
    stay["observations"].append(row)
    assert "critical_unaddressed" in kinds(check(stay))
    next(n for n in stay["notes"] if n.get("written_at") == "2025-11-06T09:30")["text"] += (
        "血小板11×10^9/L，予输注血小板，复查血常规。"
    )
    assert "critical_unaddressed" not in kinds(check(stay))


def test_the_side_of_an_operation_is_one(check: Any) -> None:
    stay = sample("tibial-fracture-right-fixation")
    operation = note(stay, "operation")
    operation["text"] = operation["text"].replace("右胫骨干骨折", "左胫骨干骨折")
    assert "laterality" in kinds(check(stay)) | {"operation_consent"} & kinds(check(stay))


def test_two_days_with_one_text(stay: dict[str, Any], check: Any) -> None:
    progress = [n for n in stay["notes"] if n["kind"] == "progress"]
    progress[2]["text"] = "今日查房。" + progress[1]["text"]
    assert "copy_forward" in kinds(check(stay))


def test_a_diagnosis_that_nothing_speaks_for(stay: dict[str, Any], check: Any) -> None:
    stay["diagnoses"].append({"kind": "discharge", "name": "帕金森病", "icd10": "G20"})
    assert "diagnosis_without_grounds" in kinds(check(stay))


def test_a_drug_without_a_reason(stay: dict[str, Any], check: Any) -> None:
    stay["medications"].append({"id": "x", "name": "左甲状腺素钠片", "dose": "50μg"})
    assert "treatment_without_diagnosis" in kinds(check(stay))


def test_a_plain_text_is_checked_for_what_a_text_can_tell(check: Any) -> None:
    text = "患者，男，45岁，腹痛1天。查体：T 36.5℃，BP 80/130mmHg。诊断：急性胃炎。"
    data = {
        "id": "e",
        "patient": {"id": "p"},
        "notes": [{"id": "text", "kind": "other", "text": text}],
    }
    assert kinds(check(data)) == {"impossible_value"}


@pytest.mark.parametrize("text", ["", "。", "□", "：：：", "患者" * 5000, "主诉：\n现病史：\n"])
def test_any_text_is_answered(text: str, check: Any) -> None:
    data = {
        "id": "e",
        "patient": {"id": "p", "name": "王", "sex": "male"},
        "notes": [{"id": "n", "kind": "admission", "text": text}],
    }
    report = check(data)
    assert 0 <= report.score <= 100
