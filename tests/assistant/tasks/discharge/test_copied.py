"""What a discharge record copies: diagnoses, orders, medication, condition."""

from __future__ import annotations

import json

from discharge_stays import FREE_TEXT, assert_quoted, free, sample, stay, texts, write
from hypothesis import given
from hypothesis import strategies as st

from assistant.grounding.segments import segment_notes
from assistant.record.encounter import Encounter
from assistant.record.medication import Medication
from assistant.tasks.discharge.copied import copied_sections, header
from knowledge.base import KnowledgeBase

WORDS = [
    *("出院诊断：", "出院医嘱：", "出院带药", "入院日期：", "出院情况：", "2026年3月2日", "入院"),
    *("\n", "\n\n", "1. ", "2、", "。", "；", "，", " "),
    *("出院", "糖尿病", "嘱复查", "既往", "2年前", "患者，男，3岁"),
]


async def test_discharge_medication_is_copied_and_gaps_are_named(
    knowledge: KnowledgeBase,
) -> None:
    encounter = sample("pneumonia-adult")
    encounter.medications = [
        Medication(id="m", name="硝苯地平控释片", dose="30mg", route="口服", discharge=True)
    ]
    orders = (await write(encounter, knowledge, lambda _: "出院带药：氨氯地平5mg。"))[
        "discharge_orders"
    ]
    text = "\n".join(s.text for s in orders.statements)
    assert "硝苯地平控释片 每次30mg 口服" in text
    assert "规格、频次、天数：病历未记载" in text
    assert "氨氯地平" not in text
    assert orders.model == ""


@given(st.lists(st.sampled_from(WORDS), max_size=30))
def test_whatever_is_copied_stands_in_the_record(words: list[str]) -> None:
    encounter = free("".join(words))
    notes = encounter.all_notes()
    header(encounter)
    copied = copied_sections(encounter, notes, segment_notes(notes))
    assert copied["discharge_diagnosis"]
    for statements in copied.values():
        assert_quoted(encounter, statements)


async def test_free_text_is_copied_by_its_headings(knowledge: KnowledgeBase) -> None:
    encounter = free(FREE_TEXT)
    drafts = await write(encounter, knowledge, lambda _: "出院时体温36.5℃。")
    assert "病历未记载" not in json.dumps([texts(d) for d in drafts.values()], ensure_ascii=False)
    assert texts(drafts["discharge_diagnosis"]) == ["社区获得性肺炎"]
    assert texts(drafts["discharge_orders"]) == [
        "1. 出院带药：阿莫西林胶囊0.5g每日3次",
        "2. 低脂饮食，1个月后门诊复查。",
    ]
    for draft in drafts.values():
        assert_quoted(encounter, draft.statements)


async def test_numbered_orders_and_medication_are_copied_one_by_one(
    knowledge: KnowledgeBase,
) -> None:
    text = "出院医嘱：\n1.注意休息\n2.定期复查\n出院带药：\n1.甲药0.1g\n2.乙药0.5g\n医师：某某"
    orders = (await write(free(text), knowledge, lambda _: "。"))["discharge_orders"]
    assert texts(orders) == [
        "1. 出院带药：甲药0.1g",
        "2. 出院带药：乙药0.5g",
        "3. 注意休息。",
        "4. 定期复查。",
    ]


async def test_advice_behind_the_medication_is_no_medication(knowledge: KnowledgeBase) -> None:
    text = (
        "出院带药：泼尼松10mg qd×5天，氨氯地平5mg qd。华法林2.5mg qd，定期复查INR。"
        "嘱2周后呼吸科门诊复查。医师签名：李某"
    )
    orders = (await write(free(text), knowledge, lambda _: "。"))["discharge_orders"]
    assert texts(orders) == [
        "1. 出院带药：泼尼松10mg qd×5天，氨氯地平5mg qd",
        "2. 出院带药：华法林2.5mg qd，定期复查INR",
        "3. 嘱2周后呼吸科门诊复查。",
    ]


