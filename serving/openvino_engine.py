"""The engine on OpenVINO GenAI: continuous batching, prefix cache, constrained output."""

from __future__ import annotations

import asyncio
import atexit
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serving import json_schema, tokenizer
from serving.engine import (
    Chunk,
    Engine,
    ModelCard,
    Prompt,
    PromptTooLong,
    Sampling,
    UnsupportedOption,
)
from serving.generation_config import generation_config
from serving.inbox import Inbox
from serving.lane import Lane, Request
from serving.step_loop import StepLoop
from serving.text_stream import TextStream

# Tokens of one key-value block of OpenVINO's CPU plugin.
_BLOCK = 32
_COMMON_CONTROL = re.compile(r"<\|[^|<>]{1,40}\|>")


@dataclass(frozen=True, slots=True)
class OpenVinoOptions:
    """How the engine uses the machine.

    ``cache_size_gb``: memory for keys and values.  ``max_num_seqs``: requests that run together.
    ``queue_limit``: requests that may wait beyond those.  ``max_num_batched_tokens``: tokens of one
    step; smaller keeps running answers fluent while a long prompt is read.  ``prompt_lookup``: hold
    a second pipeline (its own copy of the weights and cache) that drafts from the prompt, for
    requests that ask for it.  ``num_threads``: 0 leaves the choice to OpenVINO.
    ``kv_cache_precision`` and ``inference_precision``: as OpenVINO names them (``u8``, ``bf16``,
    ``f32``); empty for its default.
    """

    cache_size_gb: int = 1
    max_num_seqs: int = 8
    queue_limit: int = 32
    max_num_batched_tokens: int = 256
    prompt_lookup: bool = False
    num_threads: int = 0
    kv_cache_precision: str = ""
    inference_precision: str = ""
    device: str = "CPU"

    def properties(self) -> dict[str, Any]:
        """The options in OpenVINO's own words."""
        chosen = {
            "INFERENCE_NUM_THREADS": self.num_threads,
            "KV_CACHE_PRECISION": self.kv_cache_precision,
            "INFERENCE_PRECISION_HINT": self.inference_precision,
        }
        return {key: value for key, value in chosen.items() if value}


