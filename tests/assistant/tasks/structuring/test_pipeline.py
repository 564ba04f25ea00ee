"""A note as data: what a reader of the result relies on."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structured_sample import assert_exact, one

from assistant.tasks.structuring.entity import StructuredNote
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
def note(structurer: Structurer) -> StructuredNote:
    return structurer.structure(NoteText("n1", NOTE, admitted_on=date(2024, 3, 5)))


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
    "piece", ["免疫组化er(+),", "-", "耐甲氧西林", "新型", "特染CK(", "、\r\n", "无及\n"]
)
def test_a_long_text_of_one_piece_is_read(structurer: Structurer, piece: str) -> None:
    text = piece * 4_000
    assert_exact(structurer.structure(NoteText("n", text)), text)


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