async def test_discharge_condition_under_its_heading_is_copied(knowledge: KnowledgeBase) -> None:
    encounter = free("出院情况：神志清，切口愈合良好。\n出院医嘱：1周后拆线。")
    drafts = await write(encounter, knowledge, lambda _: "患者健康。")
    assert texts(drafts["discharge_condition"]) == [
        "神志清，切口愈合良好。",
        "出院生命体征：病历未记载",
    ]


async def diagnoses_of(encounter: Encounter, knowledge: KnowledgeBase) -> list[str]:
    drafts = await write(encounter, knowledge, lambda _: "。")
    assert_quoted(encounter, drafts["discharge_diagnosis"].statements)
    return texts(drafts["discharge_diagnosis"])


async def test_an_earlier_stays_diagnosis_is_not_this_ones(knowledge: KnowledgeBase) -> None:
    text = "2年前因腹痛在外院住院，出院诊断：急性胰腺炎。现再次腹痛。"
    assert await diagnoses_of(free(text), knowledge) == ["病历未记载"]
    assert await diagnoses_of(stay(("admission", text)), knowledge) == ["病历未记载"]
    admission = ("admission", "住院治疗。出院诊断：急性胰腺炎。")
    assert await diagnoses_of(stay(admission), knowledge) == ["病历未记载"]


async def test_a_numbered_list_of_diagnoses_is_whole(knowledge: KnowledgeBase) -> None:
    listed = "出院诊断：\n1. 2型糖尿病\n2. 高血压病3级\n3. 冠心病\n\n今日出院。"
    wanted = ["1. 2型糖尿病", "2. 高血压病3级", "3. 冠心病"]
    assert await diagnoses_of(free(listed), knowledge) == wanted
    inline = "出院诊断：1. 2型糖尿病\n2. 高血压病3级\n3. 冠心病\n出院医嘱：休息。"
    assert await diagnoses_of(free(inline), knowledge) == wanted
    bare = "出院诊断：\n2型糖尿病\n高血压病\n医师签名：某某"
    assert await diagnoses_of(free(bare), knowledge) == ["2型糖尿病", "高血压病"]
    long = "；".join(f"第{n}个诊断" for n in range(100))
    assert await diagnoses_of(free(f"出院诊断：{long}。现好转。"), knowledge) == [long]


async def test_a_rows_evidence_is_its_own_line(knowledge: KnowledgeBase) -> None:
    rows = [
        {"kind": "admission", "name": "高血压"},
        {"kind": "discharge", "name": "高血压病3级"},
        {"kind": "discharge", "name": "高血压"},
    ]
    encounter = stay(diagnoses=rows)
    drafts = await write(encounter, knowledge, lambda _: "。")
    assert_quoted(encounter, drafts["discharge_diagnosis"].statements)
    found = [s.evidence[0] for s in drafts["discharge_diagnosis"].statements]
    assert [e.quote for e in found] == ["高血压病3级", "高血压"]
    spans = [e.span for e in found if e.span]
    table = encounter.note("table:diagnoses")
    assert table is not None
    lines = [table.text[: span.start].count("\n") for span in spans]
    assert lines == [1, 2]


async def test_zero_days_are_days(knowledge: KnowledgeBase) -> None:
    row = {"id": "m", "name": "阿司匹林", "days": 0, "discharge": True}
    orders = (await write(stay(medications=[row]), knowledge, lambda _: "。"))["discharge_orders"]
    assert texts(orders)[0] == "1. 阿司匹林 0天（规格、剂量、用法、频次：病历未记载）"


async def test_only_advice_is_an_order(knowledge: KnowledgeBase) -> None:
    said = (
        "患者昨夜未休息好，注意力不集中。患者拒绝门诊随访。继续抗感染后体温正常。"
        "嘱戒烟，患者拒绝戒酒。注意休息。1周后门诊拆线。"
    )
    orders = (await write(stay(("discharge_day", said)), knowledge, lambda _: "。"))[
        "discharge_orders"
    ]
    assert texts(orders) == [
        "1. 嘱戒烟，患者拒绝戒酒。",
        "2. 注意休息。",
        "3. 1周后门诊拆线。",
        "出院带药：病历未记载",
    ]
