"""A GenAI pipeline and the requests that run in it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from serving.engine import Chunk, EngineError, FinishReason, Sampling, TokenLogprob, Usage
from serving.engines.text_stream import TextStream

_UNKNOWN = "?"
"""No adapter is called so."""


@dataclass(eq=False)
class Request:
    """One prompt on its way.  ``deliver`` takes chunks and, at most once, an error."""

    input_ids: Any
    prompt_tokens: int
    sampling: Sampling
    config: Any
    text: TextStream
    deliver: Callable[[Chunk | EngineError], None]
    schema: str | None = None
    drafts: bool = False
    adapter: str = ""
    submitted: float = field(default_factory=time.perf_counter)
    started: float = 0.0
    first_token: float = 0.0
    last_token: float = 0.0
    new_tokens: int = 0
    cancelled: bool = False
    handle: Any = None

    def usage(self) -> Usage:
        """Counts and times until now."""
        later = self.new_tokens - 1
        return Usage(
            prompt_tokens=self.prompt_tokens,
            new_tokens=self.new_tokens,
            seconds_queued=max(0.0, (self.started or time.perf_counter()) - self.submitted),
            seconds_to_first_token=self.first_token - self.submitted if self.first_token else 0.0,
            seconds_per_token=(self.last_token - self.first_token) / later if later > 0 else 0.0,
        )

    def finish(
        self,
        text: str,
        reason: FinishReason,
        ids: tuple[int, ...] = (),
        *,
        logprobs: tuple[TokenLogprob, ...] = (),
    ) -> None:
        """Deliver the last chunk."""
        self.deliver(Chunk(text, ids, reason, self.usage(), logprobs))


class Lane:
    """A pipeline and the requests that run in it, all of them with one adapter."""

    def __init__(
        self,
        build: Callable[[], Any],
        decode: Callable[[list[int]], str],
        choose: Callable[[Any, str], None] = lambda pipeline, adapter: None,
    ) -> None:
        """``build`` makes the pipeline (seconds), which has no adapter chosen; ``decode`` names
        single tokens; ``choose`` turns an idle pipeline to an adapter."""
        self._build = build
        self._decode = decode
        self._choose = choose
        self._pipeline = build()
        self._next_id = 0
        self.adapter = ""
        self.active: list[Request] = []

    @property
    def pipeline(self) -> Any:
        """The GenAI pipeline."""
        return self._pipeline

    def start(self, request: Request) -> None:
        """Hand a request to the pipeline.  One with another adapter than those that run is only
        for a lane where none runs.

        Raises:
            RuntimeError: the pipeline does not take it.
        """
        if request.adapter != self.adapter:
            self._turn_to(request.adapter)
        self._next_id += 1
        request.started = time.perf_counter()
        request.handle = self._pipeline.add_request(
            self._next_id, request.input_ids, request.config
        )
        self.active.append(request)

    def step(self) -> None:
        """One forward pass, and what came of it."""
        self._pipeline.step()
        for request in list(self.active):
            if self._collect(request):
                self._drop(request)

    def drop_cancelled(self) -> None:
        """Free the requests that nobody waits for any more."""
        for request in [request for request in self.active if request.cancelled]:
            self._drop(request)
        if not self.active and self._pipeline.has_non_finished_requests():
            self._pipeline.step()

    def rebuild(self) -> None:
        """Replace a pipeline that has failed; its requests are forgotten."""
        self.active.clear()
        self._pipeline = None
        self.adapter = ""
        self._pipeline = self._build()

    def release(self) -> None:
        """Free the pipeline."""
        for request in list(self.active):
            self._drop(request)
        self._pipeline = None

    def _turn_to(self, adapter: str) -> None:
        if self.active:
            raise RuntimeError("requests with another adapter are running")
        # What was cancelled is let go of by the next step.
        while self._pipeline.has_non_finished_requests():
            self._pipeline.step()
        # Where this fails, nobody may take the lane for what it was.
        self.adapter = _UNKNOWN
        self._choose(self._pipeline, adapter)
        self.adapter = adapter

    def _drop(self, request: Request) -> None:
        request.handle.cancel()
        request.handle = None
        self.active.remove(request)

    def _collect(self, request: Request) -> bool:
        """Deliver what the last step made for ``request``; whether that was the end."""
        from openvino_genai import GenerationFinishReason, GenerationStatus

        ids: list[int] = []
        logprobs: list[TokenLogprob] = []
        ended = GenerationFinishReason.NONE
        while request.handle.can_read():
            for output in request.handle.read().values():
                ids += output.generated_ids
                ended = output.finish_reason
                if request.sampling.logprobs:
                    pairs = zip(output.generated_ids, output.generated_log_probs, strict=False)
                    logprobs += [TokenLogprob(self._decode([i]), float(p)) for i, p in pairs]
        if ids:
            request.last_token = time.perf_counter()
            request.first_token = request.first_token or request.last_token
            request.new_tokens += len(ids)
        piece = request.text.push(ids) if ids else ""
        if request.text.stopped:
            request.finish(piece, "stop", tuple(ids), logprobs=tuple(logprobs))
            return True
        if ended != GenerationFinishReason.NONE:
            reason: FinishReason = "length" if ended == GenerationFinishReason.LENGTH else "stop"
            piece += request.text.finish()
            request.finish(piece, reason, tuple(ids), logprobs=tuple(logprobs))
            return True
        if request.handle.get_status() == GenerationStatus.IGNORED:
            request.deliver(
                EngineError(
                    "The key-value cache is too small for this request; "
                    "raise the engine's cache_size_gb."
                )
            )
            return True
        if ids:
            request.deliver(Chunk(piece, tuple(ids), logprobs=tuple(logprobs)))
        return False
