"""The requests of the OpenAI-compatible API, and its errors."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Literal

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue
from pydantic_core import PydanticCustomError
from starlette.exceptions import HTTPException

from serving.encoder.text_encoder import EncoderUnavailable
from serving.engine import (
    EngineBusy,
    EngineError,
    EngineUnavailable,
    Message,
    PromptTooLong,
    Role,
    Sampling,
    UnsupportedOption,
)
from serving.tokenizer import well_formed

_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}
_TYPES = frozenset({"str", "int", "float", "bool"})
_MOST_TOKENS = 1_000_000


Text = Annotated[str, Field(max_length=2_000_000), AfterValidator(well_formed)]


def _no_limit(value: Any) -> Any:
    return None if type(value) is int and value == -1 else value


def _no_token_ids(value: Any) -> Any:
    first = value[0] if isinstance(value, list) and value else None
    if isinstance(first, int) or (
        isinstance(first, list) and all(isinstance(item, int) for item in first)
    ):
        raise PydanticCustomError(
            "token_ids",
            "token ids are not taken, only text (LangChain's OpenAIEmbeddings sends text with "
            "check_embedding_ctx_length=False)",
        )
    return value


TokenLimit = Annotated[
    Annotated[int, Field(ge=1, le=_MOST_TOKENS)] | None, BeforeValidator(_no_limit)
]


class ApiError(Exception):
    """An error in OpenAI's shape."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"message": message, "type": kind, "param": param, "code": code}}
        self.headers = headers

    @classmethod
    def of(cls, error: Exception) -> ApiError:
        """What an engine's error is for a client."""
        text = str(error)
        match error:
            case ApiError():
                return error
            case EngineBusy():
                after = {"Retry-After": str(error.retry_after)}
                return cls(503, text, kind="server_error", code="queue_full", headers=after)
            case PromptTooLong():
                return cls(400, text, code="context_length_exceeded", param="messages")
            case UnsupportedOption():
                # What is wrong with a field is said behind its name.
                field = text.partition(":")[0]
                param = field if field.isidentifier() else None
                return cls(400, text, code="unsupported", param=param)
            case EngineUnavailable() | EncoderUnavailable():
                return cls(503, text, kind="server_error", code="unavailable")
        return cls(502, text, kind="server_error", code="engine_failed")


class OpenAIRoute(APIRoute):
    """Answers every expected failure in OpenAI's error shape; never repeats the input."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's handler."""
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError as error:
                failure = _invalid(error)
            except HTTPException as error:
                failure = ApiError(error.status_code, str(error.detail))
            except (ApiError, EngineError, EncoderUnavailable) as error:
                failure = ApiError.of(error)
            return JSONResponse(failure.body, failure.status, headers=failure.headers)

        return guarded


def _invalid(error: RequestValidationError) -> ApiError:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"][1:] if _is_of_the_body(part))
    text = f"{place}: {first['msg']}" if place else str(first["msg"])
    return ApiError(400, text, code="invalid", param=place or None)


def _is_of_the_body(part: int | str) -> bool:
    """Whether a part of an error's place is a field or an index, not a type that was tried."""
    return isinstance(part, int) or (part.isidentifier() and part not in _TYPES)


class _Body(BaseModel):
    """Fields that this server does not know are ignored, as OpenAI's clients send many."""

    model_config = ConfigDict(extra="ignore")


class TextPart(_Body):
    """A part of a message's content; only text is understood."""

    type: str
    text: Text = ""


class FunctionCall(_Body):
    """What an assistant's turn called; ``arguments``: JSON as text."""

    name: Annotated[Text, Field(max_length=200)]
    arguments: Text = "{}"


class ToolCall(_Body):
    """One call of a tool in an assistant's turn."""

    id: Annotated[Text, Field(max_length=200)] = ""
    type: Literal["function"] = "function"
    function: FunctionCall


class ChatMessage(_Body):
    """A turn of a chat, calls of tools and their results among them."""

    role: str
    content: Text | list[TextPart] | None = None
    tool_calls: Annotated[list[ToolCall], Field(max_length=128)] | None = None
    tool_call_id: Annotated[Text, Field(max_length=200)] | None = None

    def to_message(self) -> Message:
        """The engine's form of it."""
        role = _ROLES.get(self.role)
        if role is None:
            raise ApiError(400, f"Role {self.role[:40]!r} is not supported.", param="messages")
        content = self.content or ""
        if isinstance(content, list):
            if any(part.type != "text" for part in content):
                raise ApiError(400, "Only text content is supported.", param="messages")
            content = "".join(part.text for part in content)
        calls = self.tool_calls or []
        if calls and role != "assistant":
            raise ApiError(400, "Only an assistant's turn has `tool_calls`.", param="messages")
        return Message(
            role, content, tuple(call.model_dump() for call in calls), self.tool_call_id or ""
        )


class JsonSchema(_Body):
    """OpenAI's wrapper around a JSON Schema."""

    name: str = ""
    schema_: dict[str, Any] = Field(alias="schema")


