"""Questions over the knowledge base: retrieve, answer with citations, check each sentence."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_core.runnables import Runnable, RunnableGenerator

import prompts
from assistant.draft import Problem, Statement
from assistant.grounding.grounder import Grounder
from assistant.grounding.known_drugs import drug_names
from assistant.grounding.segments import segment_passages, split_sentences
from assistant.tasks.chat.draft import Answer
from assistant.tasks.chat.prompt import PROMPT, TASK
from assistant.tasks.ending import Ending
from knowledge.base import KnowledgeBase
from knowledge.sources import Passage
from serving.engine import Engine

PASSAGES = 4
PASSAGE_CHARACTERS = 400
ANSWER_TOKENS = 300
NOT_IN_PASSAGES = "资料中没有提到"
"""The sentence that the prompt asks for where the passages do not answer."""

_MARK = r"[〔\[【]\s*\d+(?:\s*[,，、]\s*\d+)*\s*[〕\]】]"
_CITATION = re.compile(_MARK)
_CITED_BEHIND = re.compile(rf"([。；;！!？?]+)((?:\s*{_MARK})+)")


@dataclass(frozen=True)
class Found:
    """The passages, which come at once, before any generated text."""

    passages: list[Passage]


@dataclass(frozen=True)
class Piece:
    """Text of the answer as it is written; not yet checked."""

    text: str


def chat_chain(
    knowledge: KnowledgeBase, engine: Engine | None, chat_model: BaseChatModel | None
) -> Runnable[str, Found | Piece | Answer]:
    """The chain from a question to its passages, text and checked answer (``astream``)."""

    async def reply(questions: AsyncIterator[str]) -> AsyncIterator[Found | Piece | Answer]:
        async for question in questions:
            steps = answer(question, knowledge, engine, chat_model)
            async with contextlib.aclosing(steps):
                async for step in steps:
                    yield step

    return RunnableGenerator(reply, name="chat")


def find(question: str, knowledge: KnowledgeBase) -> list[Passage]:
    """The passages that an answer may cite."""
    return [hit.passage for hit in knowledge.index.search(question, PASSAGES)]


async def answer(
    question: str,
    knowledge: KnowledgeBase,
    engine: Engine | None,
    chat_model: BaseChatModel | None,
) -> AsyncGenerator[Found | Piece | Answer]:
    """The passages first, then pieces of text, then the checked answer.

    With no model the passages stand alone and the answer says why.
    """
    started = time.perf_counter()
    passages = await asyncio.to_thread(find, question, knowledge)
    yield Found(passages)
    result = Answer(question=question, model="", passages=[p.id for p in passages])
    if not passages:
        result.warnings.append("知识库里没有找到相关资料，因此不作回答。")
    elif engine is None or chat_model is None:
        result.warnings.append("没有可用的模型，仅列出检索到的资料。")
    else:
        template = prompts.template(TASK, PROMPT)
        shown = [{"title": p.title, "text": p.text[:PASSAGE_CHARACTERS]} for p in passages]
        system, user = template.render(passages=shown, question=question)
        text, ending = "", Ending()
        model = chat_model.bind(max_tokens=ANSWER_TOKENS)
        async for chunk in model.astream([SystemMessage(system), HumanMessage(user)]):
            ending.see(chunk)
            text += chunk.text
            if chunk.text:
                yield Piece(chunk.text)
        text = "" if ending.filtered else text
        result.warnings += ending.warnings("模型的回答到长度上限而中断，末句可能不完整。")
        result.model = engine.card.name
        result.prompt_version = template.version
        result.statements = await asyncio.to_thread(_check, text, passages, knowledge)
    result.seconds = time.perf_counter() - started
    yield result


def _check(text: str, passages: list[Passage], knowledge: KnowledgeBase) -> list[Statement]:
    """Each sentence against the passages it cites, or against all where it cites none.

    A sentence that cites what was not shown is unsupported, whatever else it cites.
    """
    statements: list[Statement] = []
    # A citation behind the full stop belongs to the sentence before it.
    text = _CITED_BEHIND.sub(r"\2\1", text)
    for start, end in split_sentences(text):
        sentence = text[start:end]
        bare = _CITATION.sub("", sentence).strip(" 。，")
        if not bare:
            continue
        statement_id = f"a-{len(statements) + 1}"
        marks = [(mark[0], int(n)) for mark in _CITATION.finditer(sentence) for n in _numbers(mark)]
        unknown = [mark for mark, number in marks if not 1 <= number <= len(passages)]
        cited = {number for _, number in marks}
        within = [p for n, p in enumerate(passages, 1) if n in cited or not cited]
        if bare == NOT_IN_PASSAGES and not unknown:
            statements.append(
                Statement(id=statement_id, text=bare + "。", status="supported", origin="knowledge")
            )
            continue
        grounder = Grounder(
            segment_passages([(p.id, p.text) for p in within]),
            findings_of=knowledge.extractor.extract,
            drugs_of=drug_names(),
            sources={p.id: p.source for p in within},
        )
        statement = grounder.ground(statement_id, bare + "。")
        if unknown:
            problems = [Problem(kind="no_evidence", text=mark) for mark in unknown]
            statement = statement.model_copy(
                update={"status": "unsupported", "problems": [*statement.problems, *problems]}
            )
        statements.append(statement)
    return statements


def _numbers(mark: re.Match[str]) -> list[str]:
    return re.findall(r"\d+", mark[0])
