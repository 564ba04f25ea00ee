"""How a note means what it names: denied, over, of a drug that is not borne."""

from __future__ import annotations

import pytest
from structured_sample import one

from assistant.tasks.structuring.note import NoteText
from assistant.tasks.structuring.pipeline import Structurer
from assistant.tasks.structuring.span import EntityType


@pytest.mark.parametrize(
    ("text", "words", "polarity", "temporality"),
    [
        ("肺炎可排除。", "肺炎", "absent", "current"),
        ("肺炎暂不考虑，继续观察。", "肺炎", "absent", "current"),
        ("肺炎已除外。", "肺炎", "absent", "current"),
        ("肺炎依据不足。", "肺炎", "absent", "current"),
        ("肺炎不能排除。", "肺炎", "present", "current"),
        ("禁用布洛芬。", "布洛芬", "absent", "current"),
        ("青霉素皮试（-）。", "青霉素", "absent", "current"),
        ("长期服用华法林，3天前已停用。", "华法林", "present", "past"),
        ("若再次发热，则加用布洛芬。", "布洛芬", "present", "hypothetical"),
        ("既往高血压10年，长期口服氨氯地平5mg qd。", "氨氯地平", "present", "current"),
        ("既往无阑尾切除术史、外伤史。", "阑尾切除术", "absent", "past"),
        ("双下肢水肿消退。", "双下肢水肿", "present", "past"),
        ("咳嗽、咳痰已消失，无发热。", "咳嗽", "present", "past"),
        ("咳嗽、咳痰已消失，无发热。", "发热", "absent", "current"),
        ("双下肢水肿较前明显消退。", "双下肢水肿", "present", "current"),
        ("水肿未消退。", "水肿", "present", "current"),
        ("胸痛缓解不明显。", "胸痛", "present", "current"),
        ("胸痛完全缓解。", "胸痛", "present", "past"),
        ("发热已退，咯血停止3天。", "发热", "present", "past"),
        ("发热已退，咯血停止3天。", "咯血", "present", "past"),
        ("肺结核已治愈10年。", "肺结核", "present", "past"),
        ("术中未输血。", "输血", "absent", "current"),
        ("未停用阿司匹林。", "阿司匹林", "present", "current"),
        ("停用华法林，改用阿司匹林100mg qd。", "阿司匹林", "present", "current"),
        ("停用华法林，改用阿司匹林100mg qd。", "华法林", "present", "past"),
        ("阿司匹林100mg qd改为氯吡格雷75mg qd。", "阿司匹林", "present", "past"),
        ("阿司匹林100mg qd改为氯吡格雷75mg qd。", "氯吡格雷", "present", "current"),
        ("阿司匹林100mg qd改为200mg qd。", "阿司匹林", "present", "current"),
        ("阿司匹林100mg qd已停。", "阿司匹林", "present", "past"),
        ("暂停二甲双胍。", "二甲双胍", "present", "past"),
        ("出现皮疹时立即停用阿司匹林。", "阿司匹林", "present", "current"),
        ("入院时停用阿司匹林。", "阿司匹林", "present", "past"),
        ("3小时前停用华法林。", "华法林", "present", "past"),
        ("氨氯地平改为晨服。", "氨氯地平", "present", "current"),
        ("阿司匹林联合氯吡格雷改用华法林。", "阿司匹林", "present", "current"),
        ("阿司匹林联合氯吡格雷改用华法林。", "氯吡格雷", "present", "past"),
        ("胸痛缓解。", "胸痛", "present", "current"),
        ("发热，咳嗽消失后再发。", "咳嗽", "present", "current"),
        ("肺结核已治愈。", "肺结核", "present", "past"),
        ("肺结核治愈后复发。", "肺结核", "present", "current"),
        ("无恶心、\r\n呕吐。", "呕吐", "absent", "current"),
        ("无腹痛、腹泻及\n黑便。", "黑便", "absent", "current"),
        ("无发热\n咳嗽3天。", "咳嗽", "present", "current"),
        ("啰音未闻及\n双下肢水肿。", "双下肢水肿", "present", "current"),
        ("否认高血压、\n现病史：发热3天。", "发热", "present", "current"),
        ("无发热及\n主诉：咳嗽。", "咳嗽", "present", "current"),
        ("高血压、肺结核已治愈。", "高血压", "present", "current"),
        ("肺炎、肺结核均已治愈。", "肺炎", "present", "past"),
        ("双下肢水肿\n咳嗽消失。", "双下肢水肿", "present", "current"),
        ("若发热消退，停用布洛芬。", "发热", "present", "hypothetical"),
    ],
)
def test_how_a_note_means_what_it_names(
    structurer: Structurer, text: str, words: str, polarity: str, temporality: str
) -> None:
    entity = one(structurer.structure(NoteText("n", text)), words)
    assert (entity.polarity, entity.temporality) == (polarity, temporality)


