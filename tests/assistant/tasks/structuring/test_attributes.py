from __future__ import annotations

import pytest

from assistant.tasks.structuring.attributes import assertions, is_allergen
from assistant.tasks.structuring.span import EntityType, TypedSpan
from knowledge.text.document import Document

DISEASE, DRUG, TEST = EntityType.DISEASE, EntityType.DRUG, EntityType.TEST
PROCEDURE, IMAGING = EntityType.PROCEDURE, EntityType.IMAGING


def span(text: str, word: str, kind: EntityType) -> TypedSpan:
    start = text.index(word)
    return TypedSpan(start, start + len(word), kind)


@pytest.mark.parametrize(
    ("text", "word", "kind", "polarity", "temporality"),
    [
        ("未行CT检查", "CT", IMAGING, "absent", "current"),
        ("血常规未见异常", "血常规", TEST, "present", "current"),
        ("HBsAg阴性", "HBsAg", TEST, "present", "current"),
        ("否认手术、输血史", "输血", PROCEDURE, "absent", "past"),
        ("拒绝化疗", "化疗", PROCEDURE, "absent", "current"),
        ("停用阿司匹林", "阿司匹林", DRUG, "present", "past"),
        ("未规律服用阿司匹林", "阿司匹林", DRUG, "absent", "current"),
        ("建议完善头颅MRI", "头颅MRI", IMAGING, "present", "hypothetical"),
        ("拟行胆囊切除术", "胆囊切除术", PROCEDURE, "present", "hypothetical"),
        ("口服阿司匹林", "阿司匹林", DRUG, "present", "current"),
        ("否认高血压", "高血压", DISEASE, "absent", "current"),
    ],
)
def test_done_is_another_question_than_found(
    text: str, word: str, kind: EntityType, polarity: str, temporality: str
) -> None:
    found = assertions(Document(text), [span(text, word, kind)])[0]
    assert (found.polarity, found.temporality) == (polarity, temporality)


def test_a_test_between_two_findings_does_not_break_a_denied_list() -> None:
    text = "无发热、咳嗽及胸痛，血常规正常"
    spans = [span(text, w, EntityType.SYMPTOM) for w in ("发热", "咳嗽", "胸痛")]
    spans.append(span(text, "血常规", TEST))
    assert [a.polarity for a in assertions(Document(text), spans)] == ["absent"] * 3 + ["present"]


def test_a_nested_span_is_meant_as_the_one_around_it() -> None:
    text = "否认2型糖尿病肾病"
    spans = [span(text, "2型糖尿病肾病", DISEASE), span(text, "2型糖尿病", DISEASE)]
    assert [a.polarity for a in assertions(Document(text), spans)] == ["absent", "absent"]


def test_a_wording_that_denies_by_itself() -> None:
    text = "体温正常"
    whole = TypedSpan(0, 4, EntityType.SYMPTOM)
    assert assertions(Document(text), [whole], {(0, 4): True})[0].polarity == "absent"


@pytest.mark.parametrize(
    ("text", "allergic"),
    [
        ("对青霉素过敏", True),
        ("青霉素过敏史", True),
        ("予青霉素静滴，无过敏反应", False),
        ("青霉素过敏试验阴性", False),
        ("服用青霉素后出现皮疹", True),
        ("输注青霉素2g时出现全身皮肤瘙痒", True),
        ("口服青霉素3天后未出现皮疹", False),
        ("口服青霉素后皮疹消退", False),
        ("静滴青霉素后出现皮疹明显减少", False),
        ("予青霉素后体温下降，出现皮疹", False),
    ],
)
def test_allergens(text: str, allergic: bool) -> None:
    assert is_allergen(text, span(text, "青霉素", DRUG)) is allergic
