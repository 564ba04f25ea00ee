"""A smaller model that guesses tokens, which the served model then checks several at a time.

GenAI 2026.4 does that in a pipeline of its own, where every request has guesses, and rightly only
for greedy answers: with sampling it fails, and penalties are applied to other tokens than they
should be.  So other requests go to the plain pipeline, and both are kept.  Whether guesses pay
depends on the two models and on the processor, so that is measured when they are loaded.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from serving.engine import EngineUnavailable, Sampling
from serving.hardware import compute, cpu
from serving.hardware.compute import Compute, KvCache
from serving.models import manifest

SAMPLE = (
    "患者男性，六十二岁，因反复咳嗽、咳痰十年，加重伴气促三天入院。查体：体温三十八度二，双肺可闻及湿啰音。"
    "血常规示白细胞升高，胸片示右下肺斑片影。请写出初步诊断、诊断依据和诊疗计划。"
)
"""What is answered to measure; how well a draft guesses depends on the text."""
TRIED = (2, 4)
"""Tokens that are guessed at once."""
_NEW = 24
_GAIN = 1.05


def possible(sampling: Sampling) -> bool:
    """Whether GenAI gives such an answer the same tokens with guesses as without."""
    penalties = (sampling.repetition_penalty, sampling.presence_penalty, sampling.frequency_penalty)
    return sampling.temperature <= 0 and penalties == (1.0, 0.0, 0.0) and not sampling.adapter


def draft_model(folder: Path, device: str, precision: Compute, kv_cache: KvCache) -> Any:
    """The property of a pipeline that has it guess by the model in ``folder``.

    Raises:
        EngineUnavailable: it is no prepared model.
    """
    import openvino_genai

    if not manifest.is_prepared(folder):
        raise EngineUnavailable(
            f"草拟模型 {folder} 尚未转换：请先 bedside model convert。(The draft model is no "
            "converted model; convert it first.)"
        )
    settings = manifest.read(folder).settings
    # What the draft's weights are is its own affair.
    wanted: Compute = "auto" if precision in ("int4", "int8") else precision
    properties = compute.properties(wanted, kv_cache, settings, cpu.flags())
    return openvino_genai.draft_model(str(folder), device, **properties)


def best(plain: Any, drafting: Any, ids: Any, config: Callable[[int], Any]) -> int:
    """How many tokens to guess at once, 0 where that does not pay.

    ``plain`` and ``drafting``: idle pipelines.  ``config(guesses)``: for one greedy answer.
    """
    seconds = {guesses: _seconds(drafting, ids, config(guesses)) for guesses in TRIED}
    least = min(seconds, key=lambda guesses: seconds[guesses])
    return least if _seconds(plain, ids, config(0)) > _GAIN * seconds[least] else 0


def measured() -> Sampling:
    """The answer that is timed."""
    return Sampling(max_tokens=_NEW)


def _seconds(pipeline: Any, ids: Any, config: Any) -> float:
    """Of the tokens after the first, which waits for the prompt."""
    config.ignore_eos = True
    handle = pipeline.add_request(0, ids, config)
    began = 0.0
    while pipeline.has_non_finished_requests():
        pipeline.step()
        while handle.can_read():
            handle.read()
            began = began or time.perf_counter()
    return time.perf_counter() - began
