"""What an OpenAI-compatible server sends for one answer, read into chunks."""

from __future__ import annotations

import json
import re
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any
from uuid import uuid4

import httpx

from serving.engine import Chunk, EngineError, FinishReason, TokenLogprob, ToolCall, Usage

_WORD = re.compile(r"[\w.-]{1,60}")
_REASONS: dict[str, FinishReason | None] = {
    "null": None,
    "stop": "stop",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "eos": "stop",
    "eos_token": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "content_filter": "content_filter",
    "safety": "content_filter",
    "sensitive": "content_filter",
}
"""What servers call the end of an answer; with any other word the answer is not a whole one."""


class Progress:
    """Turns server events into chunks and counts what they cost."""

    def __init__(self, prompt_tokens: int) -> None:
        self.prompt_tokens = prompt_tokens
        self._begin = time.perf_counter()
        self._first = self._latest = 0.0
        self._new = 0
        self._cached = 0
        self._reason: FinishReason | None = None
        self._refused = False
        self._calls: dict[int, dict[str, str]] = {}

    def take(self, event: Mapping[str, Any]) -> Chunk | None:
        """The text of one event, if it has any."""
        if event.get("error"):
            raise EngineError("The model server broke off its answer; send the request again.")
        self._count(event.get("usage") or {})
        choices = event.get("choices") or []
        if not choices:
            return None
        choice = choices[0]
        delta = choice.get("delta") or {}
        self._end(choice.get("finish_reason"), delta)
        self._gather(delta.get("tool_calls"))
        text, reasoning = _parts(delta, choice.get("text"))
        if not text and not reasoning:
            return None
        self._latest = time.perf_counter()
        self._first = self._first or self._latest
        self._new += 1
        logprobs = tuple(_logprobs(choice.get("logprobs") or {})) if text else ()
        return Chunk(text, logprobs=logprobs, reasoning=reasoning)

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
        calls = tuple(
            ToolCall(one["id"] or f"call_{uuid4().hex[:24]}", one["name"], one["arguments"] or "{}")
            for _, one in sorted(self._calls.items())
            if one["name"]
        )
        if self._reason == "tool_calls" and not calls:
            raise EngineError(
                "The model server ended its answer before it was whole (tool_calls); "
                "send the request again."
            )
        reason: FinishReason = "tool_calls" if calls and self._reason == "stop" else self._reason
        return Chunk("", finish_reason=reason, usage=usage, tool_calls=calls)

    def _gather(self, pieces: Any) -> None:
        """Pieces of calls: name and id come once, the arguments in parts."""
        for at, piece in enumerate(pieces if isinstance(pieces, list) else ()):
            if not isinstance(piece, dict):
                continue
            index = piece.get("index")
            place = index if isinstance(index, int) else at
            known = self._calls.setdefault(place, {"id": "", "name": "", "arguments": ""})
            function = piece.get("function") or {}
            known["id"] = known["id"] or str(piece.get("id") or "")
            known["name"] = known["name"] or str(function.get("name") or "")
            arguments = function.get("arguments")
            if isinstance(arguments, dict):
                arguments = json.dumps(arguments, ensure_ascii=False)
            known["arguments"] += arguments or ""

    def _end(self, reason: Any, delta: Mapping[str, Any]) -> None:
        """Note why the answer ended, where this event says so."""
        if delta.get("refusal"):
            # The words of a refusal stand in the answer's place, so there is no answer.
            self._refused = True
        if not reason:
            return
        name = str(reason).lower()
        if name not in _REASONS:
            shown = name if _WORD.fullmatch(name) else "unknown"
            raise EngineError(
                f"The model server ended its answer before it was whole ({shown}); "
                "send the request again."
            )
        found = _REASONS[name]
        self._reason = "content_filter" if found and self._refused else found or self._reason

    def _count(self, usage: Mapping[str, Any]) -> None:
        self.prompt_tokens = usage.get("prompt_tokens") or self.prompt_tokens
        self._new = usage.get("completion_tokens") or self._new
        details = usage.get("prompt_tokens_details") or {}
        self._cached = details.get("cached_tokens") or self._cached


def _parts(delta: Mapping[str, Any], plain: Any) -> tuple[str, str]:
    """The text and the thoughts of one event, by any of the names that servers have for them."""
    content = delta.get("content") or plain or ""
    thought = delta.get("reasoning_content") or delta.get("reasoning") or ""
    if isinstance(content, list):
        # Typed parts, as Mistral's servers send them.
        parts = [part for part in content if isinstance(part, dict)]
        thought = "".join(_text(part.get("thinking")) for part in parts)
        content = "".join(_text(part.get("text")) for part in parts)
    return _text(content), _text(thought)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "".join(_text(part.get("text")) for part in value if isinstance(part, dict))
    return value if isinstance(value, str) else ""


def _logprobs(value: Mapping[str, Any]) -> list[TokenLogprob]:
    if isinstance(value.get("content"), list):
        return [TokenLogprob(str(e["token"]), float(e["logprob"])) for e in value["content"]]
    pairs = zip(value.get("tokens") or [], value.get("token_logprobs") or [], strict=False)
    return [TokenLogprob(str(token), float(p)) for token, p in pairs if p is not None]


async def events(response: httpx.Response) -> AsyncIterator[Mapping[str, Any]]:
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
