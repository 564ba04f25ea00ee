"""A language model's seat on the panel, with answers that are known."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from assistant.record.case import Case
from assistant.tasks.differential.case_context import examine
from assistant.tasks.differential.chain import Member, differential_chain
from assistant.tasks.differential.draft import DifferentialDraft
from assistant.tasks.ending import ONLY_THOUGHTS
from knowledge.base import KnowledgeBase
from serving.chat_model import EngineChatModel
from serving.engines.echo import EchoEngine


def entry(name: str, **fields: list[str]) -> dict[str, Any]:
    empty: dict[str, Any] = {
        "supporting": [],
        "opposing": [],
        "ask": [],
        "tests": [],
        "red_flags": [],
    }
    return {"name": name, **empty, **fields}


async def ask(
    knowledge: KnowledgeBase,
    case: dict[str, Any],
    reply: Callable[[str], str],
    context_length: int = 32_768,
    prompt: str = "evidence",
) -> DifferentialDraft:
    engine = EchoEngine(reply, context_length=context_length)
    member = Member("测试", engine, EngineChatModel(engine=engine), prompt)
    context = examine(Case.model_validate(case), knowledge)
    return await differential_chain(member).ainvoke(context)


async def test_each_statement_is_grounded_on_its_own(
    knowledge: KnowledgeBase, case: dict[str, Any]
) -> None:
    answer = {
        "diagnoses": [
            entry("肺炎", supporting=["咳黄痰", "胸痛"], opposing=["无胸痛"], tests=["脑电图"]),
            entry("外星人综合征", supporting=["发热，体温最高39.2℃"]),
            entry("肺炎", supporting=["发热"]),
        ]
    }
    draft = await ask(knowledge, case, lambda _: json.dumps(answer, ensure_ascii=False))
    assert [d.name for d in draft.diagnoses] == ["肺炎", "外星人综合征"]
    first, own = draft.diagnoses
    assert [s.status for s in first.supporting] == ["supported", "unsupported"]
    assert [s.status for s in first.opposing] == ["supported"]
    assert [s.status for s in first.tests] == ["unsupported"]
    assert first.in_knowledge
    assert not own.in_knowledge
    assert own.icd10 is None, "a code is never invented"
    assert own.supporting[0].status == "supported"
    ids = [s.id for s in draft.statements()]
    assert len(ids) == len(set(ids))


async def test_an_answer_that_is_no_json_is_not_used(
    knowledge: KnowledgeBase, case: dict[str, Any]
) -> None:
    draft = await ask(knowledge, case, lambda _: '{"diagnoses": []}')
    assert draft.diagnoses == []
    assert draft.warnings


async def test_a_case_longer_than_the_context_says_what_was_left_out(
    knowledge: KnowledgeBase, case: dict[str, Any]
) -> None:
    case["present_illness"] = "今日查房情况同前。" * 1500 + "发热、咳嗽。"
    seen: list[str] = []

    def reply(prompt: str) -> str:
        seen.append(prompt)
        return json.dumps({"diagnoses": [entry("肺炎", supporting=["发热"])]})

    draft = await ask(knowledge, case, reply, context_length=4000)
    assert len(seen[0]) < 4000
    assert any("超出模型的上下文" in w for w in draft.warnings)
    assert draft.diagnoses[0].supporting[0].status == "supported"


async def test_the_prompt_names_denied_findings_as_denied(
    knowledge: KnowledgeBase, case: dict[str, Any]
) -> None:
    seen: list[str] = []

    def reply(prompt: str) -> str:
        seen.append(prompt)
        return json.dumps({"diagnoses": [entry("肺炎")]})

    await ask(knowledge, case, reply)
    present, absent = seen[0].split("否认：")[0], seen[0].split("否认：")[1]
    assert "发热" in present.split("存在：")[1]
    assert "胸痛" not in present.split("存在：")[1]
    assert "胸痛" in absent.splitlines()[0]


async def test_the_prompt_names_uncertain_findings_apart(
    knowledge: KnowledgeBase, case: dict[str, Any]
) -> None:
    case["present_illness"] = "发热3天，可能有胸痛。"
    for prompt, label in (("evidence", "不确定："), ("stepwise", "不确定的表现：")):
        seen: list[str] = []

        def reply(text: str, seen: list[str] = seen) -> str:
            seen.append(text)
            return json.dumps({"diagnoses": [entry("肺炎")]})

        await ask(knowledge, case, reply, prompt=prompt)
        doubted = [line for line in seen[0].splitlines() if line.startswith(label)]
        assert doubted == [f"{label}可能有胸痛"]
        stated = [line for line in seen[0].splitlines() if line.startswith(("存在", "阳性表现"))]
        assert stated
        assert "胸痛" not in stated[0]


@pytest.mark.parametrize(
    ("answer", "names", "supporting"),
    [
        ({"diagnoses": None}, [], []),
        ({"diagnoses": 5}, [], []),
        (None, [], []),
        ([None, 3, "肺炎"], [], []),
        ({"diagnoses": [{"name": None}, {"name": 7}, {}]}, [], []),
        ({"diagnoses": [{"name": "肺炎", "supporting": 5}]}, ["肺炎"], []),
        ({"diagnoses": [{"name": "肺炎", "supporting": "发热咳嗽"}]}, ["肺炎"], ["发热咳嗽"]),
        (
            {"diagnoses": [{"name": "肺炎", "supporting": [None, "发热", 3, {}, " "]}]},
            ["肺炎"],
            ["发热"],
        ),
        ({"diagnoses": {"name": " 肺炎 ", "supporting": None}}, ["肺炎"], []),
    ],
)
async def test_an_answer_of_the_wrong_shape_is_read_as_far_as_it_goes(
    knowledge: KnowledgeBase,
    case: dict[str, Any],
    answer: Any,
    names: list[str],
    supporting: list[str],
) -> None:
    draft = await ask(knowledge, case, lambda _: json.dumps(answer, ensure_ascii=False))
    assert [d.name for d in draft.diagnoses] == names
    assert [s.text for d in draft.diagnoses for s in d.supporting] == supporting


async def test_what_was_left_out_of_an_answer_is_said(
    knowledge: KnowledgeBase, case: dict[str, Any]
) -> None:
    answer = {"diagnoses": [{"name": "肺炎", "supporting": 5}, {"name": None}]}
    draft = await ask(knowledge, case, lambda _: json.dumps(answer))
    assert any("没有诊断名称" in w for w in draft.warnings)
    assert any("格式不对" in w for w in draft.warnings)


async def test_must_not_miss_is_marked_on_the_models_own_diagnoses(
    knowledge: KnowledgeBase, case: dict[str, Any]
) -> None:
    names = ["肺炎", "急性心肌梗死", "急性大面积肺栓塞", "主动脉夹层", "陈旧性心肌梗死"]
    answer = {"diagnoses": [entry(n, supporting=["发热", "胸痛"]) for n in names]}
    draft = await ask(knowledge, case, lambda _: json.dumps(answer, ensure_ascii=False))
    assert [d.name for d in draft.diagnoses] == names, "the model's order stays"
    assert [d.must_not_miss for d in draft.diagnoses] == [False, True, True, True, False]
    added = {e.name: e for e in draft.critical}
    assert {"急性心肌梗死", "肺栓塞", "主动脉夹层"} <= set(added)
    assert all(e.must_not_miss for e in draft.critical)
    assert len(added) == len(draft.critical)
    reasons = added["主动脉夹层"].supporting
    assert [(s.text, s.status) for s in reasons] == [("发热", "supported")]
    assert added["主动脉夹层"].tests[0].evidence[0].passage_id == "critical:主动脉夹层"
    ids = [s.id for s in draft.statements()]
    assert len(ids) == len(set(ids))


async def test_a_diagnosis_that_was_not_offered_is_the_models_own(
    knowledge: KnowledgeBase, case: dict[str, Any]
) -> None:
    seen: list[str] = []

    def reply(text: str) -> str:
        seen.append(text)
        answer = {"diagnoses": [entry("肺炎"), entry("外星人综合征")]}
        return json.dumps(answer, ensure_ascii=False)

    draft = await ask(knowledge, case, reply)
    assert "肺炎" in seen[0].split("【候选诊断】")[1]
    assert [d.own for d in draft.diagnoses] == [False, True]
    alone = await ask(knowledge, case, reply, prompt="open")
    assert [d.own for d in alone.diagnoses] == [True, True], "nothing was offered"
    assert [d.in_knowledge for d in alone.diagnoses] == [True, False]


async def test_a_long_case_without_findings_keeps_its_complaint_and_its_beginning(
    knowledge: KnowledgeBase, case: dict[str, Any]
) -> None:
    case["chief_complaint"] = "自述周身说不清的异样3天"
    case["present_illness"] = "".join(f"第{n}次查房情况同前。" for n in range(1500))
    case["past_history"] = case["examination"] = ""
    seen: list[str] = []

    def reply(prompt: str) -> str:
        seen.append(prompt)
        return json.dumps({"diagnoses": [entry("肺炎")]})

    draft = await ask(knowledge, case, reply, context_length=3000)
    assert "主诉：自述周身说不清的异样3天" in seen[0]
    assert "第0次查房情况同前" in seen[0]
    told = seen[0].count("次查房情况同前") + 1
    assert 1 < told < 1501
    assert any(f"共 1501 句，只送入 {told} 句" in w for w in draft.warnings)


async def test_a_complaint_longer_than_the_context_is_cut_not_lost(
    knowledge: KnowledgeBase, case: dict[str, Any]
) -> None:
    case["chief_complaint"] = "起初" + "说不清的异样" * 330
    seen: list[str] = []

    def reply(prompt: str) -> str:
        seen.append(prompt)
        return json.dumps({"diagnoses": [entry("肺炎")]})

    draft = await ask(knowledge, case, reply, context_length=2200)
    assert "主诉：起初说不清的异样" in seen[0]
    assert any("超出模型的上下文" in w for w in draft.warnings)


async def test_thoughts_around_the_answer_are_not_read(
    knowledge: KnowledgeBase, case: dict[str, Any]
) -> None:
    class Thinking(EchoEngine):
        """Does not keep to the schema: it thinks first, as some servers let their models."""

        async def generate(self, prompt: Any, sampling: Any = None, schema: Any = None) -> Any:
            async for chunk in super().generate(prompt, sampling):
                yield chunk

    answer = json.dumps({"diagnoses": [entry("肺炎", supporting=["咳黄痰"])]}, ensure_ascii=False)
    for thoughts, names in (
        ('<think>{"diagnoses": [{"name": "嗜铬细胞瘤"}]}</think>', ["肺炎"]),
        ("<think>" + "想" * 800, []),
    ):
        engine = Thinking(lambda _, t=thoughts: t + answer, context_length=32_768)  # type: ignore[misc]
        member = Member("测试", engine, EngineChatModel(engine=engine), "evidence")
        context = examine(Case.model_validate(case), knowledge)
        draft = await differential_chain(member).ainvoke(context)
        assert [d.name for d in draft.diagnoses] == names
        assert (ONLY_THOUGHTS in draft.warnings) == (not names)
