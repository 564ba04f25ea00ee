"""Results, doses and signs of a note, with what it says of their range."""

from __future__ import annotations

import pytest
from structured_sample import assert_exact, one

from assistant.tasks.structuring.export import quantity
from assistant.tasks.structuring.note import NoteText
from assistant.tasks.structuring.pipeline import Structurer
from assistant.tasks.structuring.span import EntityType


def test_the_last_frequency_is_that_of_the_last_dose(structurer: Structurer) -> None:
    note = structurer.structure(NoteText("n", "氨氯地平5mg bid加至10mg qd。"))
    assert [r.object.text for r in note.relations if r.predicate == "频次"] == ["qd"]
    text = "布洛芬口服0.3g，静滴头孢曲松2g。阿司匹林每日1次口服100mg，每晚阿托伐他汀20mg。"
    note = structurer.structure(NoteText("n", text))
    said = {(r.subject.text, r.predicate): r.object.text for r in note.relations}
    assert said["布洛芬", "给药途径"] == "口服"
    assert said["阿司匹林", "频次"] == "每日1次"


def test_a_mutation_that_is_not_there(structurer: Structurer) -> None:
    note = structurer.structure(NoteText("n", "免疫组化：EGFR突变阴性，P53(突变型)。"))
    assert one(note, "P53").flag == "abnormal"
    assert all(e.value != "突变" for e in note.entities)


def test_stains_end_with_their_sentence_or_the_next_heading(structurer: Structurer) -> None:
    text = "免疫组化：CK7--，ER(+)\n血型检查：Rh(+)。"
    note = structurer.structure(NoteText("n", text))
    assert_exact(note, text)
    assert {e.text for e in note.entities if e.type is EntityType.TEST} >= {"CK7", "ER"}
    assert "Rh" not in {e.text for e in note.entities}


@pytest.mark.parametrize(
    ("text", "comparator", "value"),
    [
        ("血糖<=2.2mmol/L。", "<=", "2.2"),
        ("血糖小于2.2mmol/L。", "<", "2.2"),
        ("血糖不超过6.1mmol/L。", "<=", "6.1"),
        ("血糖超过33.3mmol/L。", ">", "33.3"),
        ("血糖5.0->7.0mmol/L。", "", "7"),
    ],
)
def test_signs_in_words_and_letters(
    structurer: Structurer, text: str, comparator: str, value: str
) -> None:
    entity = one(structurer.structure(NoteText("n", text)), "血糖")
    assert (entity.comparator, entity.value) == (comparator, value)


def test_a_sign_before_a_number_is_kept(structurer: Structurer) -> None:
    text = "血糖<2.2mmol/L，肌酐 ≥ 210μmol/L。"
    note = structurer.structure(NoteText("n", text))
    found = {e.text: (e.comparator, e.value) for e in note.entities}
    assert found["血糖"] == ("<", "2.2")
    assert found["肌酐"] == (">=", "210")
    results = {r.object.text for r in note.relations if r.predicate == "结果"}
    assert results == {"<2.2mmol/L", "≥ 210μmol/L"}


def test_stains_and_stages_are_no_blood_tests(structurer: Structurer) -> None:
    note = structurer.structure(NoteText("n", "标本CK5/6（-），P63（-）。分期pT2N1M0。"))
    assert not [e for e in note.entities if e.value]
    vital = structurer.structure(NoteText("n", "P63次/分，CK 210U/L，PT 12.3s。"))
    assert {e.value for e in vital.entities} >= {"63", "210", "12.3"}


def test_stains_have_their_results(structurer: Structurer) -> None:
    text = "免疫组化：ER（+，90%），PR(-)，HER2（2+），Ki-67（30%），P53（野生型）。CT（平扫）。"
    note = structurer.structure(NoteText("n", text))
    assert_exact(note, text)
    found = {e.text: (e.value, e.flag) for e in note.entities if e.value}
    assert found == {
        "ER": ("+", "positive"),
        "PR": ("-", "negative"),
        "HER2": ("2+", None),
        "Ki-67": ("30", None),
        "P53": ("野生型", "normal"),
    }


@pytest.mark.parametrize(
    ("text", "drug", "dose"),
    [
        ("华法林由2.5mg加量至3.75mg。", "华法林", "3.75mg"),
        ("氨氯地平5mg→10mg qd。", "氨氯地平", "10mg"),
        ("二甲双胍0.5g bid，华法林2.5mg。", "二甲双胍", "0.5g"),
        ("缬沙坦氨氯地平片80mg/5mg qd。", "氨氯地平", "80/5mg"),
        ("胰岛素早8U 中6U 晚10U皮下注射。", "胰岛素", "早8 中6 晚10U"),
        ("阿司匹林早100mg口服。", "阿司匹林", "100mg"),
        ("多巴胺180mg加NS至50ml泵入。", "多巴胺", "180mg"),
        ("氨氯地平5mg qd必要时可增至10mg。", "氨氯地平", "5mg"),
        ("氨氯地平5mg拟加至10mg。", "氨氯地平", "5mg"),
        ("泼尼松30mg减至20mg减至10mg。", "泼尼松", "10mg"),
        ("缬沙坦氨氯地平80mg/5mg/12.5mg。", "氨氯地平", "80/5/12.5mg"),
        ("胰岛素早餐前8U、午餐前6U、晚餐前10U。", "胰岛素", "早餐前8 午餐前6 晚餐前10U"),
        ("胰岛素早8U中午6U晚10U。", "胰岛素", "早8 中午6 晚10U"),
        ("胰岛素早8U，基础量12U。", "胰岛素", ""),
        ("氨氯地平5mg q12h减为2.5mg q12h。", "氨氯地平", "2.5mg"),
        ("多巴胺5μg/kg/min泵入。", "多巴胺", "5ug/kg/min"),
        ("泼尼松1mg/kg/d口服。", "泼尼松", "1mg/kg/d"),
        ("沙库巴曲缬沙坦50mg bid。", "缬沙坦", "50mg"),
        ("地塞米松术中5mg、术后10mg静推。", "地塞米松", "5mg"),
        ("氨氯地平每晚5mg→10mg。", "氨氯地平", "10mg"),
        ("哌拉西林/他唑巴坦4.5g q8h。", "他唑巴坦", "4.5g"),
    ],
)
def test_the_dose_is_what_is_taken_now(
    structurer: Structurer, text: str, drug: str, dose: str
) -> None:
    note = structurer.structure(NoteText("n", text))
    assert_exact(note, text)
    (entity,) = (e for e in note.entities if e.type is EntityType.DRUG and drug in e.text)
    assert quantity(entity) == dose


