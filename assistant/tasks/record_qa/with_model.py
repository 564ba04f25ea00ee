"""What no route takes: a model words the nearest places, and each sentence is checked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage, SystemMessage

import prompts
from assistant.draft import Statement
from assistant.grounding.grounder import Grounder
from assistant.grounding.known_drugs import drug_names
from assistant.grounding.segments import segment_notes, split_sentences
from assistant.tasks.ending import Ending
from assistant.tasks.record_qa.draft import RecordAnswer
from assistant.tasks.record_qa.nearest import nearest
from assistant.tasks.record_qa.reading import RecordReading
from assistant.tasks.record_qa.task import PROMPT, TASK
from assistant.work.events import Delta
from knowledge.text.extraction import FindingExtractor
from knowledge.text.terms import load_findings
from serving.engine import Engine

TOKENS = 320
SPAN_CHARACTERS = 300
MOST_THINKING = 6_000
NOT_RECORDED = "病历未记载"


async def answer_with_model(
    reading: RecordReading,
    asked: RecordAnswer,
    engine: Engine,
    chat_model: BaseChatModel,
    seconds: float,
) -> AsyncGenerator[Delta | RecordAnswer]:
    """Pieces of text, then the answer, its sentences checked against the whole record.

    A model that fails or takes longer than ``seconds`` leaves the answer as it was, and says so.
    """
    started = time.perf_counter()
    places = await asyncio.to_thread(nearest, reading, asked.question)
    template = prompts.template(TASK, PROMPT)
    spans = [{"name": n.name, "text": p.quote[:SPAN_CHARACTERS]} for n, p in places]
    system, user = template.render(spans=spans, question=asked.question)
    text, thinking, ending = "", "", Ending()
    model = chat_model.bind(max_tokens=TOKENS)
    answer = asked.model_copy(deep=True)
    try:
        async with asyncio.timeout(seconds):
            async for chunk in model.astream([SystemMessage(system), HumanMessage(user)]):
                ending.see(chunk)
                text += chunk.text
                thinking += chunk.additional_kwargs.get("reasoning_content") or ""
                if chunk.text:
                    yield Delta(text=chunk.text)
    except TimeoutError:
        answer.warnings.append("模型用时过长，已停止；只列出最接近的原文。")
        text = ""
    answer.thinking = thinking[:MOST_THINKING]
    text = "" if ending.filtered else text
    answer.warnings += ending.warnings("模型的回答到长度上限而中断，末句可能不完整。")
    answer.model, answer.prompt_version = engine.card.name, template.version
    if text.strip():
        answer.statements = await asyncio.to_thread(_checked, reading, text)
        answer.route, answer.understood = "model", "由模型根据最接近的原文回答，逐句核对"
        said = any(s.status == "supported" for s in answer.statements)
        answer.outcome = "answered" if said else "not_understood"
        answer.message = (
            "" if said else "模型的回答没有一句能在病历中找到依据，请看下面最接近的原文。"
        )
    answer.seconds = asked.seconds + time.perf_counter() - started
    yield answer


def _checked(reading: RecordReading, text: str) -> list[Statement]:
    encounter = reading.encounter
    admitted = reading.admitted.date() if reading.admitted else None
    grounder = Grounder(
        segment_notes(encounter.all_notes(), admitted),
        findings_of=FindingExtractor(load_findings()).extract,
        drugs_of=drug_names(m.name for m in encounter.medications),
        patient_names=[encounter.patient.name],
        patient_sex=encounter.patient.sex,
    )
    found: list[Statement] = []
    for start, end in split_sentences(text):
        bare = text[start:end].strip(" 。，\n")
        # That the record does not say is no finding of it: it is shown, never as supported.
        if not bare or bare.startswith(NOT_RECORDED):
            continue
        found.append(grounder.ground(f"a-{len(found) + 1}", bare + "。"))
    return found
