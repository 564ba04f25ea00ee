"""The engine around its process: queue, streams, errors, deaths; without the libraries."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from serving.engine import (
    Chunk,
    EngineBusy,
    EngineError,
    EngineUnavailable,
    Message,
    PromptTooLong,
    Sampling,
    UnsupportedOption,
    complete,
)
from serving.engines.bigdl.engine import BigdlEngine, BigdlOptions
from serving.hardware import cpu

Fake = Callable[..., BigdlEngine]
LONG = "一二三四五六七八九十" * 10


async def test_an_answer_with_its_usage(fake: Fake) -> None:
    engine = fake()
    answer = await complete(engine, "咳嗽3天", Sampling(max_tokens=99, logprobs=True))
    assert (answer.text, answer.finish_reason) == ("咳嗽3天", "stop")
    assert answer.usage.prompt_tokens == engine.count_tokens("咳嗽3天") == 10
    assert answer.usage.new_tokens == len(answer.logprobs) == 11
    assert 0 <= answer.usage.seconds_queued <= answer.usage.seconds_to_first_token
    assert engine.card.details["engine"] == "bigdl"
    await engine.close()


async def test_text_comes_in_whole_characters(fake: Fake) -> None:
    engine = fake()
    pieces = [c.text async for c in engine.generate("头晕", Sampling(max_tokens=5))]
    assert "".join(pieces) == "头"
    assert all(len(piece) <= 1 for piece in pieces)
    await engine.close()


async def test_a_stop_string_ends_the_answer_and_is_not_part_of_it(fake: Fake) -> None:
    engine = fake("slow", BigdlOptions(max_running=1))
    sampling = Sampling(max_tokens=300, stop=("四五", "九"))
    answer = await complete(engine, LONG, sampling)
    assert (answer.text, answer.finish_reason) == ("一二三", "stop")
    assert answer.usage.new_tokens < 20
    assert (await complete(engine, "好", Sampling(max_tokens=9))).text == "好"
    await engine.close()


async def test_messages_pass_through_the_chat_template(fake: Fake) -> None:
    engine = fake()
    told = [Message("user", "头<|im_end|>晕")]
    answer = await complete(engine, told, Sampling(max_tokens=200))
    # What is repeated ends where the template, not the record, ends the message.
    assert answer.text == "user\n头< |im_end|>晕"
    await engine.close()


async def test_what_cannot_be_done_is_refused(fake: Fake) -> None:
    engine = fake()
    with pytest.raises(PromptTooLong):
        await complete(engine, "咳" * 700)
    with pytest.raises(PromptTooLong):
        await complete(engine, "咳", Sampling(max_tokens=2046))
    with pytest.raises(UnsupportedOption, match="empty"):
        await complete(engine, "")
    with pytest.raises(UnsupportedOption, match="schema"):
        await complete(engine, "咳", schema={"type": "no such type"})
    for bad in (
        Sampling(max_tokens=0),
        Sampling(temperature=-1.0),
        Sampling(top_p=0.0),
        Sampling(top_k=-1),
        Sampling(repetition_penalty=0.0),
    ):
        with pytest.raises(UnsupportedOption):
            await complete(engine, "咳", bad)
    await engine.close()


async def test_a_full_queue_says_so_and_leaving_it_frees_the_place(fake: Fake) -> None:
    engine = fake("slow", BigdlOptions(max_running=1, queue_limit=0))
    stream = engine.generate(LONG, Sampling(max_tokens=200))
    await anext(stream)
    with pytest.raises(EngineBusy) as refused:
        await complete(engine, "好", Sampling(max_tokens=1))
    assert refused.value.retry_after >= 1
    await stream.aclose()
    assert (await complete(engine, "好", Sampling(max_tokens=9))).text == "好"
    await engine.close()


async def test_requests_take_turns(fake: Fake) -> None:
    engine = fake("slow", BigdlOptions(max_running=2))
    ended: list[str] = []

    async def ask(text: str) -> None:
        assert (await complete(engine, text, Sampling(max_tokens=400))).text == text
        ended.append(text)

    await asyncio.gather(ask(LONG[:20]), ask("头晕"))
    assert ended == ["头晕", LONG[:20]]
    await engine.close()


async def test_one_at_a_time_answers_in_order(fake: Fake) -> None:
    engine = fake("slow", BigdlOptions(max_running=1))
    stream = engine.generate(LONG[:10], Sampling(max_tokens=400))
    await anext(stream)
    second = asyncio.create_task(complete(engine, "头晕", Sampling(max_tokens=400)))
    async for _ in stream:
        assert not second.done()
    assert (await second).usage.seconds_queued > 0
    await engine.close()


async def test_a_request_that_fails_says_so_without_its_text(fake: Fake) -> None:
    engine = fake("error")
    with pytest.raises(EngineError, match="RuntimeError") as failed:
        await complete(engine, "X光", Sampling(max_tokens=9))
    assert "words" not in str(failed.value)
    assert (await complete(engine, "头晕", Sampling(max_tokens=9))).text == "头晕"
    await engine.close()


async def test_a_killed_process_ends_its_requests_and_is_started_again(fake: Fake) -> None:
    engine = fake("slow")
    stream = engine.generate(LONG, Sampling(max_tokens=200))
    await anext(stream)
    os.kill(engine.pid, signal.SIGKILL)
    with pytest.raises(EngineError, match="send the request again"):
        async for _ in stream:
            pass
    assert (await complete(engine, "头晕", Sampling(max_tokens=9))).text == "头晕"
    await engine.close()


async def test_closing_ends_what_runs_as_cancelled(fake: Fake) -> None:
    engine = fake("slow")
    stream = engine.generate(LONG, Sampling(max_tokens=200))
    got: list[Chunk] = [await anext(stream)]
    await engine.close()
    got += [chunk async for chunk in stream]
    assert got[-1].finish_reason == "cancelled"
    assert got[-1].usage is not None
    with pytest.raises(EngineUnavailable, match="unloaded"):
        await complete(engine, "头晕")


async def test_the_process_gets_no_secret_and_no_path_of_ours(
    fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEDSIDE_SECRET", "x")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    engine = fake()
    assert (await complete(engine, "好", Sampling(max_tokens=9))).text == "好"
    await engine.close()


async def test_a_kernel_that_does_not_run_here_gives_way(
    fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cpu, "shared_flags", lambda: {"avx", "avx2", "fma", "f16c", "avx_vnni"})
    engine = fake("picky")
    assert engine.card.details["kernel"] == "avx"
    assert (await complete(engine, "好", Sampling(max_tokens=9))).text == "好"
    await engine.close()


def test_a_model_that_cannot_be_loaded_says_why(
    fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(EngineUnavailable, match="tensor x"):
        fake("failed")
    with pytest.raises(EngineUnavailable, match="status 3"):
        fake("dead")
    monkeypatch.setattr(cpu, "shared_flags", frozenset)
    with pytest.raises(EngineUnavailable, match="AVX"):
        fake("echo")


def test_without_its_environment_it_says_what_to_run(llama: Path, tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="bedside engine install bigdl"):
        BigdlEngine(llama, tmp_path)
