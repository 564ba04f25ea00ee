"""The API by its official client, over a real server on loopback."""

from __future__ import annotations

import asyncio
import json
import threading
import time

import httpx
import numpy as np
import openai
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from serving.encoder.text_encoder import HashingEncoder
from serving.engines.echo import EchoEngine
from serving.openai.api import router

SCHEMA = {
    "type": "object",
    "properties": {"等级": {"enum": ["轻", "重"]}},
    "required": ["等级"],
    "additionalProperties": False,
}


def app_of(**engines: EchoEngine) -> FastAPI:
    app = FastAPI()
    app.include_router(router(engines, HashingEncoder))
    return app


@pytest.fixture
def address(serve) -> str:
    return serve(app_of(echo=EchoEngine(), small=EchoEngine(context_length=600)))


@pytest.fixture
def client(address: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0)


def user(text: str) -> list:
    return [{"role": "user", "content": text}]


def test_models_are_listed(client: openai.OpenAI) -> None:
    assert {model.id for model in client.models.list()} == {"echo", "small"}
    assert client.models.retrieve("echo").owned_by == "bedside"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("absent")


def test_chat(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model="echo", messages=user("发热 three days"), logprobs=True
    )
    (choice,) = answer.choices
    assert choice.message.content == "发热 three days"
    assert choice.finish_reason == "stop"
    assert choice.logprobs is not None
    assert choice.logprobs.content is not None
    assert "".join(entry.token for entry in choice.logprobs.content) == "发热 three days"
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_chat_stream_with_usage(client: openai.OpenAI) -> None:
    chunks = list(
        client.chat.completions.create(
            model="echo",
            messages=[
                {"role": "developer", "content": "be short"},
                {"role": "user", "content": [{"type": "text", "text": "咳嗽"}]},
            ],
            stream=True,
            stream_options={"include_usage": True},
            stop=["嗽"],
        )
    )
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "咳"
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None


def test_structured_answers(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model="echo",
        messages=user("x"),
        response_format={"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}},
    )
    assert json.loads(answer.choices[0].message.content or "") == {"等级": "轻"}
    free = client.chat.completions.create(
        model="echo", messages=user("x"), response_format={"type": "json_object"}
    )
    assert json.loads(free.choices[0].message.content or "") == {}


def test_completions(client: openai.OpenAI) -> None:
    answer = client.completions.create(model="echo", prompt="a b c", max_tokens=2, logprobs=1)
    assert answer.choices[0].text == "a b "
    assert answer.choices[0].finish_reason == "length"
    pieces = client.completions.create(model="echo", prompt=["a b c"], stream=True)
    assert "".join(piece.choices[0].text for piece in pieces) == "a b c"


def test_embeddings_in_both_encodings(client: openai.OpenAI) -> None:
    expected = HashingEncoder().passages(["咳嗽", "发热"])
    texts = ["咳嗽", "发热"]
    # The client asks for base64, and decodes it, unless it is told otherwise.
    for answer in (
        client.embeddings.create(model="hashing", input=texts),
        client.embeddings.create(model="hashing", input=texts, encoding_format="float"),
    ):
        vectors = np.array([item.embedding for item in answer.data], dtype=np.float32)
        np.testing.assert_allclose(vectors, expected, atol=1e-6)
    with pytest.raises(openai.NotFoundError):
        client.embeddings.create(model="absent", input="x")


@pytest.mark.parametrize(
    ("extra", "named"),
    [
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"reasoning_budget": 20}, "reasoning_budget"),
        ({"n": 2}, "n"),
        ({"top_logprobs": 3, "logprobs": True}, "top_logprobs"),
        ({"temperature": -1}, "temperature"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "wizard", "content": "x"}]}, "wizard"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "text"),
        ({"response_format": {"type": "json_schema"}}, "json_schema"),
        (
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "a", "schema": {"not": {}}},
                }
            },
            "not",
        ),
    ],
)
def test_what_is_not_supported_is_refused_clearly(client: openai.OpenAI, extra, named) -> None:
    body = {"model": "echo", "messages": user("x"), **extra}
    for stream in (False, True):
        with pytest.raises(openai.BadRequestError) as refused:
            client.post("/chat/completions", body=body | {"stream": stream}, cast_to=object)
        error = refused.value.body
        assert isinstance(error, dict)
        assert named in error["message"] + str(error["param"])


OPTIONAL = """max_tokens max_completion_tokens temperature top_p presence_penalty seed stop n stream
stream_options frequency_penalty top_k repetition_penalty prompt_lookup tools tool_choice logprobs
response_format top_logprobs chat_template_kwargs enable_thinking reasoning_budget
parallel_tool_calls"""


@pytest.mark.parametrize(
    "extra",
    [
        {"top_k": -1, "max_tokens": -1, "max_completion_tokens": -1},
        dict.fromkeys(OPTIONAL.split()),
        {"stream_options": {"include_usage": None}, "chat_template_kwargs": {}},
    ],
)
def test_what_clients_send_for_nothing_is_nothing(client: openai.OpenAI, extra: dict) -> None:
    body = {"model": "echo", "messages": user("a b c"), **extra}
    for path in ("chat/completions", "completions"):
        answer = client.post(f"/{path}", body=body | {"prompt": "a b c"}, cast_to=object)
        assert isinstance(answer, dict)
        assert answer["choices"][0]["finish_reason"] == "stop"


