from __future__ import annotations

import pytest

from assistant.tasks.structuring.heads import words
from assistant.tasks.structuring.lexicon_recognizer import LexiconRecognizer


def found(text: str) -> set[tuple[str, str]]:
    return {(text[s.start : s.end], s.type.value) for s in LexiconRecognizer().recognise(text)}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("左小腿畸形", "sign"),
        ("双下肢肿", "sign"),
        ("腰椎棘突压痛", "sign"),
        ("眼睑肿", "sign"),
        ("气管移位", "sign"),
        ("左房增大", "sign"),
        ("阑尾增粗", "sign"),
        ("左侧胸腔少量积液", "sign"),
        ("切口红肿", "sign"),
        ("上腹持续胀痛", "symptom"),
        ("右手无名指疼痛", "symptom"),
        ("右足麻木", "symptom"),
        ("腰1压缩骨折", "disease"),
        ("左肺肿瘤", "disease"),
        ("左乳Ca", "disease"),
        ("肝转移", "disease"),
        ("AVF感染", "disease"),
        ("新型冠状病毒感染", "disease"),
        ("泌尿系感染", "disease"),
        ("白细胞升高", "sign"),
    ],
)
def test_a_finding_by_its_form_is_whole(text: str, kind: str) -> None:
    assert (text, kind) in found(f"见{text}。")


def test_a_test_whose_result_is_told_stays_a_test() -> None:
    assert ("白细胞", "test") in found("白细胞升高至15×10^9/L")


@pytest.mark.parametrize("text", ["无名指痛风", "胃Calot三角"])
def test_a_head_that_goes_on_is_none(text: str) -> None:
    assert not {name for name, _ in found(text)} & {"无名指痛", "胃Ca"}


def test_every_row_of_the_table_is_used() -> None:
    assert set(words()) == {
        *((kind, part) for kind in ("disease", "sign", "symptom", "test") for part in ("before",)),
        *((kind, "head") for kind in ("disease", "sign", "symptom", "test")),
        ("disease", "after"),
        ("infection", "where"),
        ("infection", "what"),
        ("part", "where"),
    }


def test_a_word_that_holds_a_finding_of_the_base_is_none_of_it() -> None:
    assert not {name for name, _ in found("切口干燥，已做跌倒风险评估。")} & {"口干", "跌倒"}
    assert ("口干", "symptom") in found("口干，")


def test_a_body_part_does_not_cut_a_finding() -> None:
    assert ("骶尾部皮肤压红", "sign") in found("骶尾部皮肤压红2×3cm")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("考虑脆性X综合征。", "脆性X综合征"),
        ("诊断为Sturge-Weber综合征及癫痫", "Sturge-Weber综合征"),
    ],
)
def test_a_syndrome_is_one_by_its_word(text: str, name: str) -> None:
    assert (name, "disease") in found(text)
