"""A deterministic engine without a model, for tests and for trying the API."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from serving.engine import (
    Chunk,
    Engine,
    EngineBusy,
    EngineUnavailable,
    FinishReason,
    Message,
    ModelCard,
    Prompt,
    Sampling,
    TokenLogprob,
    UnsupportedOption,
    Usage,
    limited,
)
from serving.engines.text_stream import StopFilter
from serving.reasoning import Separator, begins, separated
from serving.schema import json_schema
from serving.schema.instance import minimal
from serving.tool_calls import check as check_tools
from serving.tool_calls import forced_call, schema_of_call, with_calls

# One CJK character, or one run of other letters with the space that follows it.
_WORD = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]|[^\s\u3400-\u9fff]+\s*|\s+")


class EchoEngine(Engine):
    """Answers with the last user message, word by word; a word counts as a token."""

    def __init__(
        self,
        reply: Callable[[str], str] | None = None,
        *,
        name: str = "echo",
        context_length: int = 8192,
        seconds_per_word: float = 0.0,
        max_running: int = 8,
        queue_limit: int = 32,
        calls_tools: bool = False,
    ) -> None:
        """``reply`` turns the last user message into the answer; without it, it is repeated.

        With a schema, the answer is ``reply``'s if that is JSON, else a minimal instance; a grammar
        is not looked at.  ``calls_tools``: it takes `Sampling.tools`.
        """
        self._reply = reply
        self._delay = seconds_per_word
        self._max_running = max_running
        self._running = 0
        self._capacity = max_running + queue_limit
        self._open = 0
        self._closed = False
        self._card = ModelCard(
            name=name,
            source="none",
            context_length=context_length,
            demo_only=True,
            calls_tools=calls_tools,
            details={"engine": "echo"},
        )

    @property
    def card(self) -> ModelCard:
        """See `Engine.card`."""
        return self._card

    @property
    def open_requests(self) -> int:
        """Requests that run or wait."""
        return self._open

    def count_tokens(self, text: str) -> int:
        """See `Engine.count_tokens`."""
        return len(_WORD.findall(text))

    async def generate(
        self,
        prompt: Prompt,
        sampling: Sampling | None = None,
        schema: Mapping[str, Any] | None = None,
    ) -> AsyncGenerator[Chunk]:
        """See `Engine.generate`."""
        sampling = sampling or Sampling()
        messages = [Message("user", prompt)] if isinstance(prompt, str) else prompt
        count = self._check(messages, sampling)
        sampling = limited(sampling, count, self._card.context_length)
        if sampling.must_call and sampling.tools:
            schema = schema_of_call(sampling.tools)
        answer = self._answer(messages, schema)
        if self._open >= self._capacity:
            raise EngineBusy(1)
        submitted = time.perf_counter()
        self._open += 1
        try:
            # Polled, as a lock would bind the engine to one event loop.
            while self._running >= self._max_running:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            self._running += 1
            try:
                words = self._stream(answer, sampling, count, submitted)
                # The whole answer is known, so nothing is held back to find out how it begins.
                separator = Separator("constrained" if schema is not None else begins(answer))
                answered = separated(words, separator)
                if sampling.tools:
                    forced = sampling.must_call
                    answered = (forced_call if forced else with_calls)(answered, sampling.tools)
                async with aclosing(answered) as stream:
                    async for chunk in stream:
                        yield chunk
            finally:
                self._running -= 1
        finally:
            self._open -= 1

    async def close(self) -> None:
        """See `Engine.close`."""
        self._closed = True

    def _check(self, messages: Sequence[Message], sampling: Sampling) -> int:
        if self._closed:
            raise EngineUnavailable("The model has been unloaded.")
        if sampling.max_tokens is not None and sampling.max_tokens < 1:
            raise UnsupportedOption("max_tokens must be at least 1.")
        if sampling.tools and not self._card.calls_tools:
            raise UnsupportedOption("tools: this model has no chat template that knows tools.")
        check_tools(sampling.tools)
        if sampling.reasoning_budget is not None:
            raise UnsupportedOption("reasoning_budget: this model does not think.")
        for name in sampling.chat_template_kwargs:
            raise UnsupportedOption(
                f"chat_template_kwargs: this model has no chat template with {name[:60]!r}."
            )
        count = sum(self.count_tokens(message.content) for message in messages)
        if count == 0:
            raise UnsupportedOption("The prompt is empty.")
        return count

    def _answer(self, messages: Sequence[Message], schema: Mapping[str, Any] | None) -> str:
        said = [message.content for message in messages if message.role == "user"]
        text = said[-1] if said else messages[-1].content
        answer = self._reply(text) if self._reply else text
        if schema is None:
            return answer
        json_schema.check(schema)
        if json_schema.GRAMMAR in schema:
            return answer
        if self._reply is not None and _is_json(answer):
            return answer
        return json.dumps(minimal(schema), ensure_ascii=False)

    async def _stream(
        self, answer: str, sampling: Sampling, prompt_tokens: int, submitted: float
    ) -> AsyncGenerator[Chunk]:
        words = _WORD.findall(answer)
        kept = words[: sampling.max_tokens]
        stop = StopFilter(sampling.stop)
        started = first = last = time.perf_counter()
        count = 0
        for count, word in enumerate(kept, start=1):
            await asyncio.sleep(self._delay)
            if self._closed:
                break
            last = time.perf_counter()
            first = last if count == 1 else first
            text = stop.push(word)
            if stop.stopped:
                if text:
                    yield Chunk(text, logprobs=self._logprobs(text, sampling))
                break
            yield Chunk(text, (count,), logprobs=self._logprobs(word, sampling))
        reason: FinishReason = "length" if len(kept) < len(words) else "stop"
        reason = "stop" if stop.stopped else "cancelled" if self._closed else reason
        usage = Usage(
            prompt_tokens=prompt_tokens,
            new_tokens=count,
            seconds_queued=started - submitted,
            seconds_to_first_token=first - submitted,
            seconds_per_token=(last - first) / (count - 1) if count > 1 else 0.0,
        )
        yield Chunk(stop.finish(), finish_reason=reason, usage=usage)

    @staticmethod
    def _logprobs(word: str, sampling: Sampling) -> tuple[TokenLogprob, ...]:
        return (TokenLogprob(word, 0.0),) if sampling.logprobs else ()


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
