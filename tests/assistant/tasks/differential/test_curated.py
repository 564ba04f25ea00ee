"""The panel's baseline on the curated entries that ship."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from assistant.record.case import Case
from assistant.tasks.differential.case_context import examine
from assistant.tasks.differential.draft import DiagnosisEntry, DifferentialDraft
from assistant.tasks.differential.finding_words import has
from assistant.tasks.differential.ranking_member import rank_by_knowledge
from knowledge.base import KnowledgeBase
from knowledge.text.finding import Finding, Polarity, Span

DDX = "/v1/differential-diagnoses"
PATIENT = {"X-Patient-Id": "pat-1", "X-Encounter-Id": "enc-1"}
INFARCTION = {
    "chief_complaint": "胸痛3小时",
    "present_illness": "3小时前突发持续胸骨后压榨性疼痛，向左肩放射，大汗，无发热。",
    "past_history": "高血压10年，吸烟30年。对阿司匹林过敏。",
    "examination": "BP 95/60mmHg，心率110次/分。",
    "tests": "心电图Ⅱ、Ⅲ、aVF导联ST段抬高，肌钙蛋白I 5.2 ng/ml。",
}


def case(**fields: str) -> dict[str, Any]:
    about = {"id": "pat-1", "sex": "male", "age_text": "65岁", "age_years": 65}
    return {"patient": about, "encounter_id": "enc-1", **fields}


def ranked(base: KnowledgeBase, **fields: str) -> DifferentialDraft:
    return rank_by_knowledge(examine(Case.model_validate(case(**fields)), base))


def named(entries: list[DiagnosisEntry]) -> list[str]:
    return [entry.name for entry in entries]


def test_an_infarction_comes_first_and_is_not_to_be_missed(curated: KnowledgeBase) -> None:
    draft = ranked(curated, **INFARCTION)
    assert any("心肌梗死" in name for name in named(draft.diagnoses)[:2])
    assert any("心肌梗死" in name for name in named(draft.critical))


def test_a_second_problem_is_proposed_for_what_the_first_does_not_explain(
    curated: KnowledgeBase,
) -> None:
    gout = "另右足第一跖趾关节红肿热痛2天，夜间突发，饮酒后发作，血尿酸620μmol/L。"
    both = INFARCTION | {"present_illness": INFARCTION["present_illness"] + gout}
    draft = ranked(curated, **both)
    assert "心肌梗死" in draft.diagnoses[0].name
    assert draft.second_problem is not None
    assert "痛风" in draft.second_problem.name
    ids = [s.id for s in draft.statements()]
    assert len(ids) == len(set(ids))
    assert ranked(curated, **INFARCTION).second_problem is None


def test_every_reason_points_into_the_record(curated: KnowledgeBase) -> None:
    first = ranked(curated, **INFARCTION).diagnoses[0]
    said = "".join(s.text for s in first.supporting)
    assert "压榨" in said
    assert "5.2" in said
    for statement in first.supporting:
        span = statement.evidence[0]
        assert span.kind == "span"
        text = INFARCTION[span.note_id]
        assert text[span.start : span.end] in statement.text


def test_a_gap_in_a_list_speaks_against_nothing(curated: KnowledgeBase) -> None:
    for entry in ranked(curated, **INFARCTION).diagnoses:
        assert not any("未列入" in s.text for s in entry.opposing)
        assert all("不作为反对依据" in s.text for s in entry.unexplained)


def test_what_speaks_for_a_disease_by_one_name_is_not_unexplained_by_another(
    curated: KnowledgeBase,
) -> None:
    block = INFARCTION | {"tests": "心电图：II、III、aVF ST段抬高0.3mV，三度房室传导阻滞。"}
    diagnoses = ranked(curated, **block).diagnoses
    assert any("三度房室传导阻滞" in s.text for e in diagnoses for s in e.supporting)
    for entry in diagnoses:
        places = [s.evidence[0] for s in entry.unexplained]
        spans = [(one.start, one.end) for one in places if one.kind == "span"]
        assert len(set(spans)) == len(places)
        if any("三度房室传导阻滞" in s.text for s in entry.supporting):
            assert not any("三度房室传导阻滞" in s.text for s in entry.unexplained)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("BP 96/62mmHg", "病历写“BP 96/62mmHg”"),
        ("腹软无压痛", "病历写“腹软无压痛”"),
        ("高血压、", "无“高血压”"),
        ("胸痛", "无“胸痛”"),
    ],
)
def test_what_excludes_a_finding_by_itself_is_not_denied_once_more(text: str, said: str) -> None:
    concept = {"BP 96/62mmHg": "低血压", "腹软无压痛": "腹部压痛", "高血压、": "高血压病史"}
    span = Span(note_id="n", start=0, end=len(text))
    finding = Finding(
        text=text, concept=concept.get(text, text), span=span, polarity=Polarity.ABSENT
    )
    assert has(finding) == said


def test_what_the_record_tells_more_closely_is_not_asked(curated: KnowledgeBase) -> None:
    first = ranked(curated, text="转移性右下腹痛1天，麦氏点压痛、反跳痛，无恶心。").diagnoses[0]
    assert "阑尾炎" in first.name
    asked = "".join(s.text for s in first.ask)
    assert not any(name in asked for name in ("右下腹压痛", "右下腹反跳痛", "恶心"))


def test_the_plan_warns_of_what_this_record_says(curated: KnowledgeBase) -> None:
    first = ranked(curated, **INFARCTION).diagnoses[0]
    assert first.management
    assert first.tests
    assert all(s.status == "supported" and s.evidence for s in first.management)


@pytest.mark.parametrize("text", ["来院体检。", "无发热，无胸痛。" * 5, "a" * 20_000])
def test_nothing_to_go_by_is_said(curated: KnowledgeBase, text: str) -> None:
    draft = ranked(curated, text=text)
    assert draft.diagnoses == [] or draft.warnings == []


def test_traditional_characters_change_nothing(curated: KnowledgeBase) -> None:
    simple = ranked(curated, text="突发胸骨后压榨性疼痛3小时，大汗，ST段抬高")
    traditional = ranked(curated, text="突發胸骨後壓榨性疼痛3小時，大汗，ST段抬高")
    assert named(simple.diagnoses) == named(traditional.diagnoses)


def test_a_long_case_is_read(curated: KnowledgeBase) -> None:
    text = "反复咳嗽咳痰，活动后气促，双下肢水肿。" * 1000
    assert ranked(curated, text=text[:20_000]).diagnoses


def test_answers_change_the_order(curated_client: TestClient) -> None:
    job = curated_client.post(DDX, params={"wait": True}, json=case(text="突发胸痛2小时")).json()
    path = f"{DDX}/{job['id']}/answers"
    before = curated_client.post(path, json={}, headers=PATIENT).json()
    assert len(before["questions"]) == 5
    answers = [{"finding": "ST段抬高", "answer": "yes"}, {"finding": "无此表现", "answer": "yes"}]
    after = curated_client.post(path, json={"answers": answers}, headers=PATIENT).json()
    assert after["unknown_findings"] == ["无此表现"]
    assert "ST段抬高" not in [q["finding"] for q in after["questions"]]

    def share(answer: dict[str, Any]) -> float:
        found = [d["probability"] for d in answer["diagnoses"] if "心肌梗死" in d["name"]]
        return float(sum(found))

    assert share(after) > share(before)


def test_answers_are_of_the_patients_own_case(curated_client: TestClient) -> None:
    job = curated_client.post(DDX, params={"wait": True}, json=case(text="突发胸痛2小时")).json()
    path = f"{DDX}/{job['id']}/answers"
    other = {"X-Patient-Id": "pat-2", "X-Encounter-Id": "enc-1"}
    assert curated_client.post(path, json={}, headers=other).status_code == 404
    bad = {"answers": [{"finding": "发热", "answer": "maybe"}]}
    assert curated_client.post(path, json=bad, headers=PATIENT).status_code == 422


def test_what_nobody_has_reviewed_says_so_where_it_is_cited(curated: KnowledgeBase) -> None:
    draft = ranked(curated, **INFARCTION)
    sources = {
        e.source
        for entry in (*draft.diagnoses, *draft.critical)
        for s in entry.statements()
        for e in s.evidence
        if e.kind == "passage" and "临床知识库" in e.source
    }
    assert sources == {"临床知识库（未经临床审阅）"}
    assert curated.sources[0].passages == len(curated.clinical.entries)