@pytest.mark.parametrize(
    ("text", "words", "value", "flag", "reference"),
    [
        ("血钾6.8mmol/L（正常范围3.5-5.5mmol/L）。", "血钾", "6.8", "high", "3.5-5.5"),
        ("血钠118mmol/L（正常值137-147）。", "血钠", "118", "low", "137-147"),
        ("降钙素原12.6ng/ml（正常<0.04ng/ml）。", "降钙素原", "12.6", "high", "<0.04"),
        ("降钙素原0.02ng/ml(参考值＜0.05)。", "降钙素原", "0.02", "normal", "<0.05"),
        ("C反应蛋白35mg/L（>10）。", "C反应蛋白", "35", None, None),
        ("血糖降至7.0mmol/L以下。", "血糖", "7", None, None),
        ("血红蛋白 -120g/L。", "血红蛋白", "120", None, None),
        ("HBV-DNA 3.2×10^5/ml。", "HBV-DNA", "3.2×10^5", None, None),
        ("血红蛋白150g/L（正常）。", "血红蛋白", "150", "normal", None),
        ("体温：6:00 36.8℃。", "体温", "36.8", None, None),
        ("血糖 08:00 3.2mmol/L。", "血糖", "3.2", None, None),
        ("抗核抗体 1:1000。", "抗核抗体", "1:1000", None, None),
        ("肌酐88→356μmol/L。", "肌酐", "356", None, None),
        ("血红蛋白由110g/L降至65g/L。", "血红蛋白", "65", None, None),
        ("血红蛋白5.6g/dl。", "血红蛋白", "5.6", None, None),
        ("钾 6.9 mmol/L 3.5-5.3 ↑", "钾", "6.9", "high", "3.5-5.3"),
        ("HCO3- 12mmol/L。", "HCO3-", "12", None, None),
        ("BE -15mmol/L。", "BE", "-15", None, None),
        ("HBV-DNA 3.2×10^5IU/mL。", "HBV-DNA", "3.2×10^5", None, None),
        ("HBV-DNA 3.2×105IU/ml。", "HBV-DNA", "3.2×10^5", None, None),
        ("eGFR 56ml/min。", "eGFR", "56", None, None),
    ],
)
def test_results_and_what_the_note_says_of_their_range(
    structurer: Structurer,
    text: str,
    words: str,
    value: str,
    flag: str | None,
    reference: str | None,
) -> None:
    note = structurer.structure(NoteText("n", text))
    assert_exact(note, text)
    entity = one(note, words)
    assert (entity.value, entity.flag, entity.reference or None) == (value, flag, reference)


def test_a_result_of_urine_is_no_result_of_blood(structurer: Structurer) -> None:
    text = "尿常规：白细胞 25/HP，葡萄糖-。血常规：白细胞 12.3×10^9/L。脑脊液葡萄糖1.1mmol/L。"
    note = structurer.structure(NoteText("n", text))
    concepts = [e.concept for e in note.entities if e.value and e.type is EntityType.TEST]
    assert concepts == ["尿白细胞", "尿葡萄糖", "白细胞计数", "脑脊液葡萄糖"]
    text = "尿常规正常，血糖12mmol/L，肌酐80μmol/L。CT示双侧胸腔积液，白细胞15×10^9/L。"
    note = structurer.structure(NoteText("n", text))
    concepts = [e.concept for e in note.entities if e.value and e.type is EntityType.TEST]
    assert concepts == ["尿常规", "血糖", "肌酐", "白细胞计数"]


def test_a_gene_a_stage_and_a_bare_letter_are_no_results(structurer: Structurer) -> None:
    note = structurer.structure(NoteText("n", "EGFR突变阳性，cT2aN2M1c，含钾 6 种。"))
    assert not [e.text for e in note.entities if e.type in ("test", "imaging")]


def test_protein_in_urine_is_a_test_with_its_own_name(structurer: Structurer) -> None:
    entity = one(structurer.structure(NoteText("n", "尿蛋白2+。")), "尿蛋白")
    assert (entity.type, entity.concept, entity.value) == ("test", "尿蛋白", "2+")
