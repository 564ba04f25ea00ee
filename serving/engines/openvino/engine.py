"""The engine on OpenVINO GenAI: continuous batching, prefix cache, constrained output."""

from __future__ import annotations

import asyncio
import atexit
import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from serving import tokenizer, tool_calls
from serving.chat_options import kwargs_detail
from serving.engine import (
    Chunk,
    Engine,
    EngineUnavailable,
    ModelCard,
    Prompt,
    Sampling,
    limited,
)
from serving.engines.inbox import Inbox
from serving.engines.openvino import drafting, sequential_pipeline, state_architectures
from serving.engines.openvino.adapters import Adapters
from serving.engines.openvino.generation_config import generation_config
from serving.engines.openvino.lane import Lane, Request
from serving.engines.openvino.prompt_encoder import PromptEncoder
from serving.engines.openvino.sequential_pipeline import SequentialPipeline
from serving.engines.openvino.step_loop import StepLoop
from serving.engines.text_stream import TextStream
from serving.hardware import compute, cpu, resident
from serving.hardware.compute import Compute, KvCache
from serving.ir import base_shape
from serving.ir.checkpoint import CheckpointError
from serving.ir.learned_prefix import LearnedPrefix, read_prefix
from serving.models import manifest
from serving.schema import json_schema
from serving.thinking_budget import within_budget

_log = logging.getLogger("bedside.serving.openvino")
# Tokens of one key-value block of OpenVINO's CPU plugin.
_BLOCK = 32