class Function(_Body):
    """A function that the model may call; ``parameters``: a JSON Schema of an object."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
    description: Annotated[Text, Field(max_length=20_000)] | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class Tool(_Body):
    """A tool; only functions are known."""

    type: Literal["function"] = "function"
    function: Function

    def as_data(self) -> dict[str, Any]:
        """As engines take it."""
        function = {
            "name": self.function.name,
            "description": self.function.description or "",
            "parameters": self.function.parameters or {"type": "object", "properties": {}},
        }
        return {"type": "function", "function": function}


class FunctionName(_Body):
    """The function that is to be called."""

    name: Annotated[str, Field(max_length=64)]


class NamedTool(_Body):
    """``tool_choice`` as a function."""

    type: Literal["function"] = "function"
    function: FunctionName


class ResponseFormat(_Body):
    """What form the answer must have."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None

    def to_schema(self) -> dict[str, Any] | None:
        """The JSON Schema to constrain to, if any."""
        if self.type == "json_schema":
            if self.json_schema is None:
                raise ApiError(400, "json_schema is missing.", param="response_format")
            return self.json_schema.schema_
        return {"type": "object"} if self.type == "json_object" else None


class StreamOptions(_Body):
    """Extras of a stream."""

    include_usage: bool | None = None


class _Generation(_Body):
    """What both kinds of completion share.

    ``top_k`` and what follows it are no part of OpenAI's API; vLLM's clients send the same names.
    A limit of -1 tokens, as some clients send it, is none.
    """

    model: str
    max_tokens: TokenLimit = None
    max_completion_tokens: TokenLimit = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    stop: str | Annotated[list[str], Field(max_length=16)] | None = None
    n: Annotated[int, Field(ge=1, le=1)] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    top_k: Annotated[int, Field(ge=-1, le=1_000_000)] | None = None
    repetition_penalty: Annotated[float, Field(gt=0, le=10)] | None = None
    prompt_lookup: bool | None = None
    chat_template_kwargs: dict[str, JsonValue] | None = None
    enable_thinking: bool | None = None
    reasoning_budget: Annotated[int, Field(ge=0, le=_MOST_TOKENS)] | None = None

    @property
    def include_usage(self) -> bool:
        """Whether a stream ends with the usage."""
        return self.stream_options is not None and bool(self.stream_options.include_usage)

    @property
    def template_options(self) -> dict[str, Any]:
        """What the chat template is asked for."""
        options: dict[str, Any] = dict(self.chat_template_kwargs or {})
        if self.enable_thinking is not None:
            options.setdefault("enable_thinking", self.enable_thinking)
        return options

    def to_sampling(self, logprobs: bool) -> Sampling:
        """The engine's form of it; what is not given stays at the engine's default."""
        stop = [self.stop] if isinstance(self.stop, str) else self.stop or []
        given = {
            "max_tokens": self.max_completion_tokens or self.max_tokens,
            "temperature": self.temperature,
            "top_p": self.top_p,
            "presence_penalty": self.presence_penalty,
            "frequency_penalty": self.frequency_penalty,
            "repetition_penalty": self.repetition_penalty,
        }
        chosen: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
        return Sampling(
            **chosen,
            seed=self.seed,
            stop=tuple(text for text in stop if text),
            top_k=max(0, self.top_k or 0),
            logprobs=logprobs,
            prompt_lookup=bool(self.prompt_lookup),
            chat_template_kwargs=self.template_options,
            reasoning_budget=self.reasoning_budget,
        )


class ChatRequest(_Generation):
    """The body of ``/v1/chat/completions``."""

    messages: Annotated[list[ChatMessage], Field(min_length=1, max_length=1000)]
    response_format: ResponseFormat | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    tools: Annotated[list[Tool], Field(max_length=128)] | None = None
    tool_choice: Literal["none", "auto", "required"] | NamedTool | None = None
    parallel_tool_calls: bool | None = None
    functions: Any = None

    def offered(self) -> tuple[tuple[dict[str, Any], ...], bool]:
        """The tools that may be called, and whether one of them must be."""
        tools = tuple(tool.as_data() for tool in self.tools or ())
        if self.tool_choice == "none":
            return (), False
        if isinstance(self.tool_choice, NamedTool):
            name = self.tool_choice.function.name
            return tuple(t for t in tools if t["function"]["name"] == name), True
        return tools, self.tool_choice == "required"

    def check(self) -> None:
        """Refuse what would silently be left out."""
        if self.functions:
            raise ApiError(
                400,
                "`functions` is the older form; send `tools`.",
                code="unsupported",
                param="functions",
            )
        if self.tool_choice not in (None, "none", "auto") and not self.offered()[0]:
            raise ApiError(
                400, "`tool_choice` names a tool that is not among `tools`.", param="tool_choice"
            )
        if self.offered()[0] and self.response_format and self.response_format.type != "text":
            raise ApiError(
                400,
                "`tools` and a `response_format` exclude one another here.",
                code="unsupported",
                param="response_format",
            )
        if self.top_logprobs:
            raise ApiError(
                400,
                "Only the chosen token's logprob is known; leave out `top_logprobs`.",
                code="unsupported",
                param="top_logprobs",
            )


class CompletionRequest(_Generation):
    """The body of ``/v1/completions``."""

    prompt: Annotated[
        Text | Annotated[list[Text], Field(min_length=1, max_length=1)],
        BeforeValidator(_no_token_ids),
    ]
    logprobs: Annotated[int, Field(ge=0, le=5)] | None = None
    echo: bool | None = None
    suffix: str | None = None

    def check(self) -> None:
        """Refuse what would silently be left out."""
        if self.echo or self.suffix:
            raise ApiError(400, "`echo` and `suffix` are not supported.", code="unsupported")


class EmbeddingRequest(_Body):
    """The body of ``/v1/embeddings``; ``input_type`` is Bedside's own."""

    model: str
    input: Annotated[
        Text | Annotated[list[Text], Field(min_length=1, max_length=2048)],
        BeforeValidator(_no_token_ids),
    ]
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: int | None = None
    input_type: Literal["query", "passage"] | None = None
