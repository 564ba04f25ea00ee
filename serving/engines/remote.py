"""The engine behind any OpenAI-compatible server."""

from __future__ import annotations

import json
import re
import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any

import httpx

from serving.engine import (
    Chunk,
    Engine,
    EngineBusy,
    EngineError,
    EngineUnavailable,
    FinishReason,
    ModelCard,
    Prompt,
    PromptTooLong,
    Sampling,
    TokenLogprob,
    UnsupportedOption,
    Usage,
)
from serving.schema.json_schema import GRAMMAR

_CODE = re.compile(r"[\w.-]{1,60}")


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
    ) -> None:
        """``base_url`` ends in ``/v1`` as a rule; ``timeout`` is the longest silence, in seconds.

        ``trust_env`` lets proxy settings of the environment apply.

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
        self._card = ModelCard(
            name=name or model,
            source=httpx.URL(self._base).host,
            context_length=context_length,
            licence=licence,
            details={"engine": "remote", "model": model},
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
        chat = not isinstance(prompt, str)
        body = self._body(prompt, sampling, schema)
        progress = _Progress(
            self.count_tokens(
                prompt
                if isinstance(prompt, str)
                else "".join(message.content for message in prompt)
            )
        )
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
                async for event in _events(response):
                    chunk = progress.take(event)
                    if chunk is not None:
                        yield chunk
        except httpx.HTTPError as error:
            raise EngineUnavailable(
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
            "max_tokens": sampling.max_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "presence_penalty": sampling.presence_penalty,
            "frequency_penalty": sampling.frequency_penalty,
        }
        if isinstance(prompt, str):
            body["prompt"] = prompt
        else:
            body["messages"] = [{"role": m.role, "content": m.content} for m in prompt]
        # Fields that only some servers know are sent only when they are asked for.
        optional = {
            "stop": list(sampling.stop) or None,
            "seed": sampling.seed,
            "top_k": sampling.top_k or None,
            "repetition_penalty": (
                sampling.repetition_penalty if sampling.repetition_penalty != 1.0 else None
            ),
            "logprobs": (1 if isinstance(prompt, str) else True) if sampling.logprobs else None,
        }
        body |= {key: value for key, value in optional.items() if value is not None}
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


class _Progress:
    """Turns server events into chunks and counts what they cost."""

    def __init__(self, prompt_tokens: int) -> None:
        self.prompt_tokens = prompt_tokens
        self._begin = time.perf_counter()
        self._first = self._latest = 0.0
        self._new = 0
        self._cached = 0
        self._reason: FinishReason | None = None

    def take(self, event: Mapping[str, Any]) -> Chunk | None:
        """The text of one event, if it has any."""
        if event.get("error"):
            raise EngineError("The model server broke off its answer; send the request again.")
        self._count(event.get("usage") or {})
        choices = event.get("choices") or []
        if not choices:
            return None
        choice = choices[0]
        if choice.get("finish_reason"):
            self._reason = "length" if choice["finish_reason"] == "length" else "stop"
        text = (choice.get("delta") or {}).get("content") or choice.get("text") or ""
        if not text:
            return None
        self._latest = time.perf_counter()
        self._first = self._first or self._latest
        self._new += 1
        return Chunk(text, logprobs=tuple(_logprobs(choice.get("logprobs") or {})))

    def last(self) -> Chunk:
        """The chunk that ends the stream."""
        if self._reason is None:
            raise EngineError("The model server broke off its answer; send the request again.")
        spread = self._latest - self._first
        usage = Usage(
            prompt_tokens=self.prompt_tokens,
            new_tokens=self._new,
            cached_tokens=self._cached,
            seconds_to_first_token=self._first - self._begin if self._first else 0.0,
            seconds_per_token=spread / (self._new - 1) if self._new > 1 else 0.0,
        )
        return Chunk("", finish_reason=self._reason, usage=usage)

    def _count(self, usage: Mapping[str, Any]) -> None:
        self.prompt_tokens = usage.get("prompt_tokens") or self.prompt_tokens
        self._new = usage.get("completion_tokens") or self._new
        details = usage.get("prompt_tokens_details") or {}
        self._cached = details.get("cached_tokens") or self._cached


def _logprobs(value: Mapping[str, Any]) -> list[TokenLogprob]:
    if isinstance(value.get("content"), list):
        return [TokenLogprob(str(e["token"]), float(e["logprob"])) for e in value["content"]]
    pairs = zip(value.get("tokens") or [], value.get("token_logprobs") or [], strict=False)
    return [TokenLogprob(str(token), float(p)) for token, p in pairs if p is not None]


async def _events(response: httpx.Response) -> AsyncIterator[Mapping[str, Any]]:
    """The JSON objects of a server-sent event stream."""
    async for line in response.aiter_lines():
        data = line.removeprefix("data:").strip() if line.startswith("data:") else ""
        if data == "[DONE]":
            return
        if data:
            try:
                event = json.loads(data)
            except ValueError as error:
                raise EngineError("The model server sent something that is not JSON.") from error
            if isinstance(event, dict):
                yield event


def _error_code(response: httpx.Response) -> str:
    try:
        error = response.json().get("error") or {}
        code = str(error.get("code") or error.get("type") or "")
    except (ValueError, AttributeError):
        code = ""
    return code if _CODE.fullmatch(code) else f"status {response.status_code}"
