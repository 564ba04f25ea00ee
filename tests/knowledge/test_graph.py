from __future__ import annotations

import pytest

from knowledge.base import KnowledgeBase
from knowledge.graph import diagnosis_key
from knowledge.ranking.demographics import Sex
from knowledge.text.finding import Finding


def findings(base: KnowledgeBase, text: str) -> list[Finding]:
    return base.extractor.extract(text, "note")


@pytest.mark.parametrize(
    ("text", "age", "sex", "expected"),
    [
        ("孩子发烧两天，手上有红点，嘴里起泡，流口水", 3.0, None, "手足口病"),
        ("转移性右下腹痛1天，恶心、呕吐，麦氏点压痛", 25.0, "male", "急性阑尾炎"),
        ("停经50天，下腹痛伴阴道出血", 28.0, "female", "异位妊娠"),
        ("多饮、多尿、体重下降3个月", 55.0, "male", "2型糖尿病"),
        ("打喷嚏、流清鼻涕、鼻子痒，不发烧", 20.0, None, "过敏性鼻炎"),
        ("尿频、尿急、尿痛2天", 30.0, "female", "泌尿道感染"),
        ("突发右侧肢体偏瘫、言语不清、口角歪斜", 70.0, "male", "脑梗死"),
    ],
)
def test_the_fitting_disease_ranks_first(
    base: KnowledgeBase, text: str, age: float, sex: Sex | None, expected: str
) -> None:
    ranked = base.graph.rank(findings(base, text), age_years=age, sex=sex, limit=5)
    assert ranked[0].disease.name == expected


def test_a_denied_finding_lowers_the_diseases_that_show_it(base: KnowledgeBase) -> None:
    def score(text: str) -> float:
        ranked = base.graph.rank(findings(base, text), limit=26)
        return next(r.score for r in ranked if r.disease.name == "手足口病")

    assert score("发热、皮疹，无疱疹") < score("发热、皮疹")


def test_reasons_name_the_findings_for_and_against(base: KnowledgeBase) -> None:
    text = "发热、咳嗽、咳痰3天，无胸痛"
    ranked = base.graph.rank(findings(base, text), limit=26)
    pneumonia = next(r for r in ranked if r.disease.name == "肺炎")
    relations = {reason.concept: reason.relation for reason in pneumonia.reasons}
    assert relations["咳痰"] == "for"
    assert relations["胸痛"] == "against"
    for reason in pneumonia.reasons:
        assert text[reason.finding.span.start : reason.finding.span.end] == reason.finding.text
        assert (reason.weight > 0) == (reason.relation == "for")


def test_what_to_ask_is_listed_and_not_mentioned(base: KnowledgeBase) -> None:
    found = findings(base, "发热、咳嗽，无胸痛")
    for entry in base.graph.rank(found, limit=10):
        listed = {*entry.disease.symptoms, *entry.disease.signs}
        assert set(entry.to_ask) <= listed
        assert not {"发热", "咳嗽", "胸痛"} & set(entry.to_ask)


def test_sex_rules_out(base: KnowledgeBase) -> None:
    found = findings(base, "停经、下腹痛、阴道出血")
    names = [r.disease.name for r in base.graph.rank(found, sex="male", age_years=30, limit=5)]
    assert "异位妊娠" not in names


def test_only_denied_past_or_family_findings_rank_nothing(base: KnowledgeBase) -> None:
    text = "否认发热、咳嗽。既往史：胸痛。家族史：父亲咳嗽。"
    assert base.graph.rank(findings(base, text), limit=5) == []
    assert base.graph.critical(findings(base, text), None, None) == []


def test_scores_fall_and_stay_shares(base: KnowledgeBase) -> None:
    ranked = base.graph.rank(findings(base, "发热、头痛、呕吐"), limit=26)
    scores = [entry.score for entry in ranked]
    assert scores == sorted(scores, reverse=True)
    assert 0 < sum(scores) <= 1.0001


def test_limit_zero_gives_nothing(base: KnowledgeBase) -> None:
    assert base.graph.rank(findings(base, "发热"), limit=0) == []


def test_a_disease_is_found_by_name_and_alias(base: KnowledgeBase) -> None:
    by_alias = base.graph.disease("宫外孕")
    assert by_alias is not None
    assert by_alias.name == "异位妊娠"
    assert by_alias.icd10 == ("O00.9",)
    assert base.graph.disease("没有这种病") is None


def test_critical_diagnoses_carry_their_reasons(base: KnowledgeBase) -> None:
    text = "突发胸痛伴大汗、呼吸困难1小时"
    called = base.graph.critical(findings(base, text), 60, "male")
    by_name = {diagnosis.name: diagnosis for diagnosis in called}
    assert {"急性心肌梗死", "肺栓塞", "张力性气胸"} <= by_name.keys()
    infarction = by_name["急性心肌梗死"]
    assert infarction.disease == "急性心肌梗死"
    assert {"胸痛", "多汗"} <= {finding.concept for finding in infarction.reasons}
    assert infarction.excluded_by
    assert infarction.red_flags


def test_a_denied_trigger_calls_for_nothing(base: KnowledgeBase) -> None:
    assert base.graph.critical(findings(base, "无胸痛、呼吸困难"), 60, "male") == []


@pytest.mark.parametrize(
    ("text", "age", "sex", "name", "called"),
    [
        ("下腹痛，阴道出血", 28.0, "female", "异位妊娠", True),
        ("下腹痛，阴道出血", 28.0, "male", "异位妊娠", False),
        ("睾丸疼痛2小时", 14.0, "male", "睾丸扭转", True),
        ("发热，手上起疱疹，易惊", 2.0, None, "重症手足口病", True),
        ("发热，手上起疱疹，易惊", 40.0, None, "重症手足口病", False),
        ("阵发性哭闹，呕吐，果酱样大便", 0.7, None, "肠套叠", True),
        ("发热5天，皮疹，结膜充血", 2.0, None, "川崎病", True),
        ("犬吠样咳嗽，声音嘶哑", 2.0, None, "急性喉梗阻", True),
        ("撕裂样胸痛", None, None, "主动脉夹层", True),
    ],
)
def test_age_and_sex_limit_what_must_not_be_missed(
    base: KnowledgeBase, text: str, age: float | None, sex: Sex | None, name: str, called: bool
) -> None:
    found = base.graph.critical(findings(base, text), age, sex)
    assert (name in [diagnosis.name for diagnosis in found]) is called


@pytest.mark.parametrize(
    ("one", "other"), [("小儿肺炎", "肺炎"), ("急性阑尾炎", "阑尾炎"), ("婴幼儿腹泻", "小儿腹泻")]
)
def test_names_of_one_diagnosis_share_a_key(one: str, other: str) -> None:
    assert diagnosis_key(one) == diagnosis_key(other)
