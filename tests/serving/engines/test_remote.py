from __future__ import annotations

import asyncio
import json

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from serving.engine import (
    EngineBusy,
    EngineError,
    EngineUnavailable,
    Message,
    PromptTooLong,
    Sampling,
    UnsupportedOption,
    complete,
)
from serving.engines.echo import EchoEngine
from serving.engines.remote import RemoteEngine
from serving.openai.api import router

HELLO = [Message("system", "短"), Message("user", "发热 three days")]
SCHEMA = {"type": "object", "properties": {"a": {"const": "轻"}}, "required": ["a"]}


def api(engine: EchoEngine) -> FastAPI:
    app = FastAPI()
    app.include_router(router({"echo": engine}))
    return app


def always(response: Response) -> Starlette:
    async def answer(request: Request) -> Response:
        return response

    return Starlette(routes=[Route("/{path:path}", answer, methods=["POST"])])


def failing(status: int, code: str = "", **headers: str) -> Starlette:
    body = {"error": {"message": "张三 has fever", "code": code}}
    return always(JSONResponse(body, status, headers=headers))


async def test_chat_and_completion_through_a_server(serve) -> None:
    engine = RemoteEngine(serve(api(EchoEngine())) + "/v1/", "echo")
    answer = await complete(engine, HELLO, Sampling(logprobs=True))
    assert (answer.text, answer.finish_reason) == ("发热 three days", "stop")
    assert answer.usage.new_tokens == 5
    assert answer.usage.prompt_tokens == 6
    assert "".join(entry.token for entry in answer.logprobs) == answer.text
    raw = await complete(engine, "a b c", Sampling(max_tokens=2, logprobs=True))
    assert (raw.text, raw.finish_reason) == ("a b ", "length")
    held = await complete(engine, HELLO, schema=SCHEMA)
    assert json.loads(held.text) == {"a": "轻"}


async def test_sampling_and_key_reach_the_server(serve) -> None:
    seen: list[dict] = []

    async def keep(request: Request) -> Response:
        seen.append(await request.json() | {"key": request.headers.get("authorization")})
        return JSONResponse({}, 500)

    app = Starlette(routes=[Route("/v1/chat/completions", keep, methods=["POST"])])
    engine = RemoteEngine(serve(app) + "/v1", "m", api_key="secret")
    sampling = Sampling(max_tokens=7, temperature=0.5, seed=3, stop=("x",), top_k=4)
    with pytest.raises(EngineError):
        await complete(engine, HELLO, sampling)
    (body,) = seen
    assert body["key"] == "Bearer secret"
    assert (body["max_tokens"], body["temperature"], body["seed"]) == (7, 0.5, 3)
    assert (body["stop"], body["top_k"]) == (["x"], 4)
    assert "repetition_penalty" not in body


async def test_leaving_frees_the_request_at_the_server(serve) -> None:
    echo = EchoEngine(seconds_per_word=0.01)
    engine = RemoteEngine(serve(api(echo)) + "/v1", "echo")
    stream = engine.generate("a " * 2000, Sampling(max_tokens=3000))
    await anext(stream)
    await stream.aclose()
    async with asyncio.timeout(20):
        while echo.open_requests:
            await asyncio.sleep(0.01)
    assert echo.open_requests == 0


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, "context_length_exceeded", PromptTooLong),
        (400, "unsupported", UnsupportedOption),
        (401, "", EngineUnavailable),
        (404, "", EngineUnavailable),
        (500, "", EngineError),
        (503, "", EngineBusy),
    ],
)
async def test_errors_become_the_engines_and_hold_no_text(serve, status, code, expected) -> None:
    engine = RemoteEngine(serve(failing(status, code)), "m")
    with pytest.raises(expected) as failed:
        await complete(engine, HELLO)
    assert "张三" not in str(failed.value)


async def test_retry_after_is_passed_on(serve) -> None:
    engine = RemoteEngine(serve(failing(503, **{"retry-after": "17"})), "m")
    with pytest.raises(EngineBusy) as busy:
        await complete(engine, HELLO)
    assert busy.value.retry_after == 17


@pytest.mark.parametrize(
    "body",
    [
        "data: not json\n\n",
        'data: {"choices": [{"delta": {"content": "a"}}]}\n\n',
        'data: {"error": {"message": "x"}}\n\n',
        "",
    ],
)
async def test_a_stream_that_breaks_off_is_an_error(serve, body: str) -> None:
    engine = RemoteEngine(serve(always(PlainTextResponse(body))), "m")
    with pytest.raises(EngineError):
        await complete(engine, HELLO)


async def test_a_server_that_is_away_is_unavailable() -> None:
    with pytest.raises(EngineUnavailable, match=r"127\.0\.0\.1"):
        await complete(RemoteEngine("http://127.0.0.1:9/v1", "m"), HELLO)
    with pytest.raises(EngineUnavailable):
        RemoteEngine("file:///etc/passwd", "m")


async def test_proxies_of_the_environment_are_not_used(serve, monkeypatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    engine = RemoteEngine(serve(api(EchoEngine())) + "/v1", "echo")
    assert (await complete(engine, "a")).text == "a"


def test_the_estimate_is_not_below_what_a_tokenizer_counts() -> None:
    engine = RemoteEngine("http://127.0.0.1:9/v1", "m")
    assert engine.count_tokens("患者咳嗽发热三天") >= 8
    assert engine.count_tokens("2024-01-31 38.5℃") >= 14
    assert engine.count_tokens("") == 0
