"""The engine with BigDL-LLM itself, on checkpoints of random weights."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import checkpoints
import numpy as np
import psutil
import pytest
from reference import Reference
from tiny_checkpoint import write_safetensors

from serving.engine import (
    EngineError,
    EngineUnavailable,
    Message,
    Sampling,
    UnsupportedOption,
    complete,
)
from serving.engines.bigdl.engine import BigdlEngine, BigdlOptions
from serving.engines.bigdl.glm_layout import native_config, native_tensors
from serving.ir.safetensors_checkpoint import SafetensorsCheckpoint

pytestmark = pytest.mark.bigdl

Open = Callable[..., BigdlEngine]
HELLO = [Message("user", "咳嗽3天")]
PROMPTS = ("咳嗽3天", "胸痛", "发热，无咳嗽", "the patient", "12345", "头晕", "腹", "术后第2天")


@pytest.fixture
def open_engine(real_home: Path) -> Iterator[Open]:
    """Opens engines for the time of a test."""
    opened: list[BigdlEngine] = []
    name = installed(real_home)

    def make(checkpoint: Path, **options: Any) -> BigdlEngine:
        chosen = BigdlOptions(environment=name, threads=2, **options)
        opened.append(BigdlEngine(checkpoint, real_home, chosen))
        return opened[-1]

    yield make
    for engine in opened:
        asyncio.run(engine.close())


@pytest.fixture(scope="module")
def glm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("glm") / "tiny-chatglm3"
    return checkpoints.write(folder, "chatglm3", context=1024)


@pytest.fixture(scope="module")
def shared(real_home: Path, glm: Path) -> Iterator[BigdlEngine]:
    """One engine for the tests that leave it as it was: a start imports torch."""
    options = BigdlOptions(environment=installed(real_home), low_bit="sym_int8", threads=2)
    engine = BigdlEngine(glm, real_home, options)
    yield engine
    asyncio.run(engine.close())


async def tokens(engine: BigdlEngine, prompt: str, sampling: Sampling) -> list[int]:
    return [i async for c in engine.generate(prompt, sampling) for i in c.token_ids]


@pytest.mark.parametrize(
    ("family", "geometry"),
    [
        ("llama", {"heads": 2, "kv_heads": 1, "head_dim": 64, "dtype": "float16"}),
        ("glm", {"dtype": "bfloat16"}),
        ("chatglm3", {"rope_ratio": 50, "shards": 2}),
        ("chatglm2", {"rope_ratio": 4}),
        ("qwen2", {"tied": True}),
    ],
)
async def test_it_computes_what_the_reference_does(
    open_engine: Open, tmp_path: Path, family: str, geometry: dict[str, Any]
) -> None:
    folder = checkpoints.write(tmp_path / family, family, **geometry)
    engine, reference = open_engine(folder, low_bit="sym_int8"), Reference(folder)
    agreed = 0
    for prompt in PROMPTS:
        ids = engine._encoder.encode(prompt).data[0].tolist()
        expected = log_chances(reference, ids)
        sampling = Sampling(max_tokens=1, logprobs=True)
        (chunk,) = [chunk async for chunk in engine.generate(prompt, sampling)]
        # Eight bits a weight move the scores, whose spread is several units, by a few tenths.
        assert abs(chunk.logprobs[0].logprob - expected[chunk.token_ids[0]]) < 0.6
        agreed += chunk.token_ids[0] == int(expected.argmax())
    assert agreed >= len(PROMPTS) - 2


async def test_a_published_glm_becomes_what_its_native_form_becomes(
    open_engine: Open, glm: Path, tmp_path: Path
) -> None:
    checkpoint = SafetensorsCheckpoint(glm)
    native = checkpoints.write(tmp_path / "native", "glm", context=1024)
    (native / "config.json").write_text(json.dumps(native_config(checkpoint.config, "chatglm3")))
    pieces = native_tensors(checkpoint.config).items()
    tensors = {n: checkpoint.read(p.tensor)[p.start : p.stop] for n, p in pieces}
    write_safetensors(native / "model.safetensors", tensors, "float32")
    packed = [low_bit_file(open_engine(folder)) for folder in (glm, native)]
    assert packed_bytes(packed[0]) == packed_bytes(packed[1])


async def test_the_second_start_reads_the_low_bit_file(open_engine: Open, glm: Path) -> None:
    first = open_engine(glm)
    said = await complete(first, HELLO, Sampling(max_tokens=20))
    file = low_bit_file(first)
    made = file.stat().st_mtime_ns
    again = open_engine(glm)
    assert (await complete(again, HELLO, Sampling(max_tokens=20))).text == said.text
    assert file.stat().st_mtime_ns == made
    left = {path.name for path in file.parent.iterdir()}
    assert left == {".lock", "tokenizer", file.name}, "no pickle, nothing half-written"


async def test_a_checkpoint_or_a_file_that_changed_is_packed_again(
    open_engine: Open, tmp_path: Path
) -> None:
    folder = checkpoints.write(tmp_path / "changing", "llama")
    first = open_engine(folder)
    said = await complete(first, HELLO, Sampling(max_tokens=20))
    file = low_bit_file(first)
    whole = file.read_bytes()
    file.write_bytes(whole[:-100])
    again = open_engine(folder)
    assert (await complete(again, HELLO, Sampling(max_tokens=20))).text == said.text
    assert file.read_bytes() == whole
    checkpoints.write(folder, "llama", seed=5)
    changed = open_engine(folder)
    assert (await complete(changed, HELLO, Sampling(max_tokens=20))).text != said.text


async def test_seeds_and_temperatures(shared: BigdlEngine) -> None:
    async def said(**sampling: Any) -> list[int]:
        return await tokens(shared, "发热", Sampling(max_tokens=24, **sampling))

    greedy = await said()
    assert greedy == await said()
    assert await said(temperature=1.0, top_k=1) == greedy
    assert await said(temperature=1.0, top_p=1e-6) == greedy
    warm = await said(temperature=1.5, seed=1)
    assert warm == await said(temperature=1.5, seed=1)
    assert warm != await said(temperature=1.5, seed=2)
    assert len(set(await said(presence_penalty=1000.0))) == 24, "no token comes twice"
    assert len(set(await said(frequency_penalty=1000.0))) == 24
    assert await said(repetition_penalty=1.8) != greedy


async def test_an_answer_is_held_to_a_schema_or_a_grammar(shared: BigdlEngine) -> None:
    schema = {
        "type": "object",
        "properties": {"name": {"enum": ["肺炎", "感冒"]}, "rank": {"enum": [1, 2]}},
        "required": ["name", "rank"],
        "additionalProperties": False,
    }
    # The second is not one that has a compact grammar.
    for asked in (schema, schema | {"required": ["name"]}):
        answer = await complete(shared, "发热", Sampling(max_tokens=300), asked)
        assert answer.finish_reason == "stop"
        assert json.loads(answer.text)["name"] in ("肺炎", "感冒")
    grammar = {"$grammar": 'root ::= "诊断" [0-9] [0-9]'}
    answer = await complete(shared, "发热", Sampling(max_tokens=50, temperature=1.0), grammar)
    assert re.fullmatch("诊断[0-9]{2}", answer.text)
    with pytest.raises(UnsupportedOption):
        await complete(shared, "发热", Sampling(max_tokens=5), {"$grammar": "root ::= nothing"})
    assert (await complete(shared, "发热", Sampling(max_tokens=2))).usage.new_tokens


async def test_what_others_ask_at_the_same_time_changes_nothing(shared: BigdlEngine) -> None:
    sampling = Sampling(max_tokens=24, temperature=1.0, seed=3)
    alone = [await tokens(shared, prompt, sampling) for prompt in PROMPTS[:4]]
    together = await asyncio.gather(*(tokens(shared, p, sampling) for p in PROMPTS[:4]))
    assert together == alone


async def test_a_long_prompt_is_read_in_pieces_with_the_same_result(
    shared: BigdlEngine, glm: Path
) -> None:
    prompt = "咳嗽咳痰伴发热三天" * 20
    ids = shared._encoder.encode(prompt).data[0].tolist()
    assert len(ids) > 512
    (chunk,) = [c async for c in shared.generate(prompt, Sampling(max_tokens=1, logprobs=True))]
    expected = log_chances(Reference(glm), ids)
    assert abs(chunk.logprobs[0].logprob - expected[chunk.token_ids[0]]) < 0.6


async def test_leaving_frees_the_place(shared: BigdlEngine) -> None:
    for _ in range(8):
        stream = shared.generate("咳" * 100, Sampling(max_tokens=600))
        await anext(stream)
        await stream.aclose()
    assert (await complete(shared, "咳", Sampling(max_tokens=2))).usage.new_tokens == 2


async def test_a_killed_process_is_started_again(shared: BigdlEngine) -> None:
    stream = shared.generate(HELLO, Sampling(max_tokens=600))
    await anext(stream)
    os.kill(shared.pid, signal.SIGKILL)
    with pytest.raises(EngineError, match="send the request again"):
        async for _ in stream:
            pass
    assert (await complete(shared, HELLO, Sampling(max_tokens=3))).usage.new_tokens == 3


async def test_the_process_opens_no_connection(shared: BigdlEngine) -> None:
    await complete(shared, HELLO, Sampling(max_tokens=3))
    assert psutil.Process(shared.pid).net_connections() == []


async def test_widths_that_cannot_be_packed_are_refused(open_engine: Open, tmp_path: Path) -> None:
    folder = checkpoints.write(tmp_path / "odd", "llama", intermediate=176)
    with pytest.raises(EngineUnavailable, match="176 columns"):
        open_engine(folder)


async def test_tensors_that_do_not_fit_the_configuration_are_named(
    open_engine: Open, tmp_path: Path
) -> None:
    folder = checkpoints.write(tmp_path / "wrong", "llama")
    file = folder / "config.json"
    config = json.loads(file.read_text())
    file.write_text(json.dumps(config | {"num_hidden_layers": 3}))
    with pytest.raises(EngineUnavailable, match=r"lacks the tensor model\.layers\.2"):
        open_engine(folder)
    file.write_text(json.dumps(config | {"intermediate_size": 256}))
    with pytest.raises(EngineUnavailable, match=r"mlp\.gate_proj\.weight gives \[192, 128\]"):
        open_engine(folder)
    file.write_text(json.dumps(config))
    assert (await complete(open_engine(folder), HELLO, Sampling(max_tokens=2))).usage.new_tokens


def log_chances(reference: Reference, ids: list[int]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Natural-log probabilities of the token that follows."""
    scores = reference.logits(ids)[-1]
    scores = scores - scores.max()
    return scores - np.log(np.exp(scores).sum())


def installed(home: Path) -> str:
    """The environment that a data folder has."""
    return next(path.name for path in (home / "engines").iterdir() if path.is_symlink())


def low_bit_file(engine: BigdlEngine) -> Path:
    return next(engine._folder.glob("*.safetensors"))


def packed_bytes(file: Path) -> bytes:
    """What follows the header."""
    data = file.read_bytes()
    return data[8 + int.from_bytes(data[:8], "little") :]
