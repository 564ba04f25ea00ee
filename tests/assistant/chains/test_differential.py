"""A language model's seat on the panel, with answers that are known."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from assistant.chains.case_context import examine
from assistant.chains.differential import Member, differential_chain
from assistant.draft import DifferentialDraft
from assistant.record import Case
from knowledge.base import KnowledgeBase
from serving.chat_model import EngineChatModel
from serving.echo import EchoEngine


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
) -> DifferentialDraft:
    engine = EchoEngine(reply, context_length=context_length)
    member = Member("测试", engine, EngineChatModel(engine=engine), "evidence")
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