@pytest.mark.parametrize("text", ["青霉素过敏，表现为皮疹。", "对青霉素过敏。", "青霉素皮试阳性。"])
def test_a_drug_that_is_not_borne_is_found_in_its_disease(
    structurer: Structurer, text: str
) -> None:
    assert one(structurer.structure(NoteText("n", text)), "青霉素").allergen


@pytest.mark.parametrize(
    "text", ["予氟康唑抗真菌感染治疗。", "转真菌感染科。", "接种病毒感染疫苗。"]
)
def test_what_is_given_or_where_is_no_infection(structurer: Structurer, text: str) -> None:
    note = structurer.structure(NoteText("n", text))
    assert not [e.text for e in note.entities if e.type is EntityType.DISEASE]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("新型冠状病毒感染", "新型冠状病毒感染"),
        ("合并HIV感染", "HIV感染"),
        ("考虑肺炎支原体感染", "肺炎支原体感染"),
        ("反复泌尿系感染", "泌尿系感染"),
        ("乙型肝炎病毒感染", "乙型肝炎病毒感染"),
        ("乙肝病毒感染", "乙肝病毒感染"),
        ("水痘-带状疱疹病毒感染", "水痘-带状疱疹病毒感染"),
    ],
)
def test_an_infection_is_named_with_its_place_or_its_cause(
    structurer: Structurer, text: str, name: str
) -> None:
    note = structurer.structure(NoteText("n", f"{text}，予抗感染治疗。"))
    assert [e.text for e in note.entities if e.type is EntityType.DISEASE] == [name]


def test_a_drug_under_the_heading_of_allergies_is_not_borne(structurer: Structurer) -> None:
    text = "过敏史：青霉素（皮疹），否认阿司匹林。\n现病史：予阿司匹林口服。"
    for taken in (
        "过敏史：无。目前服用阿司匹林100mg qd。",
        "过敏史：无。\n入院后予头孢曲松2g静滴。",
    ):
        note = structurer.structure(NoteText("n", taken))
        assert not [e.text for e in note.entities if e.allergen]
    drugs = [e for e in structurer.structure(NoteText("n", text)).entities if e.type == "drug"]
    assert [(e.text, e.allergen) for e in drugs] == [
        ("青霉素", True),
        ("阿司匹林", False),
        ("阿司匹林", False),
    ]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("对花生过敏，海鲜过敏。", ["花生过敏", "海鲜过敏"]),
        ("无药物过敏史，过敏性鼻炎。", []),
        ("患者否认药物过敏。", []),
        ("自诉无食物过敏。", []),
        ("予抗感染、抗过敏、平喘等治疗。", []),
        ("行乳腺癌筛查、胃癌筛查。", []),
    ],
)
def test_what_is_not_borne_and_what_is_looked_for(
    structurer: Structurer, text: str, names: list[str]
) -> None:
    found = structurer.structure(NoteText("n", text)).entities
    assert [
        e.text for e in found if e.text.endswith(("过敏", "癌")) and e.polarity == "present"
    ] == names


def test_words_that_deny_a_concept_hold_themselves() -> None:
    note = Structurer(None).structure(NoteText("n", "尿量正常，神志清，无发热。"))
    told = {e.text: (e.polarity, e.reassuring, e.concept) for e in note.entities}
    assert told["尿量正常"] == ("absent", True, "少尿")
    assert told["神志清"] == ("absent", True, "意识障碍")
    assert told["发热"] == ("absent", False, "发热")
