"""Prompts → token ids, by a model's own OpenVINO tokenizer and chat template."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from serving import tokenizer as tokenizers
from serving import tool_calls
from serving.chat_options import THINKING, ChatOptions
from serving.engine import (
    Chunk,
    EngineUnavailable,
    Message,
    Prompt,
    PromptTooLong,
    Sampling,
    UnsupportedOption,
)
from serving.reasoning import TAGS, Habit, Separator, has_tags, opened_by, separated
from serving.tool_calls import forced_call, with_calls

_COMMON_CONTROL = re.compile(r"<\|[^|<>]{1,40}\|>")
_LONGEST_TRIED = 200_000


class PromptEncoder:
    """May be used from any thread."""

    def __init__(
        self,
        tokenizer: Any,
        context_length: int,
        control_tokens: Sequence[str],
        *,
        closes_prompt: bool = False,
        defaults: Mapping[str, Any] | None = None,
    ) -> None:
        """``tokenizer``: GenAI's; ``control_tokens``: text that no message may smuggle in;
        ``closes_prompt``: plain text as a prompt, too, ends in the special tokens with which the
        tokenizer ends a text, as the model tells by them where the answer begins; ``defaults``: the
        chat template's options where a request says nothing of them.

        Raises:
            EngineUnavailable: the chat template has no such option.
        """
        self._tokenizer = tokenizer
        self._closing: list[int] = _special_tokens(tokenizer) if closes_prompt else []
        self._control = _control_pattern(control_tokens)
        template = str(tokenizer.chat_template)
        self._options = ChatOptions(template)
        self._hidden_tags = _hidden_tags(tokenizer)
        self._defaults = dict(defaults or {})
        try:
            self._options.check(self._defaults)
        except UnsupportedOption as error:
            raise EngineUnavailable(str(error)) from error
        self._habit = Habit("likely" if has_tags(template) else "answer")
        self._tokens_per_encode = self._longest_encoding(context_length)

    @property
    def thinks_on_request(self) -> bool:
        """See `serving.engine.ModelCard`."""
        return self._options.can_think and THINKING not in self._defaults

    @property
    def calls_tools(self) -> bool:
        """See `serving.engine.ModelCard`."""
        return self._options.takes_tools and self._options.knows_tool_results

    def separated(
        self,
        chunks: AsyncGenerator[Chunk],
        prompt: Prompt,
        text: str,
        sampling: Sampling,
        schema: Mapping[str, Any] | None,
    ) -> AsyncGenerator[Chunk]:
        """The answer to ``prompt``, which the model read as ``text``, apart from its thoughts and
        its calls of tools."""
        if sampling.must_call and sampling.tools:
            return forced_call(chunks, sampling.tools)
        plain = self._without_thoughts(chunks, prompt, text, sampling, schema)
        if not sampling.tools or schema is not None:
            return plain
        return with_calls(plain, sampling.tools, bare=self._options.bare_calls)

    def _without_thoughts(
        self,
        chunks: AsyncGenerator[Chunk],
        prompt: Prompt,
        text: str,
        sampling: Sampling,
        schema: Mapping[str, Any] | None,
    ) -> AsyncGenerator[Chunk]:
        if schema is not None:
            # The decoder holds the answer to its form from the first token.
            return separated(chunks, Separator("constrained"))
        if isinstance(prompt, str):
            return separated(chunks, Separator(opened_by(text) or "answer"))
        return self._habit.separated(chunks, sampling.chat_template_kwargs, text)

    def read(
        self,
        prompt: Prompt,
        options: Mapping[str, Any],
        tools: Sequence[Mapping[str, Any]] = (),
    ) -> str:
        """What the model reads: a text as it is, messages through the chat template.

        Raises:
            UnsupportedOption: the chat template refuses them, or has no such option.
        """
        if not isinstance(prompt, str):
            return self.render(prompt, options, tools)
        if tools:
            raise UnsupportedOption("tools: plain text passes no chat template.")
        if options:
            raise UnsupportedOption("chat_template_kwargs: plain text passes no chat template.")
        return prompt

    def encode(self, prompt: Prompt) -> Any:
        """The ids, a tensor of shape (1, tokens); messages pass through the chat template.

        Raises:
            PromptTooLong: the tokenizer would cut it.
            UnsupportedOption: it is empty, or the chat template refuses it.
        """
        ids = self.encode_text(self.read(prompt, {}))
        if int(ids.get_shape()[1]) == 0:
            raise UnsupportedOption("The prompt is empty.")
        return self._closed(ids)

    def encode_text(self, text: str) -> Any:
        """The ids of plain text, a tensor of shape (1, tokens).  Raises PromptTooLong."""
        ids = tokenizers.encode(self._tokenizer, text)
        count = int(ids.get_shape()[1])
        if count >= self._tokens_per_encode:
            raise PromptTooLong(count, self._tokens_per_encode - 1)
        return ids

    def decode(self, ids: list[int]) -> str:
        """The text of ids; an unfinished character may be dropped or replaced."""
        if self._hidden_tags.keys().isdisjoint(ids):
            text: str = self._tokenizer.decode(ids)
            return text
        parts: list[str] = []
        begin = 0
        for at, token in enumerate(ids):
            if token in self._hidden_tags:
                parts += [self._tokenizer.decode(ids[begin:at]), self._hidden_tags[token]]
                begin = at + 1
        return "".join([*parts, self._tokenizer.decode(ids[begin:])])

    def render(
        self,
        prompt: Sequence[Message],
        options: Mapping[str, Any] | None = None,
        tools: Sequence[Mapping[str, Any]] = (),
    ) -> str:
        """Messages through the model's chat template with ``options`` and ``tools``.

        A control token in a message (``<|im_end|>``) would end the message early, so it is broken
        up with a space: no text of a record can pose as another role.

        Raises:
            UnsupportedOption: the chat template refuses these messages.
        """
        chosen = self._defaults | dict(options or {})
        self._options.check(chosen)
        if tools and not self.calls_tools:
            raise UnsupportedOption(
                "tools: this model's chat template knows no tools; leave out `tools`."
            )
        tool_calls.check(tools)
        try:
            text: str = self._tokenizer.apply_chat_template(
                [self._turn(message) for message in prompt],
                add_generation_prompt=True,
                tools=self._safe([dict(tool) for tool in tools]) or None,
                extra_context=chosen or None,
            )
        except (RuntimeError, TypeError) as error:
            raise UnsupportedOption("The model's chat template refuses these messages.") from error
        return text

    def _turn(self, message: Message) -> dict[str, Any]:
        """A message as templates take it: the arguments of a call are an object, not its JSON."""
        if message.role == "tool" and not self._options.knows_tool_results:
            raise UnsupportedOption(
                "This model's chat template knows no tools; leave out messages of the role 'tool'."
            )
        turn: dict[str, Any] = {"role": message.role, "content": self._safe(message.content)}
        if message.tool_calls:
            if not self._options.knows_tool_calls:
                raise UnsupportedOption(
                    "This model's chat template knows no tools; leave out `tool_calls`."
                )
            turn["tool_calls"] = self._safe([_parsed(call) for call in message.tool_calls])
        if message.tool_call_id:
            turn["tool_call_id"] = self._safe(message.tool_call_id)
        return turn

    def _safe(self, value: Any) -> Any:
        """``value`` with control tokens broken up in every text of it."""
        if isinstance(value, str):
            return self._control.sub(_defuse, tokenizers.well_formed(value))
        if isinstance(value, Mapping):
            return {self._safe(key): self._safe(item) for key, item in value.items()}
        return [self._safe(item) for item in value] if isinstance(value, list) else value

    def _closed(self, ids: Any) -> Any:
        if set(self._closing) <= set(ids.data[0].tolist()):
            return ids
        import numpy as np
        import openvino

        return openvino.Tensor(np.array([[*ids.data[0], *self._closing]], np.int64))

    def _longest_encoding(self, context_length: int) -> int:
        """Tokens after which this tokenizer cuts its input without a word."""
        context = min(context_length, _LONGEST_TRIED)
        count = int(self._tokenizer.encode("a b " * context).input_ids.get_shape()[1])
        return count if count <= context else 2**31


def _parsed(call: Mapping[str, Any]) -> dict[str, Any]:
    function = dict(call.get("function") or {})
    with suppress(ValueError, TypeError):
        function["arguments"] = json.loads(function.get("arguments") or "{}")
    return {**call, "function": function}


def _hidden_tags(tokenizer: Any) -> dict[int, str]:
    """Tags that are special tokens, which decoding leaves out of the text."""
    found: dict[int, str] = {}
    for tag in (*TAGS, tool_calls.OPENING, tool_calls.CLOSING):
        ids = tokenizers.encode(tokenizer, tag).data[0].tolist()
        if len(ids) == 1 and not tokenizer.decode(ids).strip():
            found[int(ids[0])] = tag
    return found


def _special_tokens(tokenizer: Any) -> list[int]:
    """What the tokenizer puts around a text."""
    ids: list[int] = tokenizer.encode("", add_special_tokens=True).input_ids.data[0].tolist()
    return ids


def _control_pattern(tokens: Sequence[str]) -> re.Pattern[str]:
    if not tokens:
        return _COMMON_CONTROL
    return re.compile("|".join(map(re.escape, sorted(tokens, key=len, reverse=True))))


def _defuse(match: re.Match[str]) -> str:
    token = match.group()
    return f"{token[0]} {token[1:]}"
