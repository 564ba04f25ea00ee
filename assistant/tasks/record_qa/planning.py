"""A question that no route takes: a model plans over the tools, in a few steps.

A model that calls tools is told of them by its chat template; any other writes one call a step as
JSON that the decoder holds to the tools' schemas.  What a model says in the end is only wording:
`assistant.tasks.record_qa.with_model` checks each sentence against what the tools gave.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import prompts
from assistant.record.patient import SEX_ZH
from assistant.tasks.record_qa.draft import Proposal, RecordAnswer, Step
from assistant.tasks.record_qa.prompt import PLAN, TASK
from assistant.tasks.record_qa.tools.registry import (
    WrongArguments,
    call,
    offered,
    read_arguments,
)
from assistant.tasks.record_qa.tools.tool import Desk, Tool
from serving.engine import (
    Completion,
    Engine,
    EngineError,
    Message,
    Sampling,
    ToolCall,
    UnsupportedOption,
    complete,
    without_thoughts,
)
from serving.tool_calls import read_call, schema_of_call

MOST_STEPS = 5
MOST_CALLS = 3
"""Calls of one step that are carried out; a model that asks for more is told so."""

STEP_TOKENS = 240
_BETWEEN = ("}\n{", "}\n\n{")
"""Where small models go on with calls of their own making; one a step is enough."""
RESULT_CHARACTERS = 1_500
ANSWER = "answer"
_ANSWER_FORM: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": ANSWER,
        "description": "资料已够，作答",
        "parameters": {"type": "object", "properties": {}, "additionalProperties": False},
    },
}
_FENCE = re.compile(r"^\s*```(?:json)?|```\s*$")
_AGAIN = "同样的调用已经做过，结果见上；请换一个工具或作答。"


@dataclass(frozen=True)
class Thinking:
    """How the model may think: on or off, and for how long."""

    on: bool = False
    budget: int | None = None

    def sampling(self, engine: Engine) -> dict[str, Any]:
        """Fields of `Sampling`."""
        if not engine.card.thinks_on_request:
            return {}
        if not self.on:
            return {"chat_template_kwargs": without_thoughts(engine.card)}
        return {"reasoning_budget": self.budget} if self.budget is not None else {}


@dataclass
class Plan:
    """What came of the planning: results of tools, and the model's own words, if any."""

    steps: list[Step] = field(default_factory=list)
    results: list[RecordAnswer] = field(default_factory=list)
    text: str = ""
    thinking: str = ""
    cut: bool = False
    proposal: Proposal | None = None
    problem: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether no tool gave anything."""
        return not any(r.statements or r.tables or r.message for r in self.results)


async def planned(
    question: str,
    desk: Desk,
    tools: Mapping[str, Tool],
    engine: Engine,
    thinking: Thinking,
    seconds: float,
) -> AsyncGenerator[Step | Plan]:
    """Each step as it is done, then the plan.

    It ends when the model answers, when a tool must be agreed to, after `MOST_STEPS` steps, or
    after ``seconds``; what the tools gave until then is kept.
    """
    planner = _Planner(question, desk, tools, engine, thinking)
    deadline = time.monotonic() + seconds
    try:
        for _ in range(MOST_STEPS):
            rest = deadline - time.monotonic()
            calls = await asyncio.wait_for(planner.ask(), max(0.01, rest))
            if not calls:
                break
            for one in calls[:MOST_CALLS]:
                step = await planner.perform(one, max(0.01, deadline - time.monotonic()))
                yield step
                if step.outcome == "asks":
                    yield planner.plan
                    return
            for one in calls[MOST_CALLS:]:
                planner.tell(one, f"一次最多 {MOST_CALLS} 个调用，这个没有执行。")
    except TimeoutError:
        planner.plan.problem = "模型用时过长，已停止。"
    except EngineError as error:
        planner.plan.problem = f"模型未能完成查询（{type(error).__name__}）。"
    yield planner.plan


class _Planner:
    """One question with its messages so far."""

    def __init__(
        self,
        question: str,
        desk: Desk,
        tools: Mapping[str, Tool],
        engine: Engine,
        thinking: Thinking,
    ) -> None:
        self.plan = Plan()
        self._question, self._desk, self._tools = question, desk, tools
        self._engine, self._thinking = engine, thinking
        self._native = engine.card.calls_tools
        self._functions = offered(list(tools.values()))
        self._done: set[str] = set()
        self._messages = self._opening()

    async def ask(self) -> list[ToolCall]:
        """What the model calls next; none: it has answered."""
        if self._native:
            try:
                return await self._natively()
            except UnsupportedOption:
                # The server behind it takes no tools: from here on as JSON.
                if self.plan.steps:
                    raise
                self._native = False
                self._messages = self._opening()
        return await self._as_json()

    async def perform(self, one: ToolCall, seconds: float) -> Step:
        """Carry one call out and tell the model what came of it."""
        tool = self._tools.get(one.name)
        if tool is None:
            return self._note(one, "", "refused", "没有这个工具。")
        try:
            given = read_arguments(tool, one.arguments)
        except WrongArguments as error:
            return self._note(one, tool.title, "refused", str(error))
        arguments = given.model_dump(mode="json", exclude_defaults=True)
        key = json.dumps([one.name, arguments], ensure_ascii=False, sort_keys=True)
        if key in self._done:
            return self._note(one, tool.title, "refused", _AGAIN)
        self._done.add(key)
        if tool.asks_first:
            self.plan.proposal = Proposal(tool=tool.name, title=tool.title, arguments=arguments)
            return self._note(one, tool.title, "asks", "等待医师同意。")
        step, answer = await call(tool, given, self._desk, min(seconds, tool.seconds))
        self.plan.steps.append(step)
        if answer is None:
            self.tell(one, "这个工具出错或用时过长，没有结果。")
        else:
            self.plan.results.append(answer)
            self.tell(one, as_text(answer))
        return step

    def tell(self, one: ToolCall, text: str) -> None:
        """A result as the model reads it."""
        if self._native:
            self._messages.append(Message("tool", text, tool_call_id=one.id))
        else:
            self._messages.append(Message("user", f"【工具结果 {one.name}】\n{text}"))

    def _note(self, one: ToolCall, title: str, outcome: Any, text: str) -> Step:
        step = Step(tool=one.name[:64], title=title, outcome=outcome)
        self.plan.steps.append(step)
        self.tell(one, text)
        return step

    async def _natively(self) -> list[ToolCall]:
        said = await self._complete(tools=self._functions)
        found = list(said.tool_calls)
        if not found:
            untagged = _untagged(said.text, self._functions)
            if not untagged:
                # What looks like data is no answer: what was found is then worded by itself.
                self.plan.text = said.text if untagged is None else ""
                return []
            found = untagged
        calls = tuple(
            {
                "id": one.id,
                "type": "function",
                "function": {"name": one.name, "arguments": one.arguments},
            }
            for one in found
        )
        words = said.text if said.tool_calls else ""
        self._messages.append(Message("assistant", words, calls))
        return found

    async def _as_json(self) -> list[ToolCall]:
        functions = [*self._functions, _ANSWER_FORM] if self.plan.steps else [*self._functions]
        said = await self._complete(schema_of_call(functions))
        found = read_call(said.text, functions)
        if found is None or found.name == ANSWER:
            return []
        self._messages.append(Message("assistant", said.text))
        return [found]

    async def _complete(
        self, schema: Mapping[str, Any] | None = None, tools: tuple[dict[str, Any], ...] = ()
    ) -> Completion:
        options = self._thinking.sampling(self._engine)
        endless = self._thinking.on and "reasoning_budget" not in options
        room = None if endless else STEP_TOKENS + (options.get("reasoning_budget") or 0)
        # Small models answer from memory unless the first thing that they may write is a call.
        first = bool(tools) and not self.plan.steps
        stop = () if schema is not None or first else _BETWEEN
        sampling = Sampling(max_tokens=room, tools=tools, must_call=first, stop=stop, **options)
        said = await complete(self._engine, self._messages, sampling, schema)
        self.plan.thinking += said.reasoning
        self.plan.cut = said.finish_reason == "length"
        return said

    def _opening(self) -> list[Message]:
        encounter = self._desk.reading.encounter
        admitted, left = self._desk.reading.admitted, self._desk.reading.left
        age = self._desk.reading.age
        facts = [
            SEX_ZH.get(encounter.patient.sex or "", ""),
            f"{age:.0f}岁" if age is not None else "",
            f"入院 {admitted:%Y-%m-%d}" if admitted else "",
            f"出院 {left:%Y-%m-%d}" if left else "",
        ]
        system, user = prompts.template(TASK, PLAN).render(
            question=self._question,
            stay="，".join(part for part in facts if part) or "未记载",
            attachments="、".join(f"{one.id}（{one.kind}）" for one in encounter.attachments),
            listed=[] if self._native else [_listed(one) for one in self._functions],
        )
        return [Message("system", system), Message("user", user)]


def _untagged(text: str, functions: Sequence[Mapping[str, Any]]) -> list[ToolCall] | None:
    """The call that a small model wrote as mere JSON; none of other data; None for words."""
    bare = _FENCE.sub("", text).strip()
    if not bare.startswith(("{", "[")):
        return None
    value = None
    for tail in ("", "}", "}}"):
        # The stop between two objects took the end of the first one with it.
        with suppress(ValueError):
            value, _ = json.JSONDecoder().raw_decode(bare + tail)
            break
    found = read_call(json.dumps(value), functions)
    return [found] if found is not None else []


def _listed(function: Mapping[str, Any]) -> dict[str, str]:
    one = function["function"]
    properties = one["parameters"].get("properties") or {}
    brief = {
        key: value.get("enum") or value.get("description") or value.get("type", "")
        for key, value in properties.items()
    }
    return {
        "name": one["name"],
        "description": one["description"],
        "parameters": json.dumps(brief, ensure_ascii=False),
    }


def as_text(answer: RecordAnswer) -> str:
    """A result as a model reads it, short enough for several of them."""
    lines = [answer.message] if answer.message else []
    lines += [f"{n}. {s.text}" for n, s in enumerate(answer.statements, 1)]
    if not answer.statements:
        lines += ["  ".join(row.cells) for table in answer.tables for row in table.rows]
    text = "\n".join(lines) or "没有结果。"
    return text if len(text) <= RESULT_CHARACTERS else text[:RESULT_CHARACTERS] + "…（以下省略）"


def answers_of(results: Sequence[RecordAnswer]) -> list[str]:
    """Every statement that the tools gave, as text."""
    return [s.text for result in results for s in result.statements]
