"""The engine behind any OpenAI-compatible server."""

from __future__ import annotations

import re
import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

import httpx

from serving.chat_options import kwargs_detail
from serving.engine import (
    Chunk,
    Engine,
    EngineBusy,
    EngineError,
    EngineLost,
    EngineUnavailable,
    Message,
    ModelCard,
    Prompt,
    PromptTooLong,
    Sampling,
    UnsupportedOption,
)
from serving.engines.remote_answer import Progress, events
from serving.reasoning import Habit, Separator, Start, opened_by, separated
from serving.schema.json_schema import GRAMMAR
from serving.tool_calls import check as check_tools
from serving.tool_calls import with_calls

_CODE = re.compile(r"[\w.-]{1,60}")
# Models whose chat templates open the thoughts, so that a text cut before `</think>` is a thought.
_THINKER = re.compile(
    r"^(?!.*no[nt]?[-_]?think).*((?<![a-z\d])[rz]1(?!\d)|qwq|think|reason)", re.IGNORECASE
)


class RemoteEngine(Engine):
    """Streams from ``<base_url>/chat/completions`` and ``/completions``.

    Each request has a connection of its own, so the engine may be used from any event loop.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        api_key: str = "",
        name: str = "",
        context_length: int = 32768,
        timeout: float = 120.0,
        trust_env: bool = False,
        licence: str = "",
        default_max_tokens: int = 0,
        chat_template_kwargs: Mapping[str, Any] | None = None,
        thinks_first: bool = False,
    ) -> None:
        """``base_url`` ends in ``/v1`` as a rule; ``timeout`` is the longest silence, in seconds.

        ``trust_env`` lets proxy settings of the environment apply.  ``default_max_tokens``: of an
        answer whose request names no limit; 0 leaves it to the server.  ``chat_template_kwargs``:
        sent with each chat that says nothing else of the same option.  ``thinks_first``: the text
        of an answer begins inside its thoughts, unless the server keeps them apart.

        Raises:
            EngineUnavailable: ``base_url`` is no http address.
        """
        if not re.match(r"https?://[^/\s]+", base_url):
            raise EngineUnavailable("The address of a remote model must begin with http(s)://.")
        self._base = base_url.rstrip("/")
        self._model = model
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._timeout = httpx.Timeout(timeout, connect=min(timeout, 10.0))
        self._trust_env = trust_env
        self._verify: ssl.SSLContext | bool = (
            httpx.create_ssl_context() if self._base.startswith("https") else True
        )
        self._closed = False
        self._default_max_tokens = default_max_tokens
        self._chat_template_kwargs = dict(chat_template_kwargs or {})
        likely: Start = "likely" if _THINKER.match(model) else "unknown"
        self._habit = Habit("thought" if thinks_first else likely)
        self._card = ModelCard(
            name=name or model,
            calls_tools=True,
            source=httpx.URL(self._base).host,
            context_length=context_length,
            licence=licence,
            details={
                "engine": "remote",
                "model": model,
                **kwargs_detail(self._chat_template_kwargs),
            },
        )

    @property
    def card(self) -> ModelCard:
        """See `Engine.card`."""
        return self._card

    def count_tokens(self, text: str) -> int:
        """An upper estimate: half a token a Latin letter or space, two a character beyond ASCII."""
        wide = sum(character > "\x7f" for character in text)
        light = sum(
            character.isascii() and (character.isalpha() or character == " ") for character in text
        )
        return 2 * wide + (light + 1) // 2 + (len(text) - wide - light)

    async def generate(
        self,
        prompt: Prompt,
        sampling: Sampling | None = None,
        schema: Mapping[str, Any] | None = None,
    ) -> AsyncGenerator[Chunk]:
        """See `Engine.generate`."""
        if self._closed:
            raise EngineUnavailable("The model has been unloaded.")
        sampling = sampling or Sampling()
        chunks = self._chunks(prompt, sampling, self._body(prompt, sampling, schema))
        if isinstance(prompt, str):
            stream = separated(chunks, Separator(opened_by(prompt) or "answer"))
        else:
            options = sampling.chat_template_kwargs
            stream = self._habit.separated(chunks, options, form=schema is not None)
            if sampling.tools:
                # A server without a parser for this model leaves the calls in the text.
                stream = with_calls(stream, sampling.tools)
        async with aclosing(stream):
            async for chunk in stream:
                yield chunk

    async def _chunks(
        self, prompt: Prompt, sampling: Sampling, body: Mapping[str, Any]
    ) -> AsyncGenerator[Chunk]:
        """What the server sends, with thoughts in the text where the server leaves them there."""
        chat = not isinstance(prompt, str)
        progress = Progress(
            self.count_tokens(
                prompt
                if isinstance(prompt, str)
                else "".join(message.content for message in prompt)
            )
        )
        begun = False
        path = "/chat/completions" if chat else "/completions"
        try:
            async with (
                httpx.AsyncClient(
                    timeout=self._timeout, trust_env=self._trust_env, verify=self._verify
                ) as client,
                client.stream(
                    "POST", self._base + path, json=body, headers=self._headers
                ) as response,
            ):
                await self._check(response, progress.prompt_tokens)
                async for event in events(response):
                    chunk = progress.take(event)
                    if chunk is not None:
                        begun = True
                        yield chunk
        except httpx.HTTPError as error:
            raise (EngineLost if begun else EngineUnavailable)(
                f"The model server at {self._card.source} cannot be reached "
                f"({type(error).__name__}); check its address and that it runs."
            ) from error
        yield progress.last()

    async def close(self) -> None:
        """See `Engine.close`."""
        self._closed = True

    def _body(
        self, prompt: Prompt, sampling: Sampling, schema: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self._model,
            "stream": True,
            "stream_options": {"include_usage": True},
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "presence_penalty": sampling.presence_penalty,
            "frequency_penalty": sampling.frequency_penalty,
        }
        if isinstance(prompt, str):
            body["prompt"] = prompt
        else:
            body["messages"] = [_turn(message) for message in prompt]
        # Fields that only some servers know are sent only when they are asked for.
        options = {**self._chat_template_kwargs, **sampling.chat_template_kwargs}
        optional = {
            "max_tokens": sampling.max_tokens or self._default_max_tokens or None,
            "chat_template_kwargs": (options or None) if not isinstance(prompt, str) else None,
            "stop": list(sampling.stop) or None,
            "seed": sampling.seed,
            "top_k": sampling.top_k or None,
            "repetition_penalty": (
                sampling.repetition_penalty if sampling.repetition_penalty != 1.0 else None
            ),
            "logprobs": (1 if isinstance(prompt, str) else True) if sampling.logprobs else None,
        }
        body |= {key: value for key, value in optional.items() if value is not None}
        if sampling.reasoning_budget is not None:
            raise UnsupportedOption(
                "reasoning_budget: thoughts of a remote model cannot be closed from here; "
                "use enable_thinking."
            )
        if sampling.tools:
            if isinstance(prompt, str):
                raise UnsupportedOption("tools: plain text passes no chat template.")
            check_tools(sampling.tools)
            body["tools"] = [dict(tool) for tool in sampling.tools]
            body["tool_choice"] = "required" if sampling.must_call else "auto"
        if schema is not None:
            if GRAMMAR in schema:
                # There is no field that every server either honours or refuses.
                raise UnsupportedOption("A remote model cannot be held to a grammar.")
            form = {"name": "answer", "schema": dict(schema), "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": form}
        return body

    async def _check(self, response: httpx.Response, prompt_tokens: int) -> None:
        """Raise for an error status; of the body only its short error code is repeated."""
        status = response.status_code
        if status == 200:
            return
        await response.aread()
        code = _error_code(response)
        host = self._card.source
        if status in (429, 503):
            after = response.headers.get("retry-after", "")
            raise EngineBusy(max(1, int(after)) if after.isdigit() else 5)
        if code == "context_length_exceeded":
            raise PromptTooLong(prompt_tokens, self._card.context_length)
        if status in (401, 403):
            raise EngineUnavailable(f"The model server at {host} refuses the API key.")
        if status == 404:
            raise EngineUnavailable(f"The model server at {host} has no model {self._model!r}.")
        if status in (400, 422):
            raise UnsupportedOption(f"The model server at {host} refuses the request ({code}).")
        raise EngineError(f"The model server at {host} failed with status {status} ({code}).")


def _turn(message: Message) -> dict[str, Any]:
    """A message as the OpenAI API has it."""
    turn: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        turn |= {"content": message.content or None, "tool_calls": list(message.tool_calls)}
    if message.tool_call_id:
        turn["tool_call_id"] = message.tool_call_id
    return turn


def _error_code(response: httpx.Response) -> str:
    try:
        error = response.json().get("error") or {}
        code = str(error.get("code") or error.get("type") or "")
    except (ValueError, AttributeError):
        code = ""
    return code if _CODE.fullmatch(code) else f"status {response.status_code}"
