"""The OpenAI-compatible API over engines: chat, completions, embeddings, models."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from serving.encoder.text_encoder import Encoder
from serving.engine import Chunk, Engine, Prompt, Sampling, complete
from serving.openai.schema import (
    ApiError,
    ChatRequest,
    CompletionRequest,
    EmbeddingRequest,
    OpenAIRoute,
)
from serving.openai.stream import Envelope, EventStream, events

Result = TypeVar("Result")
Engines = Mapping[str, Engine] | Callable[[], Mapping[str, Engine]]
# What web servers log for a client that closed its connection.
_CLIENT_GONE = 499
_ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"description": "The request is invalid, or asks for what the model cannot do."},
    404: {"description": "There is no such model."},
    502: {"description": "The model failed."},
    503: {"description": "The queue is full (see Retry-After), or no model is loaded."},
}


def router(engines: Engines, encoder: Callable[[], Encoder] | None = None) -> APIRouter:
    """Routes under ``/v1``.

    ``engines`` maps model names to engines and, as a function, is asked for each request.
    ``encoder`` serves ``/v1/embeddings``; it is called when it is first needed.
    """
    routes = APIRouter(prefix="/v1", tags=["openai"], route_class=OpenAIRoute, responses=_ERRORS)
    started = int(time.time())

    def known() -> Mapping[str, Engine]:
        return engines() if callable(engines) else engines

    @routes.get("/models")
    async def models() -> dict[str, Any]:
        """The models that serve."""
        data = [_model(name, engine, started) for name, engine in known().items()]
        return {"object": "list", "data": data}

    @routes.get("/models/{name:path}")
    async def model(name: str) -> dict[str, Any]:
        """One model."""
        return _model(name, _find(known(), name), started)

    @routes.post("/chat/completions")
    async def chat(body: ChatRequest, request: Request) -> Response:
        """Answer a chat, as JSON or as a stream of server-sent events."""
        body.check()
        prompt = [message.to_message() for message in body.messages]
        schema = body.response_format.to_schema() if body.response_format else None
        tools, must_call = body.offered()
        sampling = replace(
            body.to_sampling(logprobs=bool(body.logprobs)), tools=tools, must_call=must_call
        )
        engine = _find(known(), body.model)
        if tools and not engine.card.calls_tools:
            raise ApiError(
                400,
                f"Model {body.model!r} calls no tools, as its chat template knows none; "
                "leave out `tools` or ask another model.",
                code="unsupported",
                param="tools",
            )
        single = body.parallel_tool_calls is False
        envelope = Envelope("chat", body.model, one_call=single)
        if body.stream:
            stream = engine.generate(prompt, sampling, schema)
            return await _streamed(request, envelope, stream, body.include_usage)
        return await _whole(request, envelope, engine, prompt, sampling, schema)

    @routes.post("/completions")
    async def completions(body: CompletionRequest, request: Request) -> Response:
        """Continue a text, as JSON or as a stream of server-sent events."""
        body.check()
        prompt = body.prompt if isinstance(body.prompt, str) else body.prompt[0]
        sampling = body.to_sampling(logprobs=body.logprobs is not None)
        engine = _find(known(), body.model)
        envelope = Envelope("text", body.model)
        if body.stream:
            stream = engine.generate(prompt, sampling)
            return await _streamed(request, envelope, stream, body.include_usage)
        return await _whole(request, envelope, engine, prompt, sampling, None)

    @routes.post("/embeddings")
    async def embeddings(body: EmbeddingRequest) -> dict[str, Any]:
        """Vectors of texts."""
        source = await asyncio.to_thread(encoder) if encoder is not None else None
        if source is None or body.model != source.name:
            raise _no_model(body.model)
        if body.dimensions not in (None, source.dim):
            raise ApiError(400, f"This model has {source.dim} dimensions.", param="dimensions")
        texts = [body.input] if isinstance(body.input, str) else body.input
        encode = source.queries if body.input_type == "query" else source.passages
        vectors = await asyncio.to_thread(encode, texts)
        data = [
            {"object": "embedding", "index": index, "embedding": _encoded(row, body)}
            for index, row in enumerate(vectors)
        ]
        # The encoders do not tell how many tokens they read.
        cost = {"prompt_tokens": 0, "total_tokens": 0}
        return {"object": "list", "model": body.model, "data": data, "usage": cost}

    return routes


async def _streamed(
    request: Request, envelope: Envelope, stream: AsyncGenerator[Chunk], include_usage: bool
) -> Response:
    """A stream that starts with its first chunk, so that a refusal still has its status."""
    try:
        first = await _unless_gone(request, anext(stream))
    except BaseException:
        await stream.aclose()
        raise
    if first is None:
        await stream.aclose()
        return Response(status_code=_CLIENT_GONE)
    return EventStream(events(envelope, first, stream, include_usage))


async def _whole(
    request: Request,
    envelope: Envelope,
    engine: Engine,
    prompt: Prompt,
    sampling: Sampling,
    schema: Mapping[str, Any] | None,
) -> Response:
    """The whole answer; a client that goes away cancels it."""
    answer = await _unless_gone(request, complete(engine, prompt, sampling, schema))
    if answer is None:
        return Response(status_code=_CLIENT_GONE)
    return JSONResponse(envelope.whole(answer))


async def _unless_gone(request: Request, work: Awaitable[Result]) -> Result | None:
    """The result of ``work``; None, and ``work`` cancelled, when the client goes away first."""
    result = asyncio.ensure_future(work)
    gone = asyncio.create_task(_disconnected(request))
    try:
        await asyncio.wait({result, gone}, return_when=asyncio.FIRST_COMPLETED)
        return result.result() if result.done() else None
    finally:
        for task in (result, gone):
            task.cancel()
        await asyncio.gather(result, gone, return_exceptions=True)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _find(engines: Mapping[str, Engine], name: str) -> Engine:
    engine = engines.get(name)
    if engine is None:
        raise _no_model(name)
    return engine


def _no_model(name: str) -> ApiError:
    text = f"There is no model {name[:100]!r}; GET /v1/models lists those that serve."
    return ApiError(404, text, code="model_not_found", param="model")


def _model(name: str, engine: Engine, created: int) -> dict[str, Any]:
    card = engine.card
    return {
        "id": name,
        "object": "model",
        "created": created,
        "owned_by": "bedside",
        "context_length": card.context_length,
        "demo_only": card.demo_only,
        "licence": card.licence,
    }


def _encoded(row: Any, body: EmbeddingRequest) -> Any:
    if body.encoding_format == "base64":
        return base64.b64encode(row.astype(np.float32).tobytes()).decode("ascii")
    return [float(value) for value in row]
