"""Engine chunks → the JSON objects and event streams of the OpenAI-compatible API."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any, Literal

import anyio
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from serving.engine import Chunk, Completion, EngineError, TokenLogprob, ToolCall, Usage
from serving.openai.schema import ApiError

Kind = Literal["chat", "text"]
_OBJECTS = {
    ("chat", False): "chat.completion",
    ("chat", True): "chat.completion.chunk",
    ("text", False): "text_completion",
    ("text", True): "text_completion",
}


class Envelope:
    """What all objects of one answer share."""

    def __init__(self, kind: Kind, model: str, *, one_call: bool = False) -> None:
        """``one_call``: of several calls of tools only the first is told."""
        self.kind = kind
        self._one_call = one_call
        self._calls = 0
        self._model = model
        self._id = f"{'chatcmpl' if kind == 'chat' else 'cmpl'}-{uuid.uuid4().hex}"
        self._created = int(time.time())

    def wrap(self, choices: list[dict[str, Any]], *, streaming: bool) -> dict[str, Any]:
        """An object around ``choices``."""
        return {
            "id": self._id,
            "object": _OBJECTS[self.kind, streaming],
            "created": self._created,
            "model": self._model,
            "choices": choices,
        }

    def whole(self, answer: Completion) -> dict[str, Any]:
        """The answer in one object."""
        thoughts = {"reasoning_content": answer.reasoning} if answer.reasoning else {}
        calls = self._called(answer.tool_calls)
        message: dict[str, Any] = {"role": "assistant", "content": answer.text, "refusal": None}
        if calls:
            message |= {"content": answer.text or None, "tool_calls": calls}
        content = (
            {"message": message | thoughts}
            if self.kind == "chat"
            else {"text": answer.text} | thoughts
        )
        choice = {
            "index": 0,
            **content,
            "logprobs": self._logprobs(answer.logprobs),
            "finish_reason": _reason(answer.finish_reason),
        }
        return self.wrap([choice], streaming=False) | {"usage": usage(answer.usage)}

    def piece(self, chunk: Chunk, first: bool) -> dict[str, Any]:
        """One object of a stream."""
        delta: dict[str, Any] = {"role": "assistant"} if first else {}
        thoughts = {"reasoning_content": chunk.reasoning} if chunk.reasoning else {}
        at = self._calls
        calls = [{"index": at + n} | call for n, call in enumerate(self._called(chunk.tool_calls))]
        if calls:
            delta["tool_calls"] = calls
        nothing = first and not thoughts and not calls
        delta |= {"content": chunk.text} if chunk.text or nothing else {}
        choice = {
            "index": 0,
            **(
                {"delta": delta | thoughts}
                if self.kind == "chat"
                else {"text": chunk.text} | thoughts
            ),
            "logprobs": self._logprobs(chunk.logprobs),
            "finish_reason": _reason(chunk.finish_reason),
        }
        return self.wrap([choice], streaming=True)

    def _called(self, calls: Sequence[ToolCall]) -> list[dict[str, Any]]:
        """The calls as the API has them, as many as are told."""
        shown = calls[: max(0, 1 - self._calls)] if self._one_call else calls
        self._calls += len(shown)
        return [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in shown
        ]

    def _logprobs(self, entries: Sequence[TokenLogprob]) -> dict[str, Any] | None:
        if not entries:
            return None
        if self.kind == "chat":
            content = [
                {
                    "token": entry.token,
                    "logprob": entry.logprob,
                    "bytes": list(entry.token.encode("utf-8")),
                    "top_logprobs": [],
                }
                for entry in entries
            ]
            return {"content": content, "refusal": None}
        return {
            "tokens": [entry.token for entry in entries],
            "token_logprobs": [entry.logprob for entry in entries],
            "top_logprobs": None,
            "text_offset": [],
        }


def usage(cost: Usage) -> dict[str, Any]:
    """OpenAI's usage object; ``timings`` is Bedside's own (seconds)."""
    return {
        "prompt_tokens": cost.prompt_tokens,
        "completion_tokens": cost.new_tokens,
        "total_tokens": cost.prompt_tokens + cost.new_tokens,
        "prompt_tokens_details": {"cached_tokens": cost.cached_tokens},
        "timings": {
            "queued": round(cost.seconds_queued, 4),
            "first_token": round(cost.seconds_to_first_token, 4),
            "per_token": round(cost.seconds_per_token, 5),
        },
    }


async def events(
    envelope: Envelope, first: Chunk, rest: AsyncGenerator[Chunk], include_usage: bool
) -> AsyncGenerator[str]:
    """The server-sent events of one answer, the terminator included."""
    try:
        yield _event(envelope.piece(first, first=True))
        last = first
        if first.finish_reason is None:
            async for chunk in rest:
                yield _event(envelope.piece(chunk, first=False))
                last = chunk
        if include_usage and last.usage is not None:
            yield _event(envelope.wrap([], streaming=True) | {"usage": usage(last.usage)})
    except EngineError as error:
        yield _event(ApiError.of(error).body)
    finally:
        await rest.aclose()
    yield "data: [DONE]\n\n"


class EventStream(StreamingResponse):
    """Server-sent events that end, and free their source, as soon as the client goes away."""

    def __init__(self, source: AsyncGenerator[str]) -> None:
        """``source`` is closed in every case."""
        self._source = source
        super().__init__(
            _as_iterator(source),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the source or the client ends."""

        async def watch() -> None:
            await self.listen_for_disconnect(receive)
            group.cancel_scope.cancel()

        try:
            async with anyio.create_task_group() as group:
                group.start_soon(watch)
                await self.stream_response(send)
                group.cancel_scope.cancel()
        finally:
            await self._source.aclose()


async def _as_iterator(source: AsyncGenerator[str]) -> AsyncIterator[str]:
    async for text in source:
        yield text


def _event(value: dict[str, Any]) -> str:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n"


def _reason(reason: str | None) -> str | None:
    """OpenAI knows no "cancelled": an answer that the server cut short has this length."""
    return "length" if reason == "cancelled" else reason
