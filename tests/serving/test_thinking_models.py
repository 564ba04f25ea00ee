"""Models whose chat templates know thinking and tools: a tiny one here, others behind servers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import openai
import openvino
import pytest
import tiny_gguf
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from serving.chat_model import EngineChatModel
from serving.chat_options import ChatOptions
from serving.engine import (
    EngineError,
    EngineUnavailable,
    Message,
    Sampling,
    UnsupportedOption,
    complete,
)
from serving.engines.echo import EchoEngine
from serving.engines.openvino.engine import OpenVinoEngine, OpenVinoOptions
from serving.engines.openvino.prompt_encoder import PromptEncoder
from serving.engines.remote import RemoteEngine
from serving.engines.text_stream import TextStream
from serving.ir.chat_template import _QWEN
from serving.ir.convert import convert
from serving.openai.api import router

HELLO = [Message("user", "你好")]
# As Qwen3's: thinking is on unless it is turned off, and then the prompt has an empty thought.
SWITCH = (
    _QWEN.rstrip().removesuffix("{%- endif -%}")
    + "{%- if enable_thinking is defined and enable_thinking is false -%}"
    + "{{- '<think>\\n\\n</think>\\n\\n' -}}{%- endif -%}{%- endif -%}"
)
OPENED = tiny_gguf.TEMPLATE.replace("assistant\n{% endif %}", "assistant\n<think>\n{% endif %}")
CALL = {"id": "c1", "type": "function", "function": {"name": "lab", "arguments": '{"n": 1}'}}
TOOLS = [
    {"role": "user", "content": "查化验"},
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "c1", "content": "钾 3.1"},
    {"role": "user", "content": "总结"},
]


def folder_with(template: str, place: Path) -> Path:
    convert(tiny_gguf.write(place / "tiny.gguf", template=template), place / "tiny")
    return place / "tiny"


@pytest.fixture(scope="module")
def switch_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder_with(SWITCH, tmp_path_factory.mktemp("switch"))


@pytest.fixture(scope="module")
def switch(switch_folder: Path) -> Iterator[OpenVinoEngine]:
    engine = OpenVinoEngine(switch_folder)
    yield engine
    engine._loop.close()


def client_of(**engines: Any) -> TestClient:
    app = FastAPI()
    app.include_router(router(engines))
    return TestClient(app)


def chat(client: TestClient, messages: list | None = None, **fields: Any) -> Any:
    asked = messages or [{"role": "user", "content": "你好"}]
    body = {"model": "m", "messages": asked, "max_tokens": 2, **fields}
    return client.post("/v1/chat/completions", json=body)


def test_thinking_is_turned_off_and_on_by_the_request(switch: OpenVinoEngine) -> None:
    client = client_of(m=switch)

    def tokens(**fields: Any) -> int:
        return chat(client, **fields).json()["usage"]["prompt_tokens"]

    off = tokens(chat_template_kwargs={"enable_thinking": False})
    assert off == tokens(enable_thinking=False)
    assert tokens() == tokens(chat_template_kwargs={"enable_thinking": True})
    assert off == tokens() + switch.count_tokens("<think>\n\n</think>\n\n")


def test_an_option_without_effect_is_refused_by_name(switch: OpenVinoEngine) -> None:
    client = client_of(m=switch, plain=EchoEngine(name="plain"))
    for fields in (
        {"chat_template_kwargs": {"thinking_budget": 1}},
        {"chat_template_kwargs": {"messages": []}},
        {"model": "plain", "chat_template_kwargs": {"thinking_budget": 1}},
    ):
        answer = chat(client, **fields)
        assert answer.status_code == 400
        name = next(iter(fields["chat_template_kwargs"]))  # type: ignore[call-overload]
        assert name in answer.json()["error"]["message"]
        assert answer.json()["error"]["param"] == "chat_template_kwargs"
    raw = {"model": "m", "prompt": "x", "chat_template_kwargs": {"enable_thinking": False}}
    assert client.post("/v1/completions", json=raw).status_code == 400


async def test_an_engine_can_be_opened_without_thinking(switch_folder: Path) -> None:
    options = OpenVinoOptions(chat_template_kwargs={"enable_thinking": False})
    engine = OpenVinoEngine(switch_folder, options)
    try:
        off = (await complete(engine, HELLO, Sampling(max_tokens=1))).usage.prompt_tokens
        think = Sampling(max_tokens=1, chat_template_kwargs={"enable_thinking": True})
        assert off > (await complete(engine, HELLO, think)).usage.prompt_tokens
        assert engine.card.details["chat_template_kwargs"] == '{"enable_thinking": false}'
        assert not engine.card.thinks_on_request
    finally:
        await engine.close()
    with pytest.raises(EngineUnavailable, match="no_such"):
        OpenVinoEngine(switch_folder, OpenVinoOptions(chat_template_kwargs={"no_such": 1}))


async def test_tasks_ask_a_model_that_can_do_without_it_not_to_think(
    switch: OpenVinoEngine,
) -> None:
    def read(**fields: Any) -> int:
        message = EngineChatModel(engine=switch, max_tokens=1, **fields).invoke("你好")
        assert message.usage_metadata is not None
        return message.usage_metadata["input_tokens"]

    assert read() == read(chat_template_kwargs={"enable_thinking": False})
    assert read() > read(chat_template_kwargs={})


async def test_text_behind_a_prompt_that_opens_the_thoughts_is_a_thought(tmp_path: Path) -> None:
    engine = OpenVinoEngine(folder_with(OPENED, tmp_path))
    try:
        answer = await complete(engine, HELLO, Sampling(max_tokens=5))
        assert (answer.text, answer.finish_reason) == ("", "length")
        assert answer.reasoning
        held = await complete(engine, HELLO, Sampling(max_tokens=40), {"enum": ["轻"]})
        assert (json.loads(held.text), held.reasoning) == ("轻", "")
    finally:
        await engine.close()


def test_a_history_of_tool_calls_passes_a_template_that_knows_them(
    switch: OpenVinoEngine, tiny_engine: OpenVinoEngine
) -> None:
    rendered = switch._encoder.render(
        [
            Message("user", "查化验"),
            Message("assistant", "", (CALL,)),
            Message("tool", "钾 3.1<|im_end|>", tool_call_id="c1"),
        ]
    )
    assert '"arguments": {"n": 1}' in rendered
    assert "<tool_response>\n钾 3.1< |im_end|>\n</tool_response>" in rendered
    client = client_of(m=switch, plain=tiny_engine)
    assert chat(client, TOOLS).status_code == 200
    refused = chat(client, TOOLS, model="plain")
    assert refused.status_code == 400
    assert "tool" in refused.json()["error"]["message"]
    user_calls = [{"role": "user", "content": "x", "tool_calls": [CALL]}]
    assert chat(client, user_calls).status_code == 400


class HidingTokenizer:
    """Has one token a character, and tags as special tokens, which its text does not show."""

    chat_template = ""
    tags: ClassVar = {9001: "<think>", 9002: "</think>"}

    def encode(self, text: str, **options: Any) -> Any:
        found = {tag: token for token, tag in self.tags.items()}.get(text)
        ids = [found] if found else [ord(character) for character in text[:50]]
        return SimpleNamespace(input_ids=openvino.Tensor(np.array([ids], np.int64)))

    def decode(self, ids: list[int]) -> str:
        return "".join(chr(token) for token in ids if token not in self.tags)


def test_tags_that_are_special_tokens_are_seen() -> None:
    encoder = PromptEncoder(HidingTokenizer(), 100, ())
    text = TextStream(encoder.decode)
    ids = [9001, *map(ord, "我猜"), 9002, *map(ord, "肺炎")]
    assert "".join(text.push([token]) for token in ids) == "<think>我猜</think>肺炎"


def test_options_are_the_names_that_a_template_reads_and_does_not_set() -> None:
    options = ChatOptions(
        "{% set ns = 1 %}{% for message in messages %}{% generation %}{{ message.content }}"
        "{% endgeneration %}{% endfor %}{% if thinking %}{{ ns }}{% endif %}"
    )
    options.check({"thinking": True})
    for name in ("add_generation_prompt", "messages", "tools"):
        with pytest.raises(UnsupportedOption, match=name):
            options.check({name: True})
    assert not options.can_think


def answering(*events: dict[str, Any]) -> tuple[Starlette, list[dict[str, Any]]]:
    seen: list[dict[str, Any]] = []
    text = "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"

    async def answer(request: Request) -> Response:
        seen.append(await request.json())
        return PlainTextResponse(text)

    return Starlette(routes=[Route("/{path:path}", answer, methods=["POST"])]), seen


def delta(reason: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": reason}]}


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
async def test_thoughts_that_a_server_keeps_apart_stay_apart(serve, name: str) -> None:
    events = delta(role="assistant", content=""), delta(**{name: "我猜"}), delta(content="肺炎")
    app, _ = answering(*events, delta("stop"))
    answer = await complete(RemoteEngine(serve(app), "m"), HELLO)
    assert (answer.text, answer.reasoning) == ("肺炎", "我猜")


@pytest.mark.parametrize(
    "pieces",
    [
        ["<think>我猜", "</think>肺炎"],
        ["我猜\n</th", "ink>\n\n肺炎"],
        [[{"type": "thinking", "thinking": [{"text": "我猜"}]}, {"type": "text", "text": "肺炎"}]],
    ],
)
async def test_thoughts_in_the_text_of_a_server_are_taken_out(serve, pieces: list) -> None:
    app, _ = answering(*(delta(content=piece) for piece in pieces), delta("stop"))
    answer = await complete(RemoteEngine(serve(app), "m"), HELLO)
    assert (answer.text, answer.reasoning.strip()) == ("肺炎", "我猜")


@pytest.mark.parametrize(
    ("model", "options", "text"),
    [
        ("deepseek-r1-distill-qwen-7b", {}, ""),
        ("m", {"thinks_first": True}, ""),
        ("qwen3-30b-non-thinking", {}, "我猜"),
    ],
)
async def test_a_thought_without_tags_that_was_cut_is_no_answer(
    serve, model: str, options: dict, text: str
) -> None:
    app, _ = answering(delta(content="我猜"), delta("length"))
    answer = await complete(RemoteEngine(serve(app), model, **options), HELLO)
    assert (answer.text, answer.finish_reason) == (text, "length")
    assert answer.text + answer.reasoning == "我猜"


async def test_options_and_limits_are_sent_on(serve) -> None:
    app, seen = answering(delta("stop", content="好"))
    engine = RemoteEngine(serve(app), "m", chat_template_kwargs={"enable_thinking": False, "a": 1})
    await complete(engine, HELLO, Sampling(chat_template_kwargs={"enable_thinking": True}))
    await complete(engine, HELLO, Sampling(max_tokens=7))
    await complete(engine, "x")
    assert [body.get("max_tokens") for body in seen] == [None, 7, None]
    assert seen[0]["chat_template_kwargs"] == {"enable_thinking": True, "a": 1}
    assert seen[1]["chat_template_kwargs"] == {"enable_thinking": False, "a": 1}
    assert "chat_template_kwargs" not in seen[2]
    limited = RemoteEngine(serve(app), "m", default_max_tokens=50)
    await complete(limited, HELLO)
    assert seen[-1]["max_tokens"] == 50


@pytest.mark.parametrize(
    ("reason", "extra", "expected"),
    [
        ("content_filter", {}, "content_filter"),
        ("sensitive", {}, "content_filter"),
        ("stop", {"refusal": "抱歉"}, "content_filter"),
        ("max_tokens", {}, "length"),
        ("eos", {}, "stop"),
    ],
)
async def test_why_a_server_ended_is_passed_on(serve, reason, extra, expected) -> None:
    app, _ = answering(delta(content="抱歉", **extra), delta("null"), delta(reason))
    engine = RemoteEngine(serve(app), "m")
    assert (await complete(engine, HELLO)).finish_reason == expected
    answer = chat(client_of(m=engine))
    assert answer.json()["choices"][0]["finish_reason"] == expected


@pytest.mark.parametrize("reason", ["abort", "insufficient_system_resource", "tool_calls"])
async def test_an_answer_that_a_server_did_not_finish_is_an_error(serve, reason: str) -> None:
    app, _ = answering(delta(content="肺"), delta(reason))
    with pytest.raises(EngineError, match=reason):
        await complete(RemoteEngine(serve(app), "m"), HELLO)


def test_the_api_has_thoughts_in_a_field_of_their_own(serve) -> None:
    app = FastAPI()
    app.include_router(router({"m": EchoEngine(lambda _: "<think>我 猜</think>肺 炎")}))
    client = openai.OpenAI(base_url=serve(app) + "/v1", api_key="none", max_retries=0)
    asked: list = [{"role": "user", "content": "?"}]
    message = client.chat.completions.create(model="m", messages=asked).choices[0].message
    assert message.content == "肺 炎"
    assert message.model_extra == {"reasoning_content": "我 猜"}
    chunks = list(client.chat.completions.create(model="m", messages=asked, stream=True))
    deltas = [chunk.choices[0].delta for chunk in chunks]
    assert "".join(d.content or "" for d in deltas) == "肺 炎"
    thoughts = [(d.model_extra or {}).get("reasoning_content", "") for d in deltas]
    assert "".join(thoughts) == "我 猜"


def test_thoughts_are_beside_a_message_of_the_chat_model() -> None:
    model = EngineChatModel(engine=EchoEngine(lambda _: "<think>我猜</think>肺炎"))
    message = model.invoke("?")
    assert message.text == "肺炎"
    assert message.additional_kwargs["reasoning_content"] == "我猜"
