"""A note as data: what a reader of the result relies on."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.tasks.structuring.entity import Entity, StructuredNote
from assistant.tasks.structuring.export import quantity
from assistant.tasks.structuring.note import NoteText
from assistant.tasks.structuring.pipeline import Structurer
from assistant.tasks.structuring.span import EntityType, TypedSpan
from knowledge.base import KnowledgeBase

NOTE = (
    "患者3天前受凉后发热、咳嗽，体温最高39.2℃，无胸痛、咯血。既往高血压、2型糖尿病10年，"
    "口服二甲双胍0.5g tid，否认乙肝病史。对青霉素过敏。2年前行腹腔镜下胆囊切除术。"
    "右下肺可闻及湿啰音，双下肢无水肿。WBC 12.3×10^9/L↑，血红蛋白 85 g/L ↓。"
    "胸部CT示右肺上叶见一实性结节，大小约1.2cm×0.8cm，考虑右肺上叶腺癌可能。父亲患肺癌。未行头颅MRI。"
)
PIECES = st.one_of(
    st.sampled_from(
        list("发热咳嗽胸痛无否认，。、；\r\n右肺上叶结节ＣＴ12.3×^9/L℃↑(（+） \t天前阿司匹林mg")
    ),
    st.sampled_from(
        ["😷", "e\u0301", "\u0300", "\x00", "\x07", "\u200b", "\ufeff", "🇨🇳", "㎎", "Ⅲ"]
    ),
    st.characters(exclude_categories=["Cs"]),
)


@pytest.fixture(scope="module")
def structurer(knowledge: KnowledgeBase) -> Structurer:
    return Structurer(knowledge)


@pytest.fixture(scope="module")
def note(structurer: Structurer) -> StructuredNote:
    return structurer.structure(NoteText("n1", NOTE, admitted_on=date(2024, 3, 5)))


def one(note: StructuredNote, text: str, kind: EntityType | None = None) -> Entity:
    found = [e for e in note.entities if e.text == text and kind in (None, e.type)]
    assert found, f"{text} is not among {[e.text for e in note.entities]}"
    return found[0]


def assert_exact(note: StructuredNote, text: str) -> None:
    """Everything that has offsets shows exactly the words at them."""
    for entity in note.entities:
        assert text[entity.start : entity.end] == entity.text
        if entity.time is not None:
            assert text[entity.time.start : entity.time.end] == entity.time.text
    for relation in note.relations:
        for words in (relation.subject, relation.object, relation.evidence):
            assert text[words.start : words.end] == words.text


def test_types_of_what_a_note_names(note: StructuredNote) -> None:
    assert_exact(note, NOTE)
    kinds = {e.text: e.type for e in note.entities}
    assert kinds["发热"] is EntityType.SYMPTOM
    assert kinds["高血压"] is EntityType.DISEASE
    assert kinds["腹腔镜下胆囊切除术"] is EntityType.PROCEDURE
    assert kinds["湿啰音"] in (EntityType.SIGN, EntityType.SYMPTOM)
    assert kinds["WBC"] is EntityType.TEST
    assert kinds["胸部CT"] is EntityType.IMAGING
    assert kinds["右肺上叶腺癌"] is EntityType.DISEASE
    assert kinds["右肺上叶"] is EntityType.BODY_PART
    assert kinds["二甲双胍"] is EntityType.DRUG
    assert one(note, "发热").type_zh == "症状"


def test_how_the_note_means_them(note: StructuredNote) -> None:
    fever = one(note, "发热")
    assert fever.is_stated
    assert (fever.certainty, fever.temporality) == ("certain", "current")
    for denied in ("胸痛", "咯血", "水肿", "头颅MRI"):
        assert one(note, denied).polarity == "absent"
    assert one(note, "高血压").temporality == "past"
    assert one(note, "右肺上叶腺癌").certainty == "uncertain"
    assert one(note, "肺癌").subject == "family"
    assert one(note, "青霉素").allergen
    assert not one(note, "二甲双胍").allergen


def test_times_values_and_doses(note: StructuredNote) -> None:
    fever = one(note, "发热")
    assert fever.time is not None
    assert (fever.time.text, fever.time.value) == ("3天前", "2024-03-02")
    diabetes = one(note, "2型糖尿病").time
    assert diabetes is not None
    assert (diabetes.kind, diabetes.text) == ("duration", "10年")
    count = one(note, "WBC")
    assert (count.value, count.unit, count.flag) == ("12.3", "10^9/L", "high")
    assert (one(note, "血红蛋白").value, one(note, "血红蛋白").flag) == ("85", "low")
    assert (one(note, "体温").value, one(note, "体温").unit) == ("39.2", "℃")
    metformin = one(note, "二甲双胍")
    assert (metformin.value, metformin.unit) == ("0.5", "g")
    said = {(r.subject.text, r.predicate, r.object.text) for r in note.relations}
    assert ("二甲双胍", "频次", "tid") in said
    assert ("二甲双胍", "给药途径", "口服") in said
    assert ("实性结节", "大小", "1.2cm×0.8cm") in said
    assert ("实性结节", "部位", "右肺上叶") in said
    assert one(note, "实性结节").side == "右"


def test_what_is_listed_lasts_as_long(structurer: Structurer) -> None:
    note = structurer.structure(NoteText("n", "主诉：咳嗽、发热5年，加重3天。"))
    times = [one(note, name).time for name in ("咳嗽", "发热")]
    assert [time.text for time in times if time is not None] == ["5年", "5年"]


def test_a_drug_gets_its_generic_name(structurer: Structurer) -> None:
    note = structurer.structure(NoteText("n", "口服拜阿司匹林100mg qd。"))
    assert [c.name for c in one(note, "拜阿司匹林").codes] == ["阿司匹林"]


def test_sections_and_the_family_history(structurer: Structurer) -> None:
    text = "主诉：咳嗽3天\n家族史：母亲有糖尿病\n"
    note = structurer.structure(NoteText("n", text))
    assert [s.name for s in note.sections] == ["主诉", "家族史"]
    assert one(note, "咳嗽").section == "主诉"
    assert one(note, "糖尿病").section == "家族史"
    assert one(note, "糖尿病").subject == "family"


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \r\n\t",
        "No acute distress. BP 120/80 mmHg.",
        "😷" * 50,
        "\x00\x01发热\x7f",
        "，。；\n",
    ],
)
def test_any_text_is_fine(structurer: Structurer, text: str) -> None:
    assert_exact(structurer.structure(NoteText("n", text)), text)


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, max_size=120).map("".join))
def test_offsets_are_those_of_the_original_text(structurer: Structurer, text: str) -> None:
    note = structurer.structure(NoteText("n", text))
    assert note.length == len(text)
    assert_exact(note, text)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from([NOTE[:60], NOTE[60:150], "😷\r\n", "e\u0301", "\x00", "ＣＴ", "　"]),
        max_size=8,
    )
)
def test_real_sentences_between_strange_characters(
    structurer: Structurer, pieces: list[str]
) -> None:
    text = "".join(pieces)
    assert_exact(structurer.structure(NoteText("n", text)), text)


def test_a_note_of_hundreds_of_pages(structurer: Structurer) -> None:
    text = (NOTE + "\r\n😷ＷＢＣ　１２.３\n") * (200_000 // len(NOTE.encode()))
    assert len(text.encode()) > 200_000
    note = structurer.structure(NoteText("n", text))
    assert_exact(note, text)
    counts = Counter(e.text for e in note.entities)
    assert counts["二甲双胍"] == text.count("二甲双胍")


def test_a_long_note_without_a_full_stop_has_short_evidence(structurer: Structurer) -> None:
    text = "发热3天" * 12_000
    note = structurer.structure(NoteText("n", text))
    assert_exact(note, text)
    assert max(len(r.evidence.text) for r in note.relations) <= 1_000


class Model:
    """A recogniser that stands for a trained one: nested spans and scores of its own."""

    name = "model@1"

    def recognise(self, text: str) -> list[TypedSpan]:
        start = text.index("右肺上叶腺癌")
        return [
            TypedSpan(start, start + 6, EntityType.DISEASE, 0.7),
            TypedSpan(start, start + 4, EntityType.BODY_PART, 0.6),
        ]


def test_spans_of_a_model_get_the_same_attributes(knowledge: KnowledgeBase) -> None:
    text = "考虑右肺上叶腺癌可能，无发热。"
    note = Structurer(knowledge, Model()).structure(NoteText("n", text))
    assert [(e.text, e.source, e.score) for e in note.entities] == [
        ("右肺上叶腺癌", "model@1", 0.7),
        ("右肺上叶", "model@1", 0.6),
        ("发热", "lexicon", 0.9),
    ]
    assert note.entities[0].certainty == "uncertain"
    assert note.model == "model@1"


def test_words_that_deny_a_concept_hold_themselves() -> None:
    note = Structurer(None).structure(NoteText("n", "尿量正常，神志清，无发热。"))
    told = {e.text: (e.polarity, e.reassuring, e.concept) for e in note.entities}
    assert told["尿量正常"] == ("absent", True, "少尿")
    assert told["神志清"] == ("absent", True, "意识障碍")
    assert told["发热"] == ("absent", False, "发热")


def test_without_a_knowledge_base() -> None:
    text = "发热3天，无胸痛。血压130/80mmHg，口服氨氯地平5mg qd。"
    note = Structurer(None).structure(
        NoteText("n", text, written_at=datetime(2024, 3, 5, tzinfo=UTC))
    )
    assert_exact(note, text)
    assert one(note, "胸痛").polarity == "absent"
    assert one(note, "血压").value == "130/80"
    assert one(note, "氨氯地平").value == "5"
    assert note.knowledge_version == ""


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
    "piece", ["免疫组化er(+),", "-", "耐甲氧西林", "新型", "特染CK(", "、\r\n", "无及\n"]
)
def test_a_long_text_of_one_piece_is_read(structurer: Structurer, piece: str) -> None:
    text = piece * 4_000
    assert_exact(structurer.structure(NoteText("n", text)), text)


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


def test_a_note_in_another_language_says_that_it_was_not_read(structurer: Structurer) -> None:
    english = "A 67 year old man with chest pain for three days, no fever, and hypertension."
    (warning,) = structurer.structure(NoteText("n", english)).warnings
    assert "not in Chinese" in warning
    print_out = "血常规：WBC 12.3×10^9/L，NEUT% 85%，HGB 120g/L，CRP 50mg/L，ALT 30U/L，AST 25U/L。"
    assert structurer.structure(NoteText("n", print_out)).warnings == []
    chinese = (
        "予ceftriaxone 2g qd静滴，复查WBC、CRP、PCT、ALT、AST、CK-MB、BNP，体温正常，无咳嗽咳痰。"
    )
    assert structurer.structure(NoteText("n", chinese)).warnings == []


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


def test_a_gene_a_stage_and_a_bare_letter_are_no_results(structurer: Structurer) -> None:
    note = structurer.structure(NoteText("n", "EGFR突变阳性，cT2aN2M1c，含钾 6 种。"))
    assert not [e.text for e in note.entities if e.type in ("test", "imaging")]


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


def test_protein_in_urine_is_a_test_with_its_own_name(structurer: Structurer) -> None:
    entity = one(structurer.structure(NoteText("n", "尿蛋白2+。")), "尿蛋白")
    assert (entity.type, entity.concept, entity.value) == ("test", "尿蛋白", "2+")