class OpenVinoEngine(Engine):
    """A prepared model folder, loaded.  May be used from any thread and any event loop."""

    def __init__(self, folder: Path, options: OpenVinoOptions | None = None) -> None:
        """Load the model and generate one token to warm it up (a few seconds).

        Raises:
            EngineUnavailable: the folder is no prepared model, or cannot be loaded.
        """
        self._options = options or OpenVinoOptions()
        self._folder = folder
        self._manifest, self._tokenizer = tokenizer.load(folder)
        self._control = self._control_pattern()
        self._tokens_per_encode = self._longest_encoding()
        self._cache_tokens = 0
        self._end_ids: set[int] = set(self._manifest.end_token_ids)
        self._loop = StepLoop(self._lanes, self._options.max_num_seqs, self._options.queue_limit)
        self._limit = min(self._manifest.context_length, self._cache_tokens)
        self._card = ModelCard(
            name=self._manifest.name,
            source=self._manifest.source,
            context_length=self._limit,
            demo_only=self._manifest.demo_only,
            licence=self._manifest.licence,
            details={
                "engine": "openvino",
                "architecture": self._manifest.architecture,
                "sha256": self._manifest.source_sha256,
                **self._manifest.settings,
            },
        )
        atexit.register(self._loop.close)

    @property
    def card(self) -> ModelCard:
        """See `Engine.card`."""
        return self._card

    @property
    def running(self) -> int:
        """Requests that are being answered."""
        return self._loop.running

    @property
    def waiting(self) -> int:
        """Requests in the queue."""
        return self._loop.waiting

    def count_tokens(self, text: str) -> int:
        """See `Engine.count_tokens`."""
        return int(self._encode(text).get_shape()[1])

    async def generate(
        self,
        prompt: Prompt,
        sampling: Sampling | None = None,
        schema: Mapping[str, Any] | None = None,
    ) -> AsyncGenerator[Chunk]:
        """See `Engine.generate`."""
        inbox = Inbox()
        request = await asyncio.to_thread(self._request, prompt, sampling or Sampling(), schema)
        request.deliver = inbox.deliver
        stream = inbox.chunks(
            lambda: self._loop.submit(request), lambda: self._loop.cancel(request)
        )
        async with aclosing(stream):
            async for chunk in stream:
                yield chunk

    async def close(self) -> None:
        """See `Engine.close`."""
        atexit.unregister(self._loop.close)
        await asyncio.to_thread(self._loop.close)

    def _lanes(self) -> dict[bool, Lane]:
        lanes = {False: Lane(self._pipeline, self._decode)}
        self._cache_tokens = self._warm_up(lanes[False].pipeline)
        if self._options.prompt_lookup:
            lanes[True] = Lane(lambda: self._pipeline(prompt_lookup=True), self._decode)
        return lanes

    def _pipeline(self, prompt_lookup: bool = False) -> Any:
        import openvino_genai

        scheduler = openvino_genai.SchedulerConfig()
        scheduler.cache_size = self._options.cache_size_gb
        scheduler.max_num_seqs = self._options.max_num_seqs
        scheduler.max_num_batched_tokens = self._options.max_num_batched_tokens
        scheduler.enable_prefix_caching = True
        properties = self._options.properties()
        if prompt_lookup:
            properties["prompt_lookup"] = True
        return openvino_genai.ContinuousBatchingPipeline(
            str(self._folder), self._tokenizer, scheduler, self._options.device, **properties
        )

    def _warm_up(self, pipeline: Any) -> int:
        """Generate one token; returns how many tokens the key-value cache holds.

        GenAI tells the used share of the cache only, so it is read while one block is in use.
        """
        import numpy as np
        import openvino
        import openvino_genai

        defaults = pipeline.get_config()
        self._end_ids |= {int(i) for i in defaults.stop_token_ids}
        if defaults.eos_token_id >= 0:
            self._end_ids.add(int(defaults.eos_token_id))
        config = openvino_genai.GenerationConfig()
        config.max_new_tokens = 2
        config.ignore_eos = True
        ids = openvino.Tensor(np.ones((1, 1), dtype=np.int64))
        handle = pipeline.add_request(0, ids, config)
        while pipeline.has_non_finished_requests():
            pipeline.step()
        used = float(pipeline.get_metrics().max_cache_usage)
        del handle
        return round(100 / used) * _BLOCK if used > 0 else self._manifest.context_length

    def _request(
        self, prompt: Prompt, sampling: Sampling, schema: Mapping[str, Any] | None
    ) -> Request:
        constraint = json_schema.check(schema) if schema is not None else None
        lookup = sampling.prompt_lookup and self._options.prompt_lookup and constraint is None
        config = generation_config(sampling, constraint, lookup, self._end_ids)
        ids = self._encode(prompt if isinstance(prompt, str) else self._render(prompt))
        count = int(ids.get_shape()[1])
        if count == 0:
            raise UnsupportedOption("The prompt is empty.")
        if count + sampling.max_tokens > self._limit:
            raise PromptTooLong(count, max(0, self._limit - sampling.max_tokens))
        return Request(
            input_ids=ids,
            prompt_tokens=count,
            sampling=sampling,
            config=config,
            text=TextStream(self._decode, sampling.stop),
            deliver=lambda item: None,
            schema=constraint,
            lookup=lookup,
        )

    def _render(self, prompt: Any) -> str:
        """Messages through the model's chat template.

        A control token in a message (``<|im_end|>``) would end the message early, so it is broken
        up with a space: no text of a record can pose as another role.
        """
        turns = [
            {
                "role": message.role,
                "content": self._control.sub(_defuse, tokenizer.well_formed(message.content)),
            }
            for message in prompt
        ]
        try:
            text: str = self._tokenizer.apply_chat_template(turns, add_generation_prompt=True)
        except RuntimeError as error:
            raise UnsupportedOption("The model's chat template refuses these messages.") from error
        return text

    def _encode(self, text: str) -> Any:
        ids = tokenizer.encode(self._tokenizer, text)
        count = int(ids.get_shape()[1])
        if count >= self._tokens_per_encode:
            raise PromptTooLong(count, self._tokens_per_encode - 1)
        return ids

    def _decode(self, ids: list[int]) -> str:
        text: str = self._tokenizer.decode(ids)
        return text

    def _longest_encoding(self) -> int:
        """Tokens after which this tokenizer cuts its input without a word."""
        context = min(self._manifest.context_length, 200_000)
        count = int(self._tokenizer.encode("a b " * context).input_ids.get_shape()[1])
        return count if count <= context else 2**31

    def _control_pattern(self) -> re.Pattern[str]:
        tokens = sorted(self._manifest.control_tokens, key=len, reverse=True)
        if not tokens:
            return _COMMON_CONTROL
        return re.compile("|".join(map(re.escape, tokens)))


def _defuse(match: re.Match[str]) -> str:
    token = match.group()
    return f"{token[0]} {token[1:]}"
