"""Models that keep states, and mixtures, are served like every other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from complete_checkpoint import write_complete
from reference import Reference

from serving.engine import Message, Sampling, complete
from serving.engines.openvino.engine import OpenVinoEngine, OpenVinoOptions
from serving.ir.convert import convert
from serving.ir.formats import Precision

EXACT = OpenVinoOptions(precision="f32", kv_cache="f32", prompt_lookup=True)
LONG = [Message("user", "患者胸痛三天，加重一小时。" * 40)]
# Below the likeliest token by no more than what sums in another order can differ by.
TOLERANCE = 2e-3


@pytest.mark.parametrize("family", ["qwen3_moe", "glm4_moe_lite", "qwen3_5", "qwen3_5_moe"])
async def test_answers_are_the_references_cold_warm_and_drafted(
    tmp_path: Path, family: str
) -> None:
    source = write_complete(tmp_path / "source", family, layers=4)
    convert(source, tmp_path / "model", Precision("fp32"))
    reference = Reference(source)
    engine = OpenVinoEngine(tmp_path / "model", EXACT)
    try:
        prompt = [int(i) for i in engine._encoder.encode(engine._encoder.read(LONG, {})).data[0]]
        assert len(prompt) > 300
        for drafts in (False, False, True):
            sampling = Sampling(max_tokens=24, prompt_lookup=drafts)
            answer = [chunk async for chunk in engine.generate(LONG, sampling)]
            ids = [token for chunk in answer for token in chunk.token_ids]
            assert len(ids) >= 1
            assert np.max(reference.shortfall(prompt, ids)) < TOLERANCE
    finally:
        await engine.close()


async def test_a_prefix_is_taken_up_again(tmp_path: Path) -> None:
    """With what follows it new: the states come from the copy that was kept."""
    source = write_complete(tmp_path / "source", "qwen3_5", layers=4)
    convert(source, tmp_path / "model", Precision("fp32"))
    reference = Reference(source)
    engine = OpenVinoEngine(tmp_path / "model", OpenVinoOptions(precision="f32", kv_cache="f32"))
    try:
        await complete(engine, LONG, Sampling(max_tokens=4))
        other = [Message("user", LONG[0].content + "否认发热。")]
        prompt = [int(i) for i in engine._encoder.encode(engine._encoder.read(other, {})).data[0]]
        answer = [c async for c in engine.generate(other, Sampling(max_tokens=12))]
        ids = [token for chunk in answer for token in chunk.token_ids]
        assert np.max(reference.shortfall(prompt, ids)) < TOLERANCE
    finally:
        await engine.close()
