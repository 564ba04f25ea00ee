"""Tools by the official client: over an engine that echoes, a tiny model, and another server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
import tiny_gguf
from fastapi import FastAPI

from serving.engine import Message, Sampling, UnsupportedOption, complete
from serving.engines.echo import EchoEngine
from serving.engines.openvino.engine import OpenVinoEngine
from serving.engines.remote import RemoteEngine
from serving.ir.chat_template import _QWEN
from serving.ir.convert import convert
from serving.openai.api import router

LAB: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "lab",
        "description": "历次结果",
        "parameters": {
            "type": "object",
            "properties": {"test": {"enum": ["血钾", "肌酐"]}},
            "required": ["test"],
            "additionalProperties": False,
        },
    },
}
SAID = '查一下。<tool_call>{"name": "lab", "arguments": {"test": "血钾"}}</tool_call>'
TWICE = SAID + '<tool_call>{"name": "lab", "arguments": {"test": "肌酐"}}</tool_call>'
USER: Any = [{"role": "user", "content": "血钾？"}]
# As Qwen's: it reads `tools` and turns of the role tool.
TEMPLATE = (
    "{% if tools %}<|im_start|>system\n{% for t in tools %}{{ t | tojson }}{% endfor %}<|im_end|>\n"
    "{% endif %}{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}"
    "{% if m.tool_calls %}<tool_call>{{ m.tool_calls | tojson }}</tool_call>{% endif %}"
    "{% if m.role == 'tool' %}(result){% endif %}<|im_end|>\n{% endfor %}<|im_start|>assistant\n"
)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenVinoEngine]:
    place = tmp_path_factory.mktemp("tools")
    convert(tiny_gguf.write(place / "tiny.gguf", template=TEMPLATE), place / "tiny")
    engine = OpenVinoEngine(place / "tiny")
    yield engine
    engine._loop.close()


@pytest.fixture
def address(serve: Callable[[Any], str]) -> str:
    engines = {
        "calls": EchoEngine(lambda _: TWICE, calls_tools=True),
        "plain": EchoEngine(),
    }
    app = FastAPI()
    app.include_router(router(engines))
    return f"{serve(app)}/v1"


@pytest.fixture
def client(address: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=address, api_key="none", max_retries=0)


def test_calls_have_ids_and_the_answer_ends_in_them(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="calls", messages=USER, tools=[LAB])
    choice = answer.choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content == "查一下。"
    calls = choice.message.tool_calls or []
    assert [json.loads(c.function.arguments)["test"] for c in calls] == ["血钾", "肌酐"]
    assert len({c.id for c in calls}) == 2


def test_one_call_where_only_one_may_be(client: openai.OpenAI) -> None:
    asked: Any = {"model": "calls", "messages": USER, "tools": [LAB]}
    answer = client.chat.completions.create(**asked, parallel_tool_calls=False)
    assert len(answer.choices[0].message.tool_calls or []) == 1


def test_a_stream_tells_calls_as_deltas(client: openai.OpenAI) -> None:
    asked: Any = {"model": "calls", "messages": USER, "tools": [LAB]}
    pieces = [c.choices[0] for c in client.chat.completions.create(**asked, stream=True)]
    calls = [call for p in pieces for call in p.delta.tool_calls or []]
    assert [c.index for c in calls] == [0, 1]
    assert all(c.id and c.function and c.function.name == "lab" for c in calls)
    assert "".join(p.delta.content or "" for p in pieces) == "查一下。"
    assert [p.finish_reason for p in pieces if p.finish_reason] == ["tool_calls"]


def test_results_go_back_as_turns(client: openai.OpenAI) -> None:
    asked: Any = {"model": "calls", "tools": [LAB], "tool_choice": "none"}
    first = client.chat.completions.create(model="calls", messages=USER, tools=[LAB])
    message = first.choices[0].message
    history = [*USER, message.model_dump(exclude_none=True)]
    history += [
        {"role": "tool", "tool_call_id": call.id, "content": "3.2"}
        for call in message.tool_calls or []
    ]
    answer = client.chat.completions.create(messages=history, **asked)
    # With the choice "none" a call is text like any other.
    assert answer.choices[0].finish_reason == "stop"
    assert answer.choices[0].message.tool_calls is None


@pytest.mark.parametrize(
    ("model", "extra", "named"),
    [
        ("plain", {}, "tools"),
        ("calls", {"tools": [{"type": "function", "function": {"name": "a b"}}]}, "name"),
        ("calls", {"tools": [LAB, LAB]}, "same name"),
        (
            "calls",
            {"tool_choice": {"type": "function", "function": {"name": "absent"}}},
            "tool_choice",
        ),
        ("calls", {"tool_choice": "sometimes"}, "tool_choice"),
        ("calls", {"response_format": {"type": "json_object"}}, "response_format"),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    client: openai.OpenAI, model: str, extra: dict, named: str
) -> None:
    body = {"model": model, "messages": USER, "tools": [LAB], **extra}
    with pytest.raises(openai.BadRequestError) as refused:
        client.post("/chat/completions", body=body, cast_to=object)
    assert named in str(refused.value.body)


async def test_a_local_model_is_held_to_a_call(tiny: OpenVinoEngine) -> None:
    assert tiny.card.calls_tools
    sampling = Sampling(tools=(LAB,), must_call=True, max_tokens=120)
    answer = await complete(tiny, [Message("user", "血钾？")], sampling)
    assert answer.finish_reason == "tool_calls"
    assert answer.text == ""
    assert json.loads(answer.tool_calls[0].arguments)["test"] in ("血钾", "肌酐")


async def test_a_local_model_reads_the_tools(tiny: OpenVinoEngine) -> None:
    asked = [Message("user", "血钾？")]
    without = await complete(tiny, asked, Sampling(max_tokens=1))
    told = await complete(tiny, asked, Sampling(max_tokens=1, tools=(LAB,)))
    assert told.usage.prompt_tokens > without.usage.prompt_tokens


async def test_a_template_without_tools_refuses_them(tmp_path: Path) -> None:
    template = _QWEN if "tools" not in _QWEN else tiny_gguf.TEMPLATE
    convert(tiny_gguf.write(tmp_path / "tiny.gguf", template=template), tmp_path / "tiny")
    engine = OpenVinoEngine(tmp_path / "tiny")
    assert not engine.card.calls_tools
    with pytest.raises(UnsupportedOption, match="tools"):
        await complete(engine, [Message("user", "x")], Sampling(max_tokens=2, tools=(LAB,)))
    await engine.close()


async def test_calls_of_another_server_come_through(address: str) -> None:
    engine = RemoteEngine(address, "calls")
    answer = await complete(engine, [Message("user", "血钾？")], Sampling(tools=(LAB,)))
    assert answer.finish_reason == "tool_calls"
    assert [json.loads(c.arguments)["test"] for c in answer.tool_calls] == ["血钾", "肌酐"]
    forced = Sampling(tools=(LAB,), must_call=True)
    answer = await complete(engine, [Message("user", "血钾？")], forced)
    assert [c.name for c in answer.tool_calls] == ["lab"]
