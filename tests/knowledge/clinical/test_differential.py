"""The curated ranking: order, reasons, questions, and that it keeps through a file."""

from __future__ import annotations

from pathlib import Path

from knowledge.clinical.base import ClinicalBase
from knowledge.clinical.calibration import shipped_calibration

MI = "男，65岁，突发胸骨后压榨性疼痛3小时，无发热，吸烟20年，肌钙蛋白I 5.2 ng/ml，双肺湿啰音"


def candidates(base: ClinicalBase, text: str, **about: object) -> list[tuple[str, float]]:
    case = base.evidence({"n": text}, **about)  # type: ignore[arg-type]
    return [(c.entry.name, c.probability) for c in base.differential(case).candidates(5)]


def test_the_disease_that_explains_more_comes_first(base: ClinicalBase) -> None:
    assert candidates(base, MI)[0][0] == "急性心肌梗死"
    assert candidates(base, "发热、咳嗽2天，右下肺湿啰音，WBC 15×10⁹/L")[0][0] == "肺炎"


def test_probabilities_sum_to_what_the_entries_are_given(base: ClinicalBase) -> None:
    total = sum(p for _, p in candidates(base, "胸痛、发热"))
    assert abs(total + shipped_calibration().outside - 1) < 1e-6


def test_nothing_known_is_no_candidate(base: ClinicalBase) -> None:
    assert candidates(base, "来院体检") == []
    assert candidates(base, "") == []
    assert candidates(base, "否认胸痛") == []


def test_reasons_say_what_the_record_says(base: ClinicalBase) -> None:
    case = base.evidence({"n": MI}, age_years=65, sex="male")
    first = base.differential(case).candidates(1)[0]
    told = {(r.listed, r.relation) for r in first.reasons}
    assert ("胸骨后压榨样疼痛", "for") in told
    assert ("肌钙蛋白升高", "for") in told
    assert ("吸烟", "for") in told, "what is past counts as history"
    assert ("肺部湿啰音", "unexplained") in told, "a gap in a list speaks against nothing"


def test_a_denied_frequent_finding_speaks_against(base: ClinicalBase) -> None:
    case = base.evidence({"n": "胸痛，无发热，无咳嗽"})
    pneumonia = next(c for c in base.differential(case).candidates(5) if c.entry.name == "肺炎")
    against = {r.listed for r in pneumonia.reasons if r.relation == "against"}
    assert against == {"发热", "咳嗽"}


def test_what_the_entry_excludes_speaks_against(base: ClinicalBase) -> None:
    with_rub = dict(candidates(base, "胸痛、大汗，闻及胸膜摩擦音"))
    without = dict(candidates(base, "胸痛、大汗"))
    assert with_rub["急性心肌梗死"] < without["急性心肌梗死"]


def test_questions_are_of_what_is_not_said(base: ClinicalBase) -> None:
    case = base.evidence({"n": "胸痛"})
    asked = [question.finding for question in base.differential(case).questions()]
    assert asked
    assert "胸痛" not in asked
    assert all(q.information >= 0 for q in base.differential(case).questions())


def test_a_base_is_the_same_after_a_file(base: ClinicalBase, tmp_path: Path) -> None:
    path = tmp_path / "clinical.json"
    base.write(path)
    again = ClinicalBase.read(path)
    assert again.entries == base.entries
    assert again.known.findings == base.known.findings
    assert candidates(again, MI) == candidates(base, MI)


def test_a_folder_without_a_base_has_no_entries(tmp_path: Path) -> None:
    assert ClinicalBase.read(tmp_path / "none.json").entries == ()


def alarms(base: ClinicalBase, text: str, **about: object) -> list[tuple[str, list[str]]]:
    case = base.evidence({"n": text}, **about)  # type: ignore[arg-type]
    called = base.differential(case).alarms()
    return [(alarm.entry.name, [f.text for f in alarm.findings]) for alarm in called]


def test_an_alarm_names_a_disease_that_is_not_likely(base: ClinicalBase) -> None:
    text = "发热、咳嗽2天，WBC 15×10⁹/L，大汗，双下肢水肿"
    assert candidates(base, text)[0][0] == "肺炎"
    [(name, findings)] = alarms(base, text)
    assert name == "急性心肌梗死"
    assert findings == ["大汗", "下肢水肿"], "what is a kind of a finding counts as it"


def test_an_alarm_needs_all_its_findings_and_a_patient_who_can_have_it(base: ClinicalBase) -> None:
    assert alarms(base, "大汗，无水肿") == []
    assert alarms(base, "大汗") == []
    assert alarms(base, "大汗，双下肢水肿", age_years=3) == []
    assert alarms(base, "母亲有下肢水肿，患者大汗") == []
