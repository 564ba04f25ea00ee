from __future__ import annotations

import asyncio
import json

import pytest

from serving.engine import (
    EngineBusy,
    EngineUnavailable,
    Message,
    PromptTooLong,
    Sampling,
    UnsupportedOption,
    complete,
)
from serving.engines.echo import EchoEngine


async def test_it_repeats_the_last_user_message() -> None:
    prompt = [Message("user", "头痛"), Message("assistant", "?"), Message("user", "fever and 咳嗽")]
    answer = await complete(EchoEngine(), prompt)
    assert answer.text == "fever and 咳嗽"
    assert answer.finish_reason == "stop"
    assert answer.usage.new_tokens == 4


async def test_reply_max_tokens_and_stop() -> None:
    engine = EchoEngine(lambda text: "one two three")
    assert (await complete(engine, "x", Sampling(max_tokens=2))).text == "one two "
    assert (await complete(engine, "x", Sampling(max_tokens=2))).finish_reason == "length"
    stopped = await complete(engine, "x", Sampling(stop=("wo t",)))
    assert (stopped.text, stopped.finish_reason) == ("one t", "stop")


async def test_a_schema_gives_json_of_it() -> None:
    schema = {"type": "object", "properties": {"a": {"enum": ["轻"]}}, "required": ["a"]}
    assert json.loads((await complete(EchoEngine(), "x", schema=schema)).text) == {"a": "轻"}
    ready = EchoEngine(lambda text: '{"a": "轻", "b": 1}')
    assert json.loads((await complete(ready, "x", schema=schema)).text)["b"] == 1


async def test_closing_the_stream_frees_the_request() -> None:
    engine = EchoEngine(seconds_per_word=0.001)
    stream = engine.generate("a b c d e f")
    await anext(stream)
    assert engine.open_requests == 1
    await stream.aclose()
    assert engine.open_requests == 0


async def test_a_full_queue_refuses_and_then_takes_again() -> None:
    engine = EchoEngine(seconds_per_word=0.005, max_running=1, queue_limit=1)
    tasks = [asyncio.create_task(complete(engine, "a b c")) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(EngineBusy) as refused:
        await complete(engine, "a")
    assert refused.value.retry_after >= 1
    assert [answer.text for answer in await asyncio.gather(*tasks)] == ["a b c", "a b c"]
    assert (await complete(engine, "a")).text == "a"


async def test_limits_and_closing() -> None:
    engine = EchoEngine(context_length=10)
    with pytest.raises(PromptTooLong) as refused:
        await complete(engine, "a b c d e", Sampling(max_tokens=6))
    assert (refused.value.tokens, refused.value.limit) == (5, 4)
    with pytest.raises(UnsupportedOption):
        await complete(engine, "", Sampling(max_tokens=1))
    await engine.close()
    with pytest.raises(EngineUnavailable):
        await complete(engine, "a", Sampling(max_tokens=1))