@dataclass(frozen=True, slots=True)
class OpenVinoOptions:
    """How the engine uses the machine.

    ``cache_size_gb``: memory for keys and values.  ``max_num_seqs``: requests that run together.
    ``queue_limit``: requests that may wait beyond those.  ``max_num_batched_tokens``: tokens of one
    step; smaller keeps running answers fluent while a long prompt is read.  ``prompt_lookup``: hold
    a second pipeline (its own copy of the weights and cache) that drafts from the prompt, for
    requests that ask for it.  ``draft``: folder of a smaller model that guesses tokens for greedy
    answers (`drafting` beside this), in a second pipeline too.
    ``num_threads``: 0 leaves the choice to OpenVINO.
    ``precision`` and ``kv_cache``: see `serving.hardware.compute`.
    ``context_length``: the most tokens of prompt and answer; 0 takes what the model declares.
    ``cores``: logical processors that the model's own process keeps to; (): any.
    ``default_max_tokens``: of an answer whose request names no limit; 0 is the rest of the
    context.  ``chat_template_kwargs``: for requests that say nothing else of the same option.
    ``reasoning_budget``: the most tokens of thoughts where a request says nothing; 0: no limit.
    ``adapters``: name → folder of what requests may be answered with (`serving.models.adapters`).
    ``prefix``: folder of learned keys and values that stand before every prompt
    (`serving.ir.learned_prefix`); such a model answers one request at a time.

    A model that answers one request at a time (`sequential_pipeline` beside this) has no use for
    the sizes of cache, sequences and steps.
    """

    cache_size_gb: int = 1
    max_num_seqs: int = 8
    queue_limit: int = 32
    max_num_batched_tokens: int = 256
    prompt_lookup: bool = False
    draft: str = ""
    num_threads: int = 0
    precision: Compute = "auto"
    kv_cache: KvCache = "auto"
    context_length: int = 0
    cores: tuple[int, ...] = ()
    device: str = "CPU"
    default_max_tokens: int = 0
    chat_template_kwargs: Mapping[str, Any] = field(default_factory=dict)
    reasoning_budget: int = 0
    adapters: Mapping[str, str] = field(default_factory=dict)
    prefix: str = ""


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
        closes_prompt = self._manifest.architecture in sequential_pipeline.ARCHITECTURES
        self._prefix = _prefix(folder, self._options.prefix)
        self._sequential = closes_prompt or self._prefix is not None
        if self._sequential and self._options.prompt_lookup:
            raise EngineUnavailable(
                f"{self._manifest.name} cannot draft from its prompt; turn prompt_lookup off."
            )
        if self._sequential and self._options.adapters:
            raise EngineUnavailable(
                f"模型 {self._manifest.name} 逐个作答，不能切换适配器：请合并。(A model that "
                "answers one request at a time takes no adapter at run time; merge it with "
                "`bedside model convert --adapter`.)"
            )
        if self._options.draft and (self._sequential or self._options.prompt_lookup):
            raise EngineUnavailable(
                f"模型 {self._manifest.name}：draft 与 prompt_lookup 只能选一个，"
                "逐个作答的模型两个都不能用。(Set draft or prompt_lookup; a model that answers "
                "one request at a time has neither.)"
            )
        self._guesses = 0
        self._adapters = Adapters(folder, self._options.adapters)
        self._encoder = PromptEncoder(
            self._tokenizer,
            self._manifest.context_length,
            self._manifest.control_tokens,
            closes_prompt=closes_prompt,
            defaults=self._options.chat_template_kwargs,
        )
        self._properties = compute.properties(
            self._options.precision, self._options.kv_cache, self._manifest.settings, cpu.flags()
        )
        if self._options.num_threads:
            self._properties["INFERENCE_NUM_THREADS"] = self._options.num_threads
        self._cache_tokens = 0
        self._end_ids: set[int] = set(self._manifest.end_token_ids)
        together = 1 if self._sequential else self._options.max_num_seqs
        self._loop = StepLoop(self._lanes, together, self._options.queue_limit)
        declared = self._manifest.context_length
        wanted = self._options.context_length or declared
        self._limit = min(declared, wanted, self._cache_tokens)
        self._card = ModelCard(
            name=self._manifest.name,
            source=self._manifest.source,
            context_length=self._limit,
            demo_only=self._manifest.demo_only,
            licence=self._manifest.licence,
            thinks_on_request=self._encoder.thinks_on_request,
            calls_tools=self._encoder.calls_tools,
            adapters=self._adapters.names,
            details={
                "engine": "openvino",
                "architecture": self._manifest.architecture,
                "sha256": self._manifest.source_sha256,
                **self._manifest.settings,
                **kwargs_detail(self._options.chat_template_kwargs),
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
        return int(self._encoder.encode_text(text).get_shape()[1])

    async def generate(
        self,
        prompt: Prompt,
        sampling: Sampling | None = None,
        schema: Mapping[str, Any] | None = None,
    ) -> AsyncGenerator[Chunk]:
        """See `Engine.generate`."""
        sampling = sampling or Sampling()
        text = await asyncio.to_thread(
            self._encoder.read, prompt, sampling.chat_template_kwargs, sampling.tools
        )
        if sampling.must_call and sampling.tools:
            schema = tool_calls.schema_of_call(sampling.tools)
        budget = sampling.reasoning_budget
        if budget is None:
            budget = self._options.reasoning_budget or None
        if budget is not None and schema is None and not isinstance(prompt, str):
            chunks = within_budget(self._chunks, text, sampling, budget)
        else:
            chunks = self._chunks(text, sampling, schema)
        stream = self._encoder.separated(chunks, prompt, text, sampling, schema)
        async with aclosing(stream):
            async for chunk in stream:
                yield chunk

    async def _chunks(
        self, text: str, sampling: Sampling, schema: Mapping[str, Any] | None
    ) -> AsyncGenerator[Chunk]:
        """What the model writes behind ``text``, thoughts and calls among it."""
        inbox = Inbox()
        request = await asyncio.to_thread(self._request, text, sampling, schema)
        request.deliver = inbox.deliver
        written = inbox.chunks(
            lambda: self._loop.submit(request), lambda: self._loop.cancel(request)
        )
        async with aclosing(written):
            async for chunk in written:
                yield chunk

    async def close(self) -> None:
        """See `Engine.close`."""
        atexit.unregister(self._loop.close)
        await asyncio.to_thread(self._loop.close)

    def _lanes(self) -> dict[bool, Lane]:
        with resident.released_meanwhile(self._folder / manifest.WEIGHTS_FILE):
            choose = self._adapters.choose
            lanes = {False: Lane(self._pipeline, self._encoder.decode, choose)}
            self._cache_tokens = self._warm_up(lanes[False].pipeline)
            if self._options.prompt_lookup or self._options.draft:
                lanes[True] = Lane(lambda: self._pipeline(drafts=True), self._encoder.decode)
                self._warm_up(lanes[True].pipeline, drafts=True)
            if self._options.draft:
                self._guesses = self._measure(lanes[False].pipeline, lanes[True].pipeline)
                if not self._guesses:
                    _log.info("the draft model does not pay here; it is given back")
                    lanes.pop(True).release()
        return lanes

    def _measure(self, plain: Any, guessing: Any) -> int:
        """How many tokens a draft model is to guess at once."""
        ids = self._encoder.encode(drafting.SAMPLE)
        wanted = drafting.measured()
        return drafting.best(
            plain,
            guessing,
            ids,
            lambda guesses: generation_config(wanted, None, self._end_ids, guesses=guesses),
        )

    def _pipeline(self, drafts: bool = False) -> Any:
        import openvino_genai

        if self._sequential:
            return SequentialPipeline(
                self._folder, self._options.device, self._properties, self._prefix
            )
        scheduler = openvino_genai.SchedulerConfig()
        scheduler.cache_size = self._options.cache_size_gb
        scheduler.max_num_seqs = self._options.max_num_seqs
        scheduler.max_num_batched_tokens = self._options.max_num_batched_tokens
        scheduler.enable_prefix_caching = True
        if self._manifest.architecture in state_architectures.ARCHITECTURES:
            state_architectures.schedule(scheduler, drafts=drafts)
        properties = dict(self._properties)
        if drafts and self._options.draft:
            folder, chosen = Path(self._options.draft), self._options
            properties["draft_model"] = drafting.draft_model(
                folder, chosen.device, chosen.precision, chosen.kv_cache
            )
        elif drafts:
            properties["prompt_lookup"] = True
        else:
            properties |= self._adapters.properties()
        pipeline = openvino_genai.ContinuousBatchingPipeline(
            str(self._folder), self._tokenizer, scheduler, self._options.device, **properties
        )
        if not drafts:
            # It begins with all of them at once.
            self._adapters.choose(pipeline, "")
        return pipeline

    def _warm_up(self, pipeline: Any, drafts: bool = False) -> int:
        """Generate one token; returns how many tokens the key-value cache holds.

        GenAI tells the used share of the cache only, so it is read while one block is in use.
        """
        import numpy as np
        import openvino

        defaults = pipeline.get_config()
        self._end_ids |= {int(i) for i in defaults.stop_token_ids}
        if defaults.eos_token_id >= 0:
            self._end_ids.add(int(defaults.eos_token_id))
        config = self._config(Sampling(max_tokens=2), None, drafts, guesses=drafting.TRIED[0])
        config.ignore_eos = True
        ids = openvino.Tensor(np.ones((1, 1), dtype=np.int64))
        handle = pipeline.add_request(0, ids, config)
        while pipeline.has_non_finished_requests():
            pipeline.step()
        used = float(pipeline.get_metrics().max_cache_usage)
        del handle
        return round(100 / used) * _BLOCK if used > 0 else self._manifest.context_length

    def _request(self, text: str, sampling: Sampling, schema: Mapping[str, Any] | None) -> Request:
        constraint = json_schema.check(schema) if schema is not None else None
        drafts = self._drafts(sampling, constraint)
        ids = self._adapters.mark(self._encoder.encode(text), sampling)
        count = int(ids.get_shape()[1])
        sampling = limited(sampling, count, self._limit, self._options.default_max_tokens)
        config = self._config(sampling, constraint, drafts, guesses=self._guesses)
        if self._sequential:
            sequential_pipeline.check(config)
        return Request(
            input_ids=ids,
            prompt_tokens=count,
            sampling=sampling,
            config=config,
            text=TextStream(self._encoder.decode, sampling.stop),
            deliver=lambda item: None,
            schema=constraint,
            drafts=drafts,
            adapter=sampling.adapter,
        )

    def _drafts(self, sampling: Sampling, constraint: str | None) -> bool:
        """Whether a request goes to the pipeline with guesses, which has no adapters."""
        if self._options.draft:
            return self._guesses > 0 and drafting.possible(sampling)
        wanted = sampling.prompt_lookup and self._options.prompt_lookup
        return wanted and constraint is None and not sampling.adapter

    def _config(
        self, sampling: Sampling, constraint: str | None, drafts: bool, guesses: int
    ) -> Any:
        """GenAI's form of a request, for the pipeline that it goes to."""
        return generation_config(
            sampling,
            constraint,
            self._end_ids,
            lookup=drafts and not self._options.draft,
            guesses=guesses if drafts and self._options.draft else 0,
        )


def _prefix(folder: Path, place: str) -> LearnedPrefix | None:
    if not place:
        return None
    architecture = base_shape.read(folder)
    if architecture is None:
        raise EngineUnavailable(
            "这个模型不带可用前缀的结构：请重新转换。(This model was converted before prefixes "
            "could be used, or by another tool: convert it again.)"
        )
    try:
        return read_prefix(Path(place), architecture)
    except CheckpointError as error:
        raise EngineUnavailable(str(error)) from error
