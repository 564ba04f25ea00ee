"""A model's wording of what its tools found, or of the nearest places; each sentence is checked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage, SystemMessage

import prompts
from assistant.draft import Statement
from assistant.tasks.ending import Ending
from assistant.tasks.record_qa.draft import RecordAnswer
from assistant.tasks.record_qa.nearest import nearest
from assistant.tasks.record_qa.planning import Plan, Thinking
from assistant.tasks.record_qa.prompt import PLAN, PROMPT, TASK
from assistant.tasks.record_qa.reading import RecordReading
from assistant.tasks.record_qa.sentences import checked
from assistant.work.events import Delta
from serving.engine import Engine

TOKENS = 320
SPAN_CHARACTERS = 300
MOST_SPANS = 14
NEAREST_BESIDE = 3
MOST_THINKING = 6_000
MOST_FOUND = 8
MOST_TABLES = 3
CUT = "模型的回答到长度上限而中断，末句可能不完整。"


async def answer_with_model(
    reading: RecordReading,
    asked: RecordAnswer,
    engine: Engine,
    chat_model: BaseChatModel,
    seconds: float,
    plan: Plan | None = None,
    thinking: Thinking | None = None,
) -> AsyncGenerator[Delta | RecordAnswer]:
    """Pieces of text, then the answer, its sentences checked against the tools and the record.

    What the model said at the end of its ``plan`` is taken as it is; else it is asked to word what
    the tools found.  A model that fails or takes longer than ``seconds`` leaves the answer as it
    was, with what the tools found, and says so.
    """
    started = time.perf_counter()
    plan = plan or Plan()
    answer = asked.model_copy(deep=True)
    answer.steps, answer.proposal = plan.steps, plan.proposal
    answer.thinking = plan.thinking
    text, ending = plan.text, Ending()
    answer.model, name = engine.card.name, PLAN
    if plan.problem:
        answer.warnings.append(plan.problem)
    if plan.cut and text:
        answer.warnings.append(CUT)
    if not text and plan.proposal is None:
        name = PROMPT
        system, user = await asyncio.to_thread(_prompt, reading, asked.question, plan)
        model = chat_model.bind(max_tokens=TOKENS, **_options(engine, thinking))
        try:
            async with asyncio.timeout(max(0.01, seconds)):
                async for chunk in model.astream([SystemMessage(system), HumanMessage(user)]):
                    ending.see(chunk)
                    text += chunk.text
                    answer.thinking += chunk.additional_kwargs.get("reasoning_content") or ""
                    if chunk.text:
                        yield Delta(text=chunk.text)
        except TimeoutError:
            answer.warnings.append("模型用时过长，已停止；只列出查到的内容。")
            text = ""
        text = "" if ending.filtered else text
        answer.warnings += ending.warnings(CUT)
    answer.thinking = answer.thinking[:MOST_THINKING]
    answer.prompt_version = prompts.template(TASK, name).version
    said = await asyncio.to_thread(checked, reading, text, plan.results) if text.strip() else []
    _settle(answer, said, plan, spoke=bool(text.strip()))
    answer.seconds = asked.seconds + time.perf_counter() - started
    yield answer


def _options(engine: Engine, thinking: Thinking | None) -> dict[str, object]:
    """How the wording is sampled: a model that thinks needs room for its thoughts as well."""
    options = dict((thinking or Thinking()).sampling(engine))
    if thinking is not None and thinking.on and engine.card.thinks_on_request:
        options["chat_template_kwargs"] = {}
        options["max_tokens"] = TOKENS + thinking.budget if thinking.budget else None
    return options


def _prompt(reading: RecordReading, question: str, plan: Plan) -> tuple[str, str]:
    found = [
        {"name": result.understood, "text": s.text[:SPAN_CHARACTERS]}
        for result in plan.results
        for s in result.statements
    ][:MOST_SPANS]
    places = nearest(reading, question)[: NEAREST_BESIDE if found else None]
    found += [{"name": n.name, "text": p.quote[:SPAN_CHARACTERS]} for n, p in places]
    return prompts.template(TASK, PROMPT).render(spans=found, question=question)


def _settle(answer: RecordAnswer, said: Sequence[Statement], plan: Plan, *, spoke: bool) -> None:
    """What the answer is: the model's sentences where one is supported, else what was found."""
    tables = {t.title: t for result in plan.results for t in result.tables}
    plots = [result.plot for result in plan.results if result.plot is not None]
    supported = any(s.status == "supported" for s in said)
    if supported:
        answer.statements, answer.outcome, answer.message = list(said), "answered", ""
        answer.route = "model"
        answer.understood = (
            "由模型调用工具查询后回答，逐句核对"
            if plan.results
            else "由模型根据最接近的原文回答，逐句核对"
        )
    elif not plan.is_empty:
        found = [s for result in plan.results for s in result.statements][:MOST_FOUND]
        answer.statements = [s.model_copy(update={"id": f"a-{n}"}) for n, s in enumerate(found, 1)]
        answer.route, answer.understood = "tools", "由模型选择工具查询"
        answer.outcome = "answered" if found or tables else "not_recorded"
        messages = "".join(dict.fromkeys(r.message for r in plan.results if r.message))
        answer.message = ("模型的措辞没有依据，未采用。" if said else "") + (
            f"以下是工具查到的。{messages}" if found or tables else messages
        )
    elif said and answer.route != "general":
        answer.statements, answer.route = list(said), "model"
        answer.message = "模型的回答没有一句能在病历中找到依据，请看下面最接近的原文。"
    elif spoke and not answer.nearest:
        answer.message = "病历中没有找到相关记载。"
    answer.tables = list(tables.values())[:MOST_TABLES]
    answer.plot = plots[0] if plots else None
    answer.warnings = list(
        dict.fromkeys([*answer.warnings, *(w for r in plan.results for w in r.warnings)])
    )
    if plan.proposal is not None:
        answer.outcome, answer.route = "to_confirm", "tools"
        answer.understood = "由模型选择工具查询"
        answer.message = (
            f"“{plan.proposal.title}”要用几分钟，同意后才会进行；下面是已经查到的内容。"
            if answer.statements
            else f"“{plan.proposal.title}”要用几分钟，同意后才会进行。"
        )
