"""The one interface behind which every model stands.

An `Engine` turns a prompt, or chat messages, into a stream of `Chunk`.  Prompts are opaque text
here: nothing in ``serving`` knows what a diagnosis is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Role = Literal["system", "user", "assistant", "tool"]
FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "cancelled"]
"""``tool_calls``: the answer ends in calls of tools, whose results the model waits for;
``content_filter``: a server's filter cut the answer or put its own words in its place."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a chat.

    ``tool_calls``: what an assistant's turn called, each as the OpenAI API has it;
    ``tool_call_id``: the call that a turn of the role ``tool`` answers.
    """

    role: Role
    content: str
    tool_calls: tuple[Mapping[str, Any], ...] = ()
    tool_call_id: str = ""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are chosen.  ``temperature`` 0 is greedy and is the default everywhere.

    ``max_tokens``: None is the engine's own limit or, without one, the rest of the context.
    ``chat_template_kwargs``: options of the model's chat template, such as ``enable_thinking``.
    ``tools``: functions that the model may call, as the OpenAI API describes them; with
    ``must_call`` it calls one of them and says nothing else.  ``reasoning_budget``: the most tokens
    of thoughts; at so many the thoughts are closed and the answer begins.  None: no such limit.
    ``adapter``: one of `ModelCard.adapters`, which the model answers with; empty: by itself.
    """

    max_tokens: int | None = None
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    repetition_penalty: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    logprobs: bool = False
    prompt_lookup: bool = False
    chat_template_kwargs: Mapping[str, Any] = field(default_factory=dict)
    tools: tuple[Mapping[str, Any], ...] = ()
    must_call: bool = False
    reasoning_budget: int | None = None
    adapter: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """What one request cost.

    ``cached_tokens`` is the part of the prompt that came from the prefix cache, 0 where the engine
    cannot tell.  Times are wall seconds; ``queued`` is the wait before the engine took the request.
    """

    prompt_tokens: int
    new_tokens: int
    cached_tokens: int = 0
    seconds_queued: float = 0.0
    seconds_to_first_token: float = 0.0
    seconds_per_token: float = 0.0


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """The natural-log probability of one emitted token."""

    token: str
    logprob: float


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a tool, whole; ``arguments``: a JSON object as text, as the model wrote it."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of the answer.  The last one has a finish reason and the usage.

    ``reasoning`` is what the model thought before it answers, ``tool_calls`` what it calls; neither
    is ever in ``text``.
    """

    text: str
    token_ids: tuple[int, ...] = ()
    finish_reason: FinishReason | None = None
    usage: Usage | None = None
    logprobs: tuple[TokenLogprob, ...] = ()
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a reader must know of the model that answered.

    ``thinks_on_request``: it thinks first unless its chat template's ``enable_thinking`` is false,
    and how the engine was opened leaves that to the request.  ``calls_tools``: its chat template
    tells it of tools, so `Sampling.tools` may be given.  ``adapters``: which it may be asked with.
    """

    name: str
    source: str
    context_length: int
    demo_only: bool = False
    licence: str = ""
    thinks_on_request: bool = False
    calls_tools: bool = False
    details: Mapping[str, str] = field(default_factory=dict)
    adapters: tuple[str, ...] = ()


class EngineError(Exception):
    """The engine failed; the message says what to do."""


class EngineUnavailable(EngineError):
    """No model is loaded, or the server behind the engine cannot be reached."""


class EngineLost(EngineUnavailable):
    """The model's process or server was lost in the middle of an answer: ask again."""


class EngineBusy(EngineError):
    """The queue is full.  Try again after ``retry_after`` seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"The model's queue is full; try again in {retry_after} s.")
        self.retry_after = retry_after


class PromptTooLong(EngineError):
    """Prompt and answer together do not fit the model's context."""

    def __init__(self, tokens: int, limit: int) -> None:
        super().__init__(f"The prompt has {tokens} tokens; at most {limit} fit this model.")
        self.tokens = tokens
        self.limit = limit


class UnsupportedOption(EngineError):
    """The request asks for something that this engine does not do."""


Prompt = str | Sequence[Message]


def without_thoughts(card: ModelCard) -> dict[str, Any]:
    """The ``chat_template_kwargs`` of a task whose answer's length leaves no room for thoughts."""
    return {"enable_thinking": False} if card.thinks_on_request else {}


def limited(
    sampling: Sampling, prompt_tokens: int, context_length: int, default_max_tokens: int = 0
) -> Sampling:
    """``sampling`` with its ``max_tokens`` as a number that fits behind the prompt.

    ``default_max_tokens``: where the request has none; 0: whatever the prompt leaves.

    Raises:
        PromptTooLong: it does not fit.
    """
    room = context_length - prompt_tokens
    chosen = sampling.max_tokens
    if chosen is None:
        chosen = max(1, min(room, default_max_tokens or room))
    if chosen > room:
        raise PromptTooLong(prompt_tokens, max(0, context_length - chosen))
    return replace(sampling, max_tokens=chosen)


class Engine(ABC):
    """A model that can be asked."""

    @property
    @abstractmethod
    def card(self) -> ModelCard:
        """The model that serves."""

    @abstractmethod
    def generate(
        self,
        prompt: Prompt,
        sampling: Sampling | None = None,
        schema: Mapping[str, Any] | None = None,
    ) -> AsyncGenerator[Chunk]:
        """Stream the answer; closing the iterator cancels the request at once.

        What the model thinks before it answers comes as ``reasoning``, see `serving.reasoning`.
        ``prompt`` as a string is raw text, as messages it passes through the model's chat
        template.  ``schema`` is a JSON Schema that the answer is constrained to, or
        ``{"$grammar": text}``: a grammar in EBNF (xgrammar's notation) with the rule ``root``.

        Raises:
            EngineBusy: the queue is full.
            EngineUnavailable: there is no model to ask.
            PromptTooLong: prompt plus ``max_tokens`` exceed the context, or the prompt fills it.
            UnsupportedOption: this engine cannot honour the sampling or schema.
        """

    @abstractmethod
    def count_tokens(self, text: str) -> int:
        """Tokens in ``text`` by the model's own tokenizer (an upper estimate where unknown)."""

    async def close(self) -> None:
        """Free what the engine holds; pending requests end as cancelled."""
        return None


@dataclass(frozen=True, slots=True)
class Completion:
    """A whole answer; ``reasoning`` and ``tool_calls``: as in `Chunk`."""

    text: str
    finish_reason: FinishReason
    usage: Usage
    logprobs: tuple[TokenLogprob, ...] = ()
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()


async def complete(
    engine: Engine,
    prompt: Prompt,
    sampling: Sampling | None = None,
    schema: Mapping[str, Any] | None = None,
) -> Completion:
    """Collect a stream into one `Completion`.  Raises as `Engine.generate` does."""
    pieces: list[str] = []
    thoughts: list[str] = []
    logprobs: list[TokenLogprob] = []
    calls: list[ToolCall] = []
    async for chunk in engine.generate(prompt, sampling, schema):
        pieces.append(chunk.text)
        thoughts.append(chunk.reasoning)
        logprobs.extend(chunk.logprobs)
        calls.extend(chunk.tool_calls)
        if chunk.finish_reason is not None:
            usage = chunk.usage or Usage(prompt_tokens=0, new_tokens=0)
            return Completion(
                "".join(pieces),
                chunk.finish_reason,
                usage,
                tuple(logprobs),
                "".join(thoughts).rstrip(),
                tuple(calls),
            )
    raise EngineError("The engine ended its stream without a finish reason.")
