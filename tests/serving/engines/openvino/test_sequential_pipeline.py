"""ChatGLM-6B, which cannot be batched, is served like every other model."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import openvino_genai
import pytest
import pytest_asyncio
import tiny_chatglm
from complete_checkpoint import write_complete
from reference import Reference

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
from serving.engines.openvino.engine import OpenVinoEngine, OpenVinoOptions
from serving.engines.openvino.generation_config import generation_config
from serving.engines.openvino.sequential_pipeline import Handle, SequentialPipeline
from serving.engines.openvino.worker_engine import WorkerEngine
from serving.ir.convert import convert
from serving.ir.formats import Precision

HELLO = [Message("user", "患者咳嗽3天")]
EXACT = OpenVinoOptions(precision="f32", kv_cache="f32")
PROPERTIES = {"INFERENCE_PRECISION_HINT": "f32", "KV_CACHE_PRECISION": "f32"}
TOLERANCE = 1e-3


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_chatglm.write(tmp_path_factory.mktemp("chatglm") / "source")


@pytest.fixture(scope="module")
def folder(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("converted") / "chatglm"
    assert convert(source, target, Precision("fp32")).architecture == "chatglm"
    return target


@pytest_asyncio.fixture
async def engine(folder: Path) -> AsyncIterator[OpenVinoEngine]:
    engine = OpenVinoEngine(folder, EXACT)
    yield engine
    await engine.close()


@pytest.fixture
def pipeline(folder: Path) -> SequentialPipeline:
    return SequentialPipeline(folder, "CPU", PROPERTIES)


def ids(engine: OpenVinoEngine, prompt: Any) -> list[int]:
    return [int(token) for token in engine._encoder.encode(prompt).data[0]]


def request(pipeline: Any, prompt: list[int], sampling: Sampling, ends: Any = ()) -> Any:
    config = generation_config(sampling, None, set(ends))
    return pipeline.add_request(0, openvino.Tensor(np.array([prompt], np.int64)), config)


def drain(pipeline: Any, handle: Any) -> tuple[list[int], list[float], Any]:
    """Everything that ``handle`` generates: ids, their log probabilities, how it ended."""
    found: tuple[list[int], list[float]] = ([], [])
    reason = None
    while pipeline.has_non_finished_requests() or handle.can_read():
        if handle.can_read():
            for output in handle.read().values():
                found[0].extend(output.generated_ids)
                found[1].extend(output.generated_log_probs)
                reason = output.finish_reason
        else:
            pipeline.step()
    return *found, reason


async def generated(engine: OpenVinoEngine, prompt: Any, sampling: Sampling) -> list[int]:
    return [i async for chunk in engine.generate(prompt, sampling) for i in chunk.token_ids]


@pytest.mark.parametrize("prompt", [HELLO, "血压148/92mmHg"])
async def test_the_greedy_answer_is_the_references(
    engine: OpenVinoEngine, source: Path, prompt: Any
) -> None:
    given = ids(engine, prompt)
    config = json.loads((source / "config.json").read_text())
    assert given[-2:] == [config["gmask_token_id"], config["bos_token_id"]]
    assert given.count(config["bos_token_id"]) == 1
    answer = await generated(engine, prompt, Sampling(max_tokens=48))
    assert len(answer) == 48
    assert len(set(answer)) > 8
    assert Reference(source).shortfall(given, answer).max() < TOLERANCE


async def test_a_raw_prompt_may_say_itself_where_the_answer_starts(engine: OpenVinoEngine) -> None:
    given = ids(engine, "咳嗽[gMASK]<sop>3天")
    assert given == [int(i) for i in engine._encoder.encode_text("咳嗽[gMASK]<sop>3天").data[0]]
    assert (await complete(engine, "咳嗽[gMASK]<sop>3天", Sampling(max_tokens=3))).text


async def test_the_answer_streams_and_is_accounted_for(engine: OpenVinoEngine) -> None:
    chunks = [chunk async for chunk in engine.generate(HELLO, Sampling(max_tokens=30))]
    assert len(chunks) == 30
    assert [chunk.finish_reason for chunk in chunks] == [None] * 29 + ["length"]
    usage = chunks[-1].usage
    assert usage is not None
    assert (usage.new_tokens, usage.prompt_tokens) == (30, len(ids(engine, HELLO)))
    whole = engine._encoder.decode([i for chunk in chunks for i in chunk.token_ids])
    assert "".join(chunk.text for chunk in chunks) == whole.rstrip("\ufffd")


async def test_an_end_token_ends_the_answer(engine: OpenVinoEngine) -> None:
    answer = await generated(engine, HELLO, Sampling(max_tokens=20))
    engine._end_ids.add(answer[9])
    ended = await generated(engine, HELLO, Sampling(max_tokens=20))
    assert ended == answer[: answer.index(answer[9]) + 1]
    assert (await complete(engine, HELLO, Sampling(max_tokens=20))).finish_reason == "stop"


async def test_a_stop_string_ends_the_answer_and_is_not_in_it(engine: OpenVinoEngine) -> None:
    whole = (await complete(engine, HELLO, Sampling(max_tokens=60))).text
    stop = whole[10:13]
    answer = await complete(engine, HELLO, Sampling(max_tokens=60, stop=(stop,)))
    assert answer.text == whole[: whole.index(stop)]
    assert answer.finish_reason == "stop"
    assert answer.usage.new_tokens < 60


async def test_a_seed_repeats_an_answer(engine: OpenVinoEngine) -> None:
    def sampling(seed: int) -> Sampling:
        return Sampling(max_tokens=30, temperature=1.2, top_p=0.9, top_k=50, seed=seed)

    first = await generated(engine, HELLO, sampling(1))
    assert await generated(engine, HELLO, sampling(1)) == first
    assert await generated(engine, HELLO, sampling(2)) != first
    assert await generated(engine, HELLO, Sampling(max_tokens=30)) != first


async def test_logprobs_are_the_models(engine: OpenVinoEngine, source: Path) -> None:
    sampling = Sampling(max_tokens=12, temperature=0.7, seed=5, repetition_penalty=1.3)
    chunks = [c async for c in engine.generate(HELLO, replace(sampling, logprobs=True))]
    answer = [i for chunk in chunks for i in chunk.token_ids]
    found = [entry.logprob for chunk in chunks for entry in chunk.logprobs]
    given = ids(engine, HELLO)
    rows = Reference(source).logits([*given, *answer])[len(given) - 1 : -1]
    chosen = rows[np.arange(len(answer)), answer]
    expected = chosen - np.log(np.exp(rows).sum(axis=1))
    np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE)
    assert await generated(engine, HELLO, sampling) == answer


async def test_requests_wait_for_each_other_and_each_is_answered_as_alone(
    engine: OpenVinoEngine,
) -> None:
    prompts = [[Message("user", f"体温{number}℃")] for number in range(6)]
    sampling = Sampling(max_tokens=15)
    tasks = [asyncio.create_task(generated(engine, prompt, sampling)) for prompt in prompts]
    together = await asyncio.gather(*tasks)
    assert together == [await generated(engine, prompt, sampling) for prompt in prompts]
    assert len({tuple(answer) for answer in together}) > 1


async def test_closing_the_stream_lets_the_next_one_in(folder: Path) -> None:
    engine = OpenVinoEngine(folder, OpenVinoOptions(max_num_seqs=8, queue_limit=1))
    alone = await generated(engine, HELLO, Sampling(max_tokens=10))
    stream = engine.generate("胸痛", Sampling(max_tokens=200))
    await anext(stream)
    waiting = asyncio.create_task(generated(engine, HELLO, Sampling(max_tokens=10)))
    while not engine.waiting:
        await asyncio.sleep(0.002)
    assert engine.running == 1
    with pytest.raises(EngineBusy):
        await complete(engine, HELLO, Sampling(max_tokens=10))
    await stream.aclose()
    assert await waiting == alone
    await engine.close()


async def test_closing_the_engine_ends_requests_as_cancelled(folder: Path) -> None:
    engine = OpenVinoEngine(folder)
    pending = [
        asyncio.create_task(complete(engine, HELLO, Sampling(max_tokens=200))) for _ in range(3)
    ]
    while engine.waiting < 2:
        await asyncio.sleep(0.002)
    await engine.close()
    assert {answer.finish_reason for answer in await asyncio.gather(*pending)} == {"cancelled"}


async def test_the_context_is_the_models_own(engine: OpenVinoEngine) -> None:
    assert engine.card.context_length == 256
    text = "148/92mmHg" * 100
    with pytest.raises(PromptTooLong):
        await complete(engine, text, Sampling(max_tokens=10))
    count = len(ids(engine, HELLO))
    answer = await complete(engine, HELLO, Sampling(max_tokens=256 - count))
    assert answer.usage.new_tokens == 256 - count
    with pytest.raises(PromptTooLong) as refused:
        await complete(engine, HELLO, Sampling(max_tokens=257 - count))
    assert (refused.value.tokens, refused.value.limit) == (count, count - 1)


@pytest.mark.parametrize(
    ("prompt", "sampling", "schema"),
    [
        ("", Sampling(max_tokens=9), None),
        ("x", Sampling(max_tokens=0), None),
        ("x", Sampling(9, temperature=1, top_p=0), None),
        ("x", Sampling(9, presence_penalty=9), None),
        ("x", Sampling(max_tokens=9), {"type": "object"}),
        ("x", Sampling(max_tokens=9), {"$grammar": 'root ::= "a"'}),
    ],
)
async def test_what_cannot_be_honoured_is_refused(
    engine: OpenVinoEngine, prompt: Any, sampling: Sampling, schema: Any
) -> None:
    with pytest.raises(UnsupportedOption):
        await complete(engine, prompt, sampling, schema)
    assert engine.running == engine.waiting == 0


def test_drafting_from_the_prompt_is_refused(folder: Path, pipeline: SequentialPipeline) -> None:
    with pytest.raises(EngineUnavailable, match="prompt_lookup"):
        OpenVinoEngine(folder, OpenVinoOptions(prompt_lookup=True))
    config = generation_config(Sampling(), None, {1}, lookup=True)
    with pytest.raises(UnsupportedOption):
        pipeline.add_request(0, openvino.Tensor(np.ones((1, 1), np.int64)), config)
    assert not pipeline.has_non_finished_requests()


async def test_a_step_that_fails_ends_its_request_only(
    engine: OpenVinoEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = await generated(engine, HELLO, Sampling(max_tokens=5))
    model = engine._loop._lanes[False].pipeline._model
    logits = np.full(8, np.nan, np.float32)
    monkeypatch.setattr(model, "step", lambda given: logits)
    with pytest.raises(EngineError, match="again"):
        await complete(engine, HELLO, Sampling(max_tokens=5))
    assert await generated(engine, HELLO, Sampling(max_tokens=5)) == alone


def test_first_come_first_served_and_a_place_is_free_at_once(pipeline: SequentialPipeline) -> None:
    def steps(count: int) -> None:
        for _ in range(count):
            pipeline.step()

    first, second, third, fourth = (
        request(pipeline, [20 + number, 5, 7], Sampling(max_tokens=4)) for number in range(4)
    )
    handles: list[Handle] = [first, second, third, fourth]
    steps(3)
    assert [len(handle.answer) for handle in handles] == [3, 0, 0, 0]
    third.cancel()
    steps(2)
    assert [len(handle.answer) for handle in handles] == [4, 1, 0, 0]
    assert first.get_status() == openvino_genai.GenerationStatus.FINISHED
    first.cancel()
    assert first.get_status() == openvino_genai.GenerationStatus.FINISHED
    second.cancel()
    assert second.get_status() == openvino_genai.GenerationStatus.CANCEL
    steps(1)
    assert [len(handle.answer) for handle in handles] == [4, 1, 0, 1]
    fourth.cancel()
    assert not pipeline.has_non_finished_requests()
    steps(1)
    assert [len(handle.answer) for handle in handles] == [4, 1, 0, 1]


@pytest.fixture(scope="module")
def batchable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that both pipelines can run."""
    place = tmp_path_factory.mktemp("qwen")
    convert(write_complete(place / "source"), place / "model", Precision("fp32"))
    return place / "model"


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(),
        Sampling(repetition_penalty=1.4),
        Sampling(repetition_penalty=0.8, presence_penalty=0.9),
        Sampling(presence_penalty=1.5),
        Sampling(frequency_penalty=0.7),
        Sampling(frequency_penalty=-0.3, presence_penalty=-0.5),
        Sampling(repetition_penalty=1.2, presence_penalty=0.4, frequency_penalty=0.4),
        # One token is left to choose from.
        Sampling(temperature=0.8, top_k=1, seed=1, frequency_penalty=1.0),
        Sampling(temperature=1.5, top_p=1e-6, seed=1),
    ],
)
def test_it_chooses_as_genai_does(batchable: Path, sampling: Sampling) -> None:
    genai = openvino_genai.ContinuousBatchingPipeline(
        str(batchable), openvino_genai.SchedulerConfig(), "CPU", PROPERTIES
    )
    ours = SequentialPipeline(batchable, "CPU", PROPERTIES)
    wanted = replace(sampling, max_tokens=40, logprobs=True)
    found, expected = (
        drain(pipeline, request(pipeline, [9, 8, 7, 9], wanted)) for pipeline in (ours, genai)
    )
    assert found[0] == expected[0]
    assert len(set(found[0])) > 3
    np.testing.assert_allclose(found[1], expected[1], rtol=0, atol=TOLERANCE)
    assert found[2] == expected[2] == openvino_genai.GenerationFinishReason.LENGTH
    ends = found[0][20:22]
    found, expected = (
        drain(pipeline, request(pipeline, [9, 8, 7, 9], wanted, ends)) for pipeline in (ours, genai)
    )
    assert (found[0], found[2]) == (expected[0], expected[2])
    assert found[2] == openvino_genai.GenerationFinishReason.STOP


async def test_it_answers_in_a_process_of_its_own(folder: Path, engine: OpenVinoEngine) -> None:
    worker = WorkerEngine(folder, EXACT)
    sampling = Sampling(max_tokens=20, logprobs=True)
    ours, theirs = await complete(worker, HELLO, sampling), await complete(engine, HELLO, sampling)
    assert (ours.text, ours.logprobs) == (theirs.text, theirs.logprobs)
    assert worker.card == engine.card
    with pytest.raises(UnsupportedOption, match="schema"):
        await complete(worker, HELLO, sampling, {"type": "string"})
    await worker.close()
