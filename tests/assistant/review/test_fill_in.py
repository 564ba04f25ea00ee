"""What may go into the hospital's record, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from assistant.draft import Draft, Statement
from assistant.record.case import Case
from assistant.review.fill_in import (
    FillIn,
    NothingToFill,
    Resolution,
    Unresolved,
    open_statements,
)
from assistant.review.review import filled_in
from assistant.tasks.chat.draft import Answer
from assistant.tasks.differential.case_context import examine
from assistant.tasks.differential.chain import Member, differential_chain
from assistant.tasks.differential.draft import DifferentialDraft
from assistant.tasks.differential.ranking_member import rank_by_knowledge
from assistant.tasks.discharge.draft import SectionDraft
from assistant.work.registry import installed
from knowledge.base import KnowledgeBase
from serving.chat_model import EngineChatModel
from serving.engines.echo import EchoEngine

INVENTED = "急性心肌梗死，已予吗啡10mg"


def entry(name: str, **fields: list[str]) -> dict[str, Any]:
    empty: dict[str, list[str]] = {
        key: [] for key in ("supporting", "opposing", "ask", "tests", "red_flags")
    }
    return {"name": name, **empty, **fields}


async def member(
    knowledge: KnowledgeBase, case: dict[str, Any], *entries: dict[str, Any]
) -> DifferentialDraft:
    reply = json.dumps({"diagnoses": entries}, ensure_ascii=False)
    engine = EchoEngine(lambda _: reply, context_length=32_768)
    seat = Member("甲", engine, EngineChatModel(engine=engine), "evidence")
    context = examine(Case.model_validate(case), knowledge)
    return await differential_chain(seat).ainvoke(context)


def deleted(*ids: str) -> dict[str, Resolution]:
    return {statement_id: Resolution("deleted") for statement_id in ids}


def fill_in(draft: Draft, resolutions: dict[str, Resolution], case: Case | None = None) -> FillIn:
    task = installed().of_draft(draft.kind)
    assert task is not None
    return filled_in(task, draft, resolutions, lambda: case)


def baseline(knowledge: KnowledgeBase, case: dict[str, Any]) -> FillIn:
    typed = Case.model_validate(case)
    draft = rank_by_knowledge(examine(typed, knowledge))
    open_ids = [s.id for s in open_statements(draft.statements(), {})]
    return fill_in(draft, deleted(*open_ids), typed)


def line(filled: FillIn, label: str) -> str:
    lines = filled.fields["case_features"].splitlines()
    return next((text for text in lines if label in text.split("：")[0]), "")


@pytest.fixture
def bare(case: dict[str, Any]) -> dict[str, Any]:
    blank = dict.fromkeys(("present_illness", "past_history", "examination"), "")
    return {**case, **blank, "chief_complaint": "发热、咳嗽3天"}


def test_what_is_uncertain_is_never_stated_as_fact(
    knowledge: KnowledgeBase, bare: dict[str, Any]
) -> None:
    filled = baseline(knowledge, {**bare, "present_illness": "可能有胸痛，疑似咯血。"})
    for word in ("胸痛", "咯血"):
        assert word not in line(filled, "阳性表现")
        assert f"可能有{word}" in line(filled, "不确定的表现")
        assert f"：有“{word}”" not in filled.text
        assert f"；有“{word}”" not in filled.text
    assert "可能有“胸痛”，须排除肺栓塞" in filled.text
    assert "发热" in line(filled, "阳性表现")


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("past_history", "胸痛、咯血。"),
        ("past_history", "10年前胸痛。咯血史。"),
        ("present_illness", "妻子有胸痛。"),
        ("present_illness", "同事胸痛、咯血。"),
        ("present_illness", "儿子有胸痛。"),
    ],
)
def test_what_is_past_or_somebody_elses_is_not_the_patients(
    knowledge: KnowledgeBase, bare: dict[str, Any], field: str, text: str
) -> None:
    context = examine(Case.model_validate({**bare, field: text}), knowledge)
    assert not {"胸痛", "咯血"} & {f.concept for f in (*context.present, *context.uncertain)}
    filled = baseline(knowledge, {**bare, field: text})
    for word in ("胸痛", "咯血"):
        assert word not in line(filled, "阳性表现")
        assert f"有“{word}”" not in filled.text


def test_spans_of_the_past_history_point_into_the_field(
    knowledge: KnowledgeBase, bare: dict[str, Any]
) -> None:
    text = "高血压10年。目前胸痛。"
    context = examine(Case.model_validate({**bare, "past_history": text}), knowledge)
    found = {f.text: f for f in context.findings if f.span.note_id == "past_history"}
    assert found
    for finding in found.values():
        assert text[finding.span.start : finding.span.end] == finding.text
    assert "胸痛" in {f.concept for f in context.present}, "marked as of now"


def test_a_childs_complaint_is_the_childs(knowledge: KnowledgeBase, bare: dict[str, Any]) -> None:
    child = {**bare, "patient": {"id": "pat-1", "age_years": 5}, "present_illness": "女儿胸痛。"}
    context = examine(Case.model_validate(child), knowledge)
    assert "胸痛" in {f.concept for f in context.present}


async def test_an_invented_name_needs_the_doctor(
    knowledge: KnowledgeBase, case: dict[str, Any]
) -> None:
    draft = await member(knowledge, case, entry(INVENTED, supporting=["血压80/50mmHg"]))
    with pytest.raises(Unresolved) as refused:
        fill_in(draft, deleted("d1-s1"))
    assert [s.text for s in refused.value.statements] == [INVENTED]
    problems = refused.value.statements[0].problems
    assert [p.kind for p in problems] == ["no_evidence"]
    with pytest.raises(NothingToFill):
        fill_in(draft, deleted("d1-n"))
    named = {"d1-n": Resolution("edited", "胸痛待查"), **deleted("d1-s1")}
    filled = fill_in(draft, named)
    assert filled.fields["preliminary_diagnosis"] == "胸痛待查"
    assert "吗啡" not in filled.text


async def test_deleting_a_name_takes_its_whole_entry_away(
    knowledge: KnowledgeBase, case: dict[str, Any]
) -> None:
    draft = await member(
        knowledge,
        case,
        entry(INVENTED, supporting=["咳黄痰"], tests=["冠脉造影"]),
        entry("肺炎", supporting=["发热，体温最高39.2℃"]),
    )
    filled = fill_in(draft, deleted("d1-n"))
    assert filled.fields["preliminary_diagnosis"].startswith("肺炎")
    assert "吗啡" not in filled.text
    assert "冠脉造影" not in filled.text


async def test_a_code_does_not_go_with_another_name(
    knowledge: KnowledgeBase, case: dict[str, Any]
) -> None:
    draft = await member(knowledge, case, entry("肺炎", supporting=["咳黄痰"]))
    assert draft.diagnoses[0].name_statement.status == "supported"
    assert draft.diagnoses[0].name_statement.evidence[0].passage_id
    assert "J18" in fill_in(draft, {}).fields["preliminary_diagnosis"]
    filled = fill_in(draft, {"d1-n": Resolution("edited", "肺结核待排")})
    assert filled.fields["preliminary_diagnosis"] == "肺结核待排"


def test_a_member_without_an_answer_fills_in_nothing() -> None:
    with pytest.raises(NothingToFill, match="没有可以回填的内容") as refused:
        fill_in(DifferentialDraft(member="甲", model=""), {})
    assert refused.value.statements == []


def test_an_empty_section_or_answer_fills_in_nothing() -> None:
    section = SectionDraft(section="hospital_course", title="诊疗经过", model="")
    with pytest.raises(NothingToFill):
        fill_in(section, {})
    said = Statement(id="a-1", text="一句。", status="unsupported")
    only = Answer(question="?", model="", statements=[said])
    with pytest.raises(NothingToFill):
        fill_in(only, deleted("a-1"))
    assert fill_in(only, {"a-1": Resolution("confirmed")}).text == "一句。"


async def test_the_plan_leaves_out_nothing_that_was_confirmed(
    knowledge: KnowledgeBase, case: dict[str, Any]
) -> None:
    tests = [f"自拟检查{number}" for number in range(14)]
    draft = await member(knowledge, case, entry("肺炎", tests=tests))
    confirmed = {s.id: Resolution("confirmed") for s in open_statements(draft.statements(), {})}
    plan = fill_in(draft, confirmed).fields["plan"]
    assert [text for text in tests if text not in plan] == []


def test_a_stale_fill_in_says_so_and_keeps_its_text() -> None:
    filled = FillIn(text="甲", fields={"answer": "甲"})
    stale = filled.marked_stale()
    assert (filled.stale, stale.stale) == (False, True)
    assert stale.text == filled.text
    assert filled.notice in stale.notice
    assert stale.notice != filled.notice
