"""Prompts → token ids, by a model's own OpenVINO tokenizer and chat template."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from serving import tokenizer as tokenizers
from serving.engine import Message, Prompt, PromptTooLong, UnsupportedOption

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
    ) -> None:
        """``tokenizer``: GenAI's; ``control_tokens``: text that no message may smuggle in;
        ``closes_prompt``: plain text as a prompt, too, ends in the special tokens with which the
        tokenizer ends a text, as the model tells by them where the answer begins."""
        self._tokenizer = tokenizer
        self._closing: list[int] = _special_tokens(tokenizer) if closes_prompt else []
        self._control = _control_pattern(control_tokens)
        self._tokens_per_encode = self._longest_encoding(context_length)

    def encode(self, prompt: Prompt) -> Any:
        """The ids, a tensor of shape (1, tokens); messages pass through the chat template.

        Raises:
            PromptTooLong: the tokenizer would cut it.
            UnsupportedOption: it is empty, or the chat template refuses it.
        """
        ids = self.encode_text(prompt if isinstance(prompt, str) else self.render(prompt))
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
        text: str = self._tokenizer.decode(ids)
        return text

    def render(self, prompt: Sequence[Message]) -> str:
        """Messages through the model's chat template.

        A control token in a message (``<|im_end|>``) would end the message early, so it is broken
        up with a space: no text of a record can pose as another role.

        Raises:
            UnsupportedOption: the chat template refuses these messages.
        """
        turns = [
            {
                "role": message.role,
                "content": self._control.sub(_defuse, tokenizers.well_formed(message.content)),
            }
            for message in prompt
        ]
        try:
            text: str = self._tokenizer.apply_chat_template(turns, add_generation_prompt=True)
        except RuntimeError as error:
            raise UnsupportedOption("The model's chat template refuses these messages.") from error
        return text

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
