"""Learned keys and values stand before every prompt."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_chatglm
from complete_checkpoint import write_complete
from reference import Reference
from reference_chatglm import chatglm_logits
from tiny_checkpoint import write_safetensors

from serving.engine import EngineUnavailable, Message, Sampling, UnsupportedOption, complete
from serving.engines.openvino.engine import OpenVinoEngine, OpenVinoOptions
from serving.engines.openvino.stateful_model import StatefulModel
from serving.ir.convert import convert
from serving.ir.formats import Precision
from serving.models import manifest

EXACT = {"INFERENCE_PRECISION_HINT": "f32", "KV_CACHE_PRECISION": "f32"}
HELLO = [Message("user", "患者咳嗽3天")]


def opened(folder: Path, prefix: Path | None) -> OpenVinoEngine:
    place = "" if prefix is None else str(prefix)
    return OpenVinoEngine(folder, OpenVinoOptions(precision="f32", kv_cache="f32", prefix=place))


def prompt_ids(engine: OpenVinoEngine, prompt: Any = HELLO) -> list[int]:
    text = engine._encoder.read(prompt, {}, ())
    return [int(token) for token in engine._encoder.encode(text).data[0]]


def answer_ids(engine: OpenVinoEngine, tokens: int, times: int = 1) -> list[list[int]]:
    async def once() -> list[int]:
        found: list[int] = []
        async for chunk in engine.generate(HELLO, Sampling(max_tokens=tokens)):
            found += chunk.token_ids
        return found

    async def every() -> list[list[int]]:
        made = [await once() for _ in range(times)]
        await engine.close()
        return made

    return asyncio.run(every())


def test_chatglm_reads_what_its_own_training_leaves(tmp_path: Path) -> None:
    source = tiny_chatglm.write(tmp_path / "source")
    convert(source, tmp_path / "model", Precision("fp32"))
    reference = Reference(source)
    config = reference.config
    heads, layers = config["num_attention_heads"], config["num_layers"]
    size = config["hidden_size"] // heads
    random = np.random.default_rng(3)
    learned = random.standard_normal((5, layers, 2, heads, size)).astype(np.float32)
    prefix = tmp_path / "prefix"
    prefix.mkdir()
    (prefix / "config.json").write_text(json.dumps(config | {"pre_seq_len": 5}))
    name = "transformer.prefix_encoder.embedding.weight"
    write_safetensors(prefix / "model.safetensors", {name: learned.reshape(5, -1)}, "float32")

    engine = opened(tmp_path / "model", prefix)
    ids = prompt_ids(engine)
    answers = answer_ids(engine, 10, times=2)
    assert answers[0] == answers[1], "the prefix is there again for the next request"
    weights, past = reference.weights, learned.transpose(1, 2, 0, 3, 4)
    for token in answers[0]:
        row = chatglm_logits(config, weights, ids, past)[-1]
        assert row.max() - row[token] < 1e-3
        ids.append(token)
    plain = opened(tmp_path / "model", None)
    assert answer_ids(plain, 10)[0] != answers[0]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("prefix")
    source = write_complete(root / "source", dtype="float32")
    convert(source, root / "model", Precision("fp32"))
    return root / "model"


def write_peft(folder: Path, table: np.ndarray[Any, Any], kind: str = "PREFIX_TUNING") -> Path:
    folder.mkdir()
    told = {"peft_type": kind, "num_virtual_tokens": len(table)}
    (folder / "adapter_config.json").write_text(json.dumps(told))
    write_safetensors(folder / "adapter_model.safetensors", {"prompt_embeddings": table}, "float32")
    return folder


def test_a_prefix_of_real_tokens_is_the_same_as_the_tokens(model: Path, tmp_path: Path) -> None:
    """What PEFT keeps of a prefix whose keys and values are those of a text."""
    text = list(range(40, 47))
    running = StatefulModel(model / manifest.MODEL_FILE, "CPU", EXACT)
    running.step(np.array(text, np.int64))
    kept = {one.name: np.array(one.state.data) for one in running._request.query_state()}
    layers = sum(name.startswith("key.") for name in kept)
    table = np.stack([kept[f"{kind}.{n}"][0] for n in range(layers) for kind in ("key", "value")])
    # [layers · 2, heads, tokens, size] → one row a token.
    prefix = write_peft(tmp_path / "tuned", table.transpose(2, 0, 1, 3).reshape(len(text), -1))
    engine = opened(model, prefix)
    ids = prompt_ids(engine)
    (answer,) = answer_ids(engine, 16)

    running.reset()
    row, expected = running.step(np.array(text + ids, np.int64))[-1], []
    for _ in answer:
        expected.append(int(row.argmax()))
        row = running.step(np.array(expected[-1:], np.int64))[-1]
    assert answer == expected


def test_what_does_not_fit_or_cannot_be_is_said(model: Path, tmp_path: Path) -> None:
    wrong = write_peft(tmp_path / "wrong", np.zeros((4, 24), np.float32))
    with pytest.raises(EngineUnavailable, match="has the shape"):
        opened(model, wrong)
    other = write_peft(tmp_path / "other", np.zeros((4, 128), np.float32), kind="LORA")
    with pytest.raises(EngineUnavailable, match="no learned prefix"):
        opened(model, other)
    with pytest.raises(EngineUnavailable, match="cannot be read"):
        opened(model, tmp_path)
    width = 2 * 2 * 2 * 16
    engine = opened(model, write_peft(tmp_path / "fits", np.zeros((4, width), np.float32)))

    async def ask() -> None:
        try:
            await complete(engine, HELLO, Sampling(max_tokens=4), {"type": "object"})
        finally:
            await engine.close()

    with pytest.raises(UnsupportedOption, match="learned prefix"):
        asyncio.run(ask())
