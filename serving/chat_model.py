"""The LangChain chat model over an `Engine`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing
from operator import itemgetter
from typing import Any

from langchain_core.callbacks import (
    AsyncCallbackManagerForLLMRun,
    CallbackManagerForLLMRun,
)
from langchain_core.language_models import LangSmithParams, LanguageModelInput
from langchain_core.language_models.chat_models import (
    BaseChatModel,
    agenerate_from_stream,
    generate_from_stream,
)
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    HumanMessage,
    SystemMessage,
)
from langchain_core.messages.ai import UsageMetadata
from langchain_core.output_parsers import JsonOutputParser, PydanticOutputParser
from langchain_core.output_parsers.base import OutputParserLike
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable, RunnableMap, RunnablePassthrough
from langchain_core.utils.function_calling import convert_to_json_schema
from langchain_core.utils.pydantic import is_basemodel_subclass
from pydantic import BaseModel, ConfigDict, Field

from serving.blocking import iterate
from serving.engine import (
    Chunk,
    Engine,
    Message,
    Role,
    Sampling,
    UnsupportedOption,
    without_thoughts,
)

_SAMPLING_FIELDS = (
    "max_tokens",
    "temperature",
    "top_p",
    "top_k",
    "repetition_penalty",
    "presence_penalty",
    "frequency_penalty",
    "seed",
    "logprobs",
    "prompt_lookup",
    "reasoning_budget",
)
_METHODS = ("json_schema", "function_calling", "json_mode")
_ROLES: dict[type[BaseMessage], Role] = {
    SystemMessage: "system",
    HumanMessage: "user",
    AIMessage: "assistant",
}


class EngineChatModel(BaseChatModel):
    """Chat through an engine; sampling fields may also be given with a call.

    ``chat_template_kwargs``: None asks a model that can do without it not to think first, as the
    length of an answer is chosen for the answer alone.  Thoughts are in a message's
    ``additional_kwargs["reasoning_content"]``, never in its content.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    engine: Engine = Field(exclude=True)
    max_tokens: int | None = None
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    repetition_penalty: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    seed: int | None = None
    stop: list[str] | None = None
    logprobs: bool = False
    prompt_lookup: bool = False
    reasoning_budget: int | None = None
    chat_template_kwargs: dict[str, Any] | None = None

    @property
    def _llm_type(self) -> str:
        return "bedside"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        fields = {name: getattr(self, name) for name in _SAMPLING_FIELDS}
        return {
            "model_name": self.engine.card.name,
            "stop": self.stop,
            "chat_template_kwargs": self.chat_template_kwargs,
            **fields,
        }

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        params["ls_provider"] = "bedside"
        params["ls_model_name"] = str(kwargs.get("model") or self.engine.card.name)
        return params

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return generate_from_stream(self._stream(messages, stop, run_manager, **kwargs))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return await agenerate_from_stream(self._astream(messages, stop, run_manager, **kwargs))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        prompt, sampling, schema = self._request(messages, stop, kwargs)
        for chunk in iterate(self.engine.generate(prompt, sampling, schema)):
            piece = self._piece(chunk)
            if run_manager is not None:
                run_manager.on_llm_new_token(chunk.text, chunk=piece)
            yield piece

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        prompt, sampling, schema = self._request(messages, stop, kwargs)
        async with aclosing(self.engine.generate(prompt, sampling, schema)) as stream:
            async for chunk in stream:
                piece = self._piece(chunk)
                if run_manager is not None:
                    await run_manager.on_llm_new_token(chunk.text, chunk=piece)
                yield piece

    def with_structured_output(
        self,
        schema: dict[str, Any] | type,
        *,
        include_raw: bool = False,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, dict[str, Any] | BaseModel]:
        """Answers that the decoder holds to ``schema`` (JSON Schema, Pydantic or TypedDict).

        The decoder is constrained in the same way whatever the ``method``.
        ``include_raw`` returns ``{"raw", "parsed", "parsing_error"}`` instead of raising.

        Raises:
            ValueError: ``method`` is unknown, or another option is given.
        """
        method = kwargs.pop("method", "json_schema")
        kwargs.pop("strict", None)
        if method not in _METHODS or kwargs:
            raise ValueError(f"Structured output takes a method of {_METHODS} and no other option.")
        form = convert_to_json_schema(schema)
        llm = self.bind(
            schema=form,
            ls_structured_output_format={"kwargs": {"method": method}, "schema": form},
        )
        parser: OutputParserLike[Any] = JsonOutputParser()
        if isinstance(schema, type) and is_basemodel_subclass(schema):
            parser = PydanticOutputParser(pydantic_object=schema)
        if not include_raw:
            return llm | parser
        parsed = RunnablePassthrough.assign(
            parsed=itemgetter("raw") | parser, parsing_error=lambda _: None
        )
        failed = RunnablePassthrough.assign(parsed=lambda _: None)
        return RunnableMap(raw=llm) | parsed.with_fallbacks([failed], exception_key="parsing_error")

    def _request(
        self, messages: Sequence[BaseMessage], stop: list[str] | None, kwargs: Mapping[str, Any]
    ) -> tuple[list[Message], Sampling, Mapping[str, Any] | None]:
        if kwargs.get("tools") or kwargs.get("functions"):
            raise UnsupportedOption("This model does not call tools.")
        fields = {name: kwargs.get(name, getattr(self, name)) for name in _SAMPLING_FIELDS}
        options = kwargs.get("chat_template_kwargs", self.chat_template_kwargs)
        if options is None:
            options = without_thoughts(self.engine.card)
        chosen = stop if stop is not None else self.stop
        return (
            [_message(message) for message in messages],
            Sampling(**fields, stop=tuple(chosen or ()), chat_template_kwargs=options),
            kwargs.get("schema"),
        )

    def _piece(self, chunk: Chunk) -> ChatGenerationChunk:
        last = chunk.finish_reason is not None
        metadata: dict[str, Any] = {}
        if chunk.logprobs:
            entries = [{"token": entry.token, "logprob": entry.logprob} for entry in chunk.logprobs]
            metadata["logprobs"] = {"content": entries}
        if last:
            metadata["finish_reason"] = chunk.finish_reason
            metadata["model_name"] = self.engine.card.name
        message = AIMessageChunk(
            content=chunk.text,
            additional_kwargs={"reasoning_content": chunk.reasoning} if chunk.reasoning else {},
            response_metadata=metadata,
            usage_metadata=_usage(chunk),
            chunk_position="last" if last else None,
        )
        info = {key: metadata[key] for key in ("finish_reason", "logprobs") if key in metadata}
        return ChatGenerationChunk(message=message, generation_info=info or None)


def _usage(chunk: Chunk) -> UsageMetadata | None:
    if chunk.usage is None:
        return None
    return UsageMetadata(
        input_tokens=chunk.usage.prompt_tokens,
        output_tokens=chunk.usage.new_tokens,
        total_tokens=chunk.usage.prompt_tokens + chunk.usage.new_tokens,
        input_token_details={"cache_read": chunk.usage.cached_tokens},
    )


def _message(message: BaseMessage) -> Message:
    for kind, role in _ROLES.items():
        if isinstance(message, kind):
            return Message(role, _text(message))
    if isinstance(message, ChatMessage):
        for role in _ROLES.values():
            if message.role == role:
                return Message(role, _text(message))
    raise UnsupportedOption(f"Messages of type {message.type!r} are not supported.")


def _text(message: BaseMessage) -> str:
    if isinstance(message.content, str):
        return message.content
    for block in message.content:
        if not isinstance(block, str) and block.get("type") != "text":
            raise UnsupportedOption(f"Content of type {block.get('type')!r} is not supported.")
    return str(message.text)
