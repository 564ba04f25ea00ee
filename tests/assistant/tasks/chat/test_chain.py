"""Answers over the knowledge base: each sentence is checked against what it cites."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any

import pytest

from assistant.review.fill_in import open_statements
from assistant.tasks.chat.chain import Piece, answer
from assistant.tasks.chat.draft import Answer
from assistant.tasks.ending import FILTERED, ONLY_THOUGHTS
from knowledge.base import KnowledgeBase
from serving.chat_model import EngineChatModel
from serving.engine import Chunk
from serving.engines.echo import EchoEngine

QUESTION = "肺炎有哪些症状？"


async def ask(knowledge: KnowledgeBase, reply: str) -> Answer:
    engine = EchoEngine(lambda _: reply)
    steps = [
        step async for step in answer(QUESTION, knowledge, engine, EngineChatModel(engine=engine))
    ]
    last = steps[-1]
    assert isinstance(last, Answer)
    return last


def said(knowledge: KnowledgeBase) -> tuple[str, int]:
    """A sentence of the first passage that is found, and the number of passages."""
    hits = knowledge.index.search(QUESTION, 4)
    return hits[0].passage.text.split("。")[0], len(hits)


async def test_a_sentence_is_supported_by_the_passage_it_cites(knowledge: KnowledgeBase) -> None:
    sentence, _ = said(knowledge)
    result = await ask(knowledge, f"{sentence}〔1〕。")
    assert [s.status for s in result.statements] == ["supported"]
    assert "〔" not in result.statements[0].text


async def test_a_citation_of_nothing_is_no_support(knowledge: KnowledgeBase) -> None:
    sentence, count = said(knowledge)
    for mark in (f"〔{count + 1}〕", "〔99〕", "〔0〕", "〔1、99〕", "〔1〕〔99〕", "〔100〕"):
        result = await ask(knowledge, f"{sentence}{mark}。")
        assert [s.status for s in result.statements] == ["unsupported"], mark
        assert "no_evidence" in {p.kind for p in result.statements[0].problems}
        assert open_statements(result.statements, {}), mark


async def test_a_citation_behind_the_stop_belongs_to_the_sentence_before(
    knowledge: KnowledgeBase,
) -> None:
    sentence, _ = said(knowledge)
    result = await ask(knowledge, f"{sentence}。〔9〕{sentence}。〔1〕")
    assert [s.status for s in result.statements] == ["unsupported", "supported"]


async def test_a_sentence_without_citation_is_checked_against_all(
    knowledge: KnowledgeBase,
) -> None:
    sentence, _ = said(knowledge)
    result = await ask(knowledge, f"{sentence}。每日口服青霉素500mg。")
    assert [s.status for s in result.statements] == ["supported", "unsupported"]


async def test_saying_that_the_passages_do_not_answer_blocks_nothing(
    knowledge: KnowledgeBase,
) -> None:
    result = await ask(knowledge, "资料中没有提到。")
    (statement,) = result.statements
    assert statement.status == "supported"
    assert statement.origin == "knowledge"
    assert statement.evidence == []
    more = await ask(knowledge, "资料中没有提到青霉素500mg的用法。")
    assert more.statements[0].status == "unsupported", "only the sentence itself is let through"


async def test_what_the_model_thought_is_neither_shown_nor_stated(
    knowledge: KnowledgeBase,
) -> None:
    sentence, _ = said(knowledge)
    for thoughts in ("<think>我猜是嗜铬细胞瘤。</think>\n\n", "我猜是嗜铬细胞瘤。\n</think>\n\n"):
        engine = EchoEngine(lambda _, t=thoughts: f"{t}{sentence}〔1〕。")  # type: ignore[misc]
        model = EngineChatModel(engine=engine)
        steps = [step async for step in answer(QUESTION, knowledge, engine, model)]
        shown = "".join(step.text for step in steps if isinstance(step, Piece))
        assert shown == f"{sentence}〔1〕。"
        assert isinstance(steps[-1], Answer)
        assert [s.status for s in steps[-1].statements] == ["supported"]
        assert steps[-1].warnings == []


async def test_a_model_that_only_thought_has_not_answered(knowledge: KnowledgeBase) -> None:
    result = await ask(knowledge, "<think>" + "患者无发热。" * 200)
    assert result.statements == []
    assert result.warnings == [ONLY_THOUGHTS]


async def test_an_answer_that_was_cut_says_so(knowledge: KnowledgeBase) -> None:
    result = await ask(knowledge, "肺炎可有发热。" * 200)
    assert result.statements
    assert any("长度上限" in warning for warning in result.warnings)


class Filtered(EchoEngine):
    """A server whose filter put its own words in the answer's place."""

    async def generate(self, *args: Any, **options: Any) -> AsyncGenerator[Chunk]:
        async for chunk in super().generate(*args, **options):
            reason = chunk.finish_reason and "content_filter"
            yield replace(chunk, finish_reason=reason)


@pytest.mark.parametrize("text", ["抱歉，无法回答。", ""])
async def test_a_filters_words_are_no_answer(knowledge: KnowledgeBase, text: str) -> None:
    engine = Filtered(lambda _: text)
    model = EngineChatModel(engine=engine)
    *_, last = [step async for step in answer(QUESTION, knowledge, engine, model)]
    assert isinstance(last, Answer)
    assert (last.statements, last.warnings) == ([], [FILTERED])
