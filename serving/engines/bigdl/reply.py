"""One answer on its way: token ids as they come → chunks of text, counts and times."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from serving.engine import (
    Chunk,
    FinishReason,
    Sampling,
    TokenLogprob,
    UnsupportedOption,
    Usage,
)
from serving.engines.text_stream import TextStream


class Reply:
    """What one request has got so far."""

    def __init__(
        self, prompt_tokens: int, sampling: Sampling, decode: Callable[[list[int]], str]
    ) -> None:
        self._prompt_tokens = prompt_tokens
        self._sampling = sampling
        self._decode = decode
        self._text = TextStream(decode, sampling.stop)
        self._new_tokens = 0
        self._submitted = time.perf_counter()
        self._started = self._first = self._last = 0.0

    @property
    def stopped(self) -> bool:
        """Whether a stop string has ended the answer."""
        return self._text.stopped

    @property
    def seconds(self) -> float:
        """Since the request began to run; 0 where it has not."""
        return time.perf_counter() - self._started if self._started else 0.0

    def take(self, answer: Mapping[str, Any]) -> Chunk | None:
        """The chunk that a line of the process makes; None where it carries no token."""
        if "started" in answer:
            self._started = time.perf_counter()
            return None
        self._last = time.perf_counter()
        self._first = self._first or self._last
        self._new_tokens += 1
        token: int = answer["token"]
        finish: FinishReason | None = answer["finish"]
        logprobs = self._logprobs(token, answer["logprob"])
        # The token that ends an answer is no part of its text.
        piece = "" if finish == "stop" else self._text.push([token])
        if self._text.stopped:
            finish = "stop"
        elif finish is not None:
            piece += self._text.finish()
        usage = self.usage() if finish is not None else None
        return Chunk(piece, (token,), finish, usage, logprobs)

    def end(self, reason: FinishReason) -> Chunk:
        """The last chunk of an answer that ends here."""
        return Chunk(self._text.finish(), finish_reason=reason, usage=self.usage())

    def usage(self) -> Usage:
        """Counts and times until now."""
        later = self._new_tokens - 1
        started = self._started or time.perf_counter()
        return Usage(
            prompt_tokens=self._prompt_tokens,
            new_tokens=self._new_tokens,
            seconds_queued=started - self._submitted,
            seconds_to_first_token=self._first - self._submitted if self._first else 0.0,
            seconds_per_token=(self._last - self._first) / later if later > 0 else 0.0,
        )

    def _logprobs(self, token: int, logprob: float | None) -> tuple[TokenLogprob, ...]:
        if not self._sampling.logprobs or logprob is None:
            return ()
        return (TokenLogprob(self._decode([token]), logprob),)


def check(sampling: Sampling) -> None:
    """Raise `UnsupportedOption` where a setting is out of its range."""
    if sampling.max_tokens is not None and sampling.max_tokens < 1:
        raise UnsupportedOption("max_tokens must be at least 1.")
    if sampling.temperature < 0:
        raise UnsupportedOption("temperature must not be negative.")
    if not 0 < sampling.top_p <= 1:
        raise UnsupportedOption("top_p must be above 0 and at most 1.")
    if sampling.top_k < 0:
        raise UnsupportedOption("top_k must not be negative.")
    if sampling.repetition_penalty <= 0:
        raise UnsupportedOption("repetition_penalty must be above 0.")
    if sampling.reasoning_budget is not None:
        raise UnsupportedOption(
            "reasoning_budget: this kind of engine cannot close thoughts; use enable_thinking."
        )
