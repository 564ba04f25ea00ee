from __future__ import annotations

from collections import defaultdict

import pytest

from assistant.tasks.structuring.pipeline import NoteText, Structurer
from knowledge.text.contexts import contexts
from knowledge.text.extraction import FINDING_KINDS
from knowledge.text.finding import Polarity
from knowledge.text.folding import fold
from knowledge.text.term_table import parse_terms, shipped_terms
from knowledge.text.terms import find_terms


def read(text: str) -> list[str]:
    return [text[m.start : m.end] for m in find_terms(text)]


def findings(text: str) -> list[str]:
    return [text[m.start : m.end] for m in find_terms(text) if m.kind in FINDING_KINDS]


def test_wordings_are_given_to_one_name() -> None:
    with pytest.raises(ValueError, match="line 1"):
        list(parse_terms("disease\t肺炎、上呼吸道感染\t上感\n"))


def test_a_wording_may_deny_its_concept() -> None:
    (_, denied) = parse_terms("disease\t药物过敏\t-NKDA\n")
    assert (denied.wording, denied.concept, denied.denied) == ("NKDA", "药物过敏", True)


def test_no_wording_of_a_disease_means_two_of_them() -> None:
    owners: dict[str, set[str]] = defaultdict(set)
    for term in shipped_terms():
        if term.kind is not None and term.kind.value == "disease" and term.wording != term.concept:
            owners[fold(term.wording)].add(term.concept)
    assert {word: names for word, names in owners.items() if len(names) > 1} == {}


def test_no_finding_is_a_single_character() -> None:
    short = {t.wording for t in shipped_terms() if t.kind in FINDING_KINDS and len(t.wording) < 2}
    assert short == {"癌"}


def test_every_context_is_known() -> None:
    assert {term.context for term in shipped_terms()} - {""} == set(contexts())


@pytest.mark.parametrize(
    ("wording", "concept"),
    [
        ("上感", "上呼吸道感染"),
        ("房颤", "心房颤动"),
        ("心衰", "心力衰竭"),
        ("甲减", "甲状腺功能减退症"),
        ("急阑", "急性阑尾炎"),
        ("宫外孕", "异位妊娠"),
        ("HTN", "高血压"),
        ("t2dm", "2型糖尿病"),
        ("AMI", "急性心肌梗死"),
        ("rales", "啰音"),
        ("clubbing", "杵状指"),
    ],
)
def test_what_a_short_form_means(wording: str, concept: str) -> None:
    found = {match.concept for match in find_terms(f"有{wording}，") if match.kind in FINDING_KINDS}
    assert found == {concept}


@pytest.mark.parametrize(
    "text",
    [
        "转移至ICU",
        "注意转移注意力",
        "结核菌素试验",
        "入感染科",
        "肿瘤标志物",
        "进手术室",
        "手术名称",
        "中风险",
        "强迫症状量表",
        "双侧切缘干净",
        "经造瘘口",
        "HBV-DNA 阴性",
        "TB 25.6umol/L",
        "见结节病灶",
        "血糖7.2mmol/L",
        "跌倒风险评估",
        "anti-HCV",
        "ADHD1234",
        "mass of DMEM",
    ],
)
def test_a_word_that_holds_a_term_is_none_of_it(text: str) -> None:
    wrong = {"转移", "结核", "感染", "肿瘤", "手术", "中风", "强迫症", "侧切", "瘘口", "HBV", "TB"}
    wrong |= {"结节病", "跌倒", "HCV", "ADHD", "DM"}
    assert not wrong & set(read(text))


def test_a_test_that_is_a_word_of_a_finding_is_no_test() -> None:
    assert read("高血压10年") == ["高血压"]
    assert "血小板" in read("血小板减少，血小板 45×10^9/L")


def test_a_finding_keeps_the_body_part_that_begins_it() -> None:
    assert {"颈静脉怒张", "颈静脉"} <= set(read("颈静脉怒张"))


def test_words_of_colleagues() -> None:
    text = "CT: infiltrate, pleural effusion；HTN、DM，no fever, SOB(-)，N/V，stroke 3年"
    assert findings(text) == [
        "infiltrate",
        "pleural effusion",
        "HTN",
        "DM",
        "fever",
        "SOB",
        "N/V",
        "stroke",
    ]


def test_a_history_names_the_procedure() -> None:
    assert read("否认手术、外伤史") == ["手术", "外伤"]
    assert "输血" in read("无输血史")
    assert "手术" not in read("手术后第3天")


def test_no_known_drug_allergy_is_a_denial() -> None:
    (entity,) = Structurer(None).structure(NoteText("n", "Allergy: NKDA")).entities
    assert (entity.text, entity.concept, entity.polarity) == ("NKDA", "药物过敏", Polarity.ABSENT)


def test_a_cold_is_no_pneumonia() -> None:
    (entity,) = Structurer(None).structure(NoteText("n", "诊断：上感")).entities
    assert entity.concept == "上呼吸道感染"