def test_without_a_limit_an_answer_may_fill_the_context(client: openai.OpenAI) -> None:
    long = "词 " * 600
    answer = client.chat.completions.create(model="echo", messages=user(long))
    assert answer.choices[0].message.content == long
    assert answer.choices[0].finish_reason == "stop"
    cut = client.chat.completions.create(model="small", messages=user("a " * 400))
    assert cut.choices[0].finish_reason == "length"
    assert cut.usage is not None
    assert cut.usage.total_tokens == 600
    for name in ("max_tokens", "max_completion_tokens"):
        few = client.chat.completions.create(model="echo", messages=user("a b c"), **{name: 2})
        assert (few.choices[0].message.content, few.choices[0].finish_reason) == ("a b ", "length")


@pytest.mark.parametrize("ids", [[1234, 5678], [[1234, 5678]], [[]]])
def test_token_ids_are_refused_in_words(client: openai.OpenAI, ids: list) -> None:
    with pytest.raises(openai.BadRequestError, match="token ids are not taken") as refused:
        client.embeddings.create(model="hashing", input=ids)
    assert refused.value.param == "input"
    if ids != [[]]:
        with pytest.raises(openai.BadRequestError, match="token ids") as refused:
            client.completions.create(model="echo", prompt=ids)
        assert refused.value.param == "prompt"


def test_the_field_at_fault_is_named_without_the_types_that_were_tried(
    client: openai.OpenAI,
) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.post("/embeddings", body={"model": "hashing", "input": 3}, cast_to=object)
    assert refused.value.param == "input"


def test_errors_keep_their_status_when_streaming(client: openai.OpenAI) -> None:
    for stream in (False, True):
        with pytest.raises(openai.NotFoundError):
            client.chat.completions.create(model="absent", messages=user("x"), stream=stream)
        with pytest.raises(openai.BadRequestError) as refused:
            client.chat.completions.create(
                model="small", messages=user("x " * 200), stream=stream, max_tokens=500
            )
        assert refused.value.code == "context_length_exceeded"


def test_an_error_does_not_repeat_the_input() -> None:
    client = TestClient(app_of(echo=EchoEngine()))
    body = {"model": "echo", "messages": [{"role": "user", "content": {"张三": "肺炎"}}]}
    answer = client.post("/v1/chat/completions", json=body)
    assert answer.status_code == 400
    assert "张三" not in answer.text


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 50_000, b"null", b"3"])
@pytest.mark.parametrize("path", ["chat/completions", "completions", "embeddings"])
def test_a_broken_body_is_a_400_in_openai_shape(path: str, body: bytes) -> None:
    client = TestClient(app_of(echo=EchoEngine()), raise_server_exceptions=False)
    answer = client.post(f"/v1/{path}", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
FIELDS = """messages prompt max_tokens max_completion_tokens temperature top_p stop seed n stream
response_format logprobs top_logprobs tools stream_options presence_penalty input"""


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.sampled_from(["chat/completions", "completions", "embeddings"]),
    st.dictionaries(st.sampled_from(FIELDS.split()), json_values, max_size=4),
)
def test_no_body_makes_the_server_fail(path: str, fields: dict) -> None:
    valid = {"messages": user("x"), "prompt": "x", "input": "x"}
    model = "hashing" if path == "embeddings" else "echo"
    client = TestClient(app_of(echo=EchoEngine()))
    answer = client.post(
        f"/v1/{path}",
        content=json.dumps({"model": model, **valid, **fields}),
        headers={"content-type": "application/json"},
    )
    assert answer.status_code in (200, 400)


def test_a_full_queue_is_503_with_retry_after(serve) -> None:
    engine = EchoEngine(seconds_per_word=0.05, max_running=1, queue_limit=0)
    address = serve(app_of(echo=engine))
    slow = {"model": "echo", "messages": user("a " * 400), "max_tokens": 400}
    with httpx.stream("POST", f"{address}/v1/chat/completions", json=slow | {"stream": True}) as s:
        lines = s.iter_lines()
        assert next(lines).startswith("data:")
        answer = httpx.post(f"{address}/v1/chat/completions", json=slow)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.json()["error"]["code"] == "queue_full"


@pytest.mark.parametrize("words_before_leaving", [0, 1])
@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_goes_away_frees_its_request(
    serve, stream: bool, words_before_leaving: int
) -> None:
    # One word takes far longer than the test may wait, so only leaving can free the request.
    engine = EchoEngine(seconds_per_word=0.2 if words_before_leaving else 600)
    address = serve(app_of(echo=engine))
    body = {
        "model": "echo",
        "messages": user("a " * 4000),
        "max_tokens": 4000,
        "stream": stream,
    }
    left = threading.Event()

    async def leave() -> None:
        async with httpx.AsyncClient() as client:
            asking = asyncio.create_task(client.post(f"{address}/v1/chat/completions", json=body))
            while not engine.open_requests:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.3 * words_before_leaving)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
        left.set()

    asyncio.run(leave())
    assert left.is_set()
    end = time.monotonic() + 20
    while engine.open_requests and time.monotonic() < end:
        time.sleep(0.01)
    assert engine.open_requests == 0


def test_engines_may_change_while_the_server_runs() -> None:
    engines: dict[str, EchoEngine] = {}
    app = FastAPI()
    app.include_router(router(lambda: engines))
    client = TestClient(app)
    assert client.get("/v1/models").json()["data"] == []
    engines["late"] = EchoEngine()
    assert [model["id"] for model in client.get("/v1/models").json()["data"]] == ["late"]
