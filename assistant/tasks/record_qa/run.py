"""A question's way: its record and what came before, the routes, the model where none takes it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Sequence

from assistant.record.encounter import Encounter
from assistant.store.models.draft import DraftRow
from assistant.tasks.record_qa.chain import ask, timed_out
from assistant.tasks.record_qa.draft import Focus, Proposal, RecordAnswer
from assistant.tasks.record_qa.events import ToolUsed
from assistant.tasks.record_qa.planning import Plan, Thinking, planned
from assistant.tasks.record_qa.reading import RecordReading
from assistant.tasks.record_qa.request import RecordQuestion
from assistant.tasks.record_qa.tools.registry import (
    WrongArguments,
    all_tools,
    call,
    read_arguments,
    usable,
)
from assistant.tasks.record_qa.tools.tool import Desk
from assistant.tasks.record_qa.with_model import answer_with_model
from assistant.work.events import Delta, Event
from assistant.work.task import Run
from serving.chat_model import EngineChatModel
from serving.engine import Engine

TOOL_SECONDS = 20.0
"""After so long a tool is taken to hang, and the answer says so."""

PLAN_SECONDS = 90.0
"""For the calls of tools together; wording what they found may take as long as is left of:"""

MODEL_SECONDS = 150.0
MOST_BEGUN = 4


async def answered(request: RecordQuestion, run: Run) -> AsyncGenerator[Event | RecordAnswer]:
    """Pieces of text where a model writes, then the answer.

    Raises `assistant.store.errors.ConversationNotFound`.
    """
    encounter, focus, turn = await asyncio.to_thread(_before, request, run)
    reading = RecordReading(encounter)
    if request.confirm is not None:
        answer = await confirmed(request.confirm, Desk(reading, run))
        yield await _kept(answer, request, run, turn)
        return
    try:
        async with asyncio.timeout(TOOL_SECONDS):
            answer = await asyncio.to_thread(ask, reading, request.question, focus)
    except TimeoutError:
        answer = timed_out(request.question)
    unknown = (
        answer.outcome == "not_understood"
        or answer.route == "general"
        or (
            # The record need not say why in the words of the question.
            answer.route == "reason" and answer.outcome == "not_recorded"
        )
    )
    if unknown and request.use_model:
        engine, chat_model = await run.resources.default_model()
        if engine is not None and chat_model is not None:
            if begun := _begun(answer):
                yield Delta(text=begun)
            steps = _by_model(request, run, reading, answer, (engine, chat_model))
            async with contextlib.aclosing(steps) as told:
                async for step in told:
                    if isinstance(step, RecordAnswer):
                        answer = step
                    else:
                        yield step
    yield await _kept(answer, request, run, turn)


def _begun(answer: RecordAnswer) -> str:
    """What is shown while a model plans, which takes seconds: the record's own lines; "" where it
    has none near the question."""
    lines = [s.text for s in answer.statements] or [f"“{p.quote}”" for p in answer.nearest]
    if not lines:
        return ""
    return "\n".join(["先列出病历中相近的原文，模型正在查找：", *lines[:MOST_BEGUN], ""]) + "\n"


async def _by_model(
    request: RecordQuestion,
    run: Run,
    reading: RecordReading,
    asked: RecordAnswer,
    model: tuple[Engine, EngineChatModel],
) -> AsyncGenerator[Event | RecordAnswer]:
    """The model plans over the tools, then its words, or what it found, are the answer."""
    engine, chat_model = model
    thinking = Thinking(request.thinking, request.reasoning_budget)
    deadline = time.monotonic() + MODEL_SECONDS
    plan = Plan()
    desk = Desk(reading, run)
    planning = planned(request.question, desk, usable(desk), engine, thinking, PLAN_SECONDS)
    async with contextlib.aclosing(planning) as steps:
        async for step in steps:
            if isinstance(step, Plan):
                plan = step
            else:
                yield ToolUsed(tool=step.tool, title=step.title, outcome=step.outcome)
    rest = deadline - time.monotonic()
    words = answer_with_model(reading, asked, engine, chat_model, rest, plan, thinking)
    async with contextlib.aclosing(words) as told:
        async for one in told:
            yield one


async def confirmed(proposal: Proposal, desk: Desk) -> RecordAnswer:
    """A tool that the doctor has agreed to."""
    question = f"执行：{proposal.title or proposal.tool}"
    tool = all_tools().get(proposal.tool)
    answer: RecordAnswer | None = None
    if tool is None:
        return RecordAnswer(
            question=question,
            outcome="refused",
            understood="未执行",
            message="没有这个工具。(No such tool.)",
        )
    question = f"执行：{tool.title}"
    try:
        given = read_arguments(tool, proposal.arguments)
    except WrongArguments as error:
        return RecordAnswer(
            question=question, outcome="refused", understood="未执行", message=str(error)
        )
    step, answer = await call(tool, given, desk)
    if answer is None:
        late = step.outcome == "timeout"
        message = "用时过长，已停止。" if late else "执行出错，未得到结果。"
        answer = RecordAnswer(question=question, outcome="failed", message=tool.title + message)
    answer.question, answer.steps = question, [step]
    answer.understood = f"经医师同意执行：{tool.title}"
    answer.route, answer.seconds = "tools", step.seconds
    return answer


async def _kept(answer: RecordAnswer, request: RecordQuestion, run: Run, turn: int) -> RecordAnswer:
    """The answer as a turn of its conversation."""
    answer.conversation_id, answer.turn = request.conversation_id, turn
    if request.conversation_id:
        await asyncio.to_thread(
            run.resources.conversations.update,
            run.context,
            request.conversation_id,
            first_title=answer.question,
        )
    return answer


def _before(request: RecordQuestion, run: Run) -> tuple[Encounter, Focus | None, int]:
    """The record, what the turn before was about, and the number of this turn.

    A record that comes with the question becomes that of the conversation.
    """
    if not request.conversation_id:
        if request.encounter is None:
            raise ValueError("a question without its record")
        return request.encounter, request.focus, 0
    kept = run.resources.conversations
    if request.encounter is not None:
        record = request.encounter.model_dump(mode="json")
        row = kept.update(run.context, request.conversation_id, record=record)
    else:
        row = kept.get(run.context, request.conversation_id)
    turns = kept.turns(run.context, request.conversation_id)
    return Encounter.model_validate(row.record), _focus(turns, request), len(turns) + 1


def _focus(turns: Sequence[DraftRow], request: RecordQuestion) -> Focus | None:
    """That of the answer which the question goes on from."""
    if request.focus is not None:
        return request.focus
    for row in reversed(turns):
        if request.after and row.id != request.after:
            continue
        focus = Focus.model_validate(row.content["draft"].get("focus") or {})
        if focus.kind:
            return focus
        if request.after:
            return None
    return None
