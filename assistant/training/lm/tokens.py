"""Rows as token ids, with what of them is learned."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.training.lm.lines import Messages, Row
from assistant.training.lm.settings import Method

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""Of a tokenizer that brings no template of its own."""


@dataclass(frozen=True, slots=True)
class Sequence_:
    """``ids`` [length]; ``learned`` [length] tells which are predicted; ``wanted``: KTO's label."""

    ids: NDArray[np.int64]
    learned: NDArray[np.bool_]
    wanted: bool = True


class Coder:
    """A tokenizer of Transformers with its chat template."""

    def __init__(self, tokenizer: Any, length: int) -> None:
        self._tokenizer = tokenizer
        self._length = length
        if not getattr(tokenizer, "chat_template", None):
            tokenizer.chat_template = CHATML
        end = tokenizer.eos_token_id
        self.pad = int(tokenizer.pad_token_id if tokenizer.pad_token_id is not None else end or 0)
        self._end = None if end is None else int(end)

    def coded(self, row: Row, method: Method) -> tuple[Sequence_, ...]:
        """One sequence, or two for DPO (chosen, rejected); none where nothing of it is learned."""
        if method == "sft":
            made: tuple[Sequence_, ...] = (self._chat(row.messages),)
        elif method == "dpo":
            made = tuple(self._answer(row.messages, text) for text in (row.chosen, row.rejected))
        else:
            made = (self._answer(row.messages, row.completion, row.wanted),)
        return made if all(one.learned.any() for one in made) else ()

    def blocks(self, rows: Iterable[Row]) -> list[Sequence_]:
        """Texts of pre-training one behind the other, cut into full lengths (packing)."""
        stream: list[int] = []
        for row in rows:
            stream += self._ids(row.text)
            stream += [] if self._end is None else [self._end]
        size = min(self._length, max(2, len(stream)))
        cut = [stream[start : start + size] for start in range(0, len(stream), size)]
        return [
            Sequence_(np.array(ids, np.int64), np.arange(len(ids)) > 0)
            for ids in cut
            if len(ids) > 1
        ]

    def _chat(self, messages: Messages) -> Sequence_:
        """Every turn of the assistant is learned, and the token that ends it."""
        ids: list[int] = []
        learned: list[bool] = []
        for number, message in enumerate(messages):
            if message["role"] != "assistant":
                continue
            before = self._templated(messages[:number], open_=True)
            whole = self._templated(messages[: number + 1], open_=False)
            if not whole.startswith(before):
                before = whole[: whole.rfind(message["content"])]
            head, tail = self._ids(before), self._ids(whole[len(before) :])
            # The turns before are as long as they were; a template that rewrites them begins anew.
            if head[: len(ids)] != ids:
                ids, learned = [], []
            learned += [False] * (len(head) - len(ids)) + [True] * len(tail)
            ids = head + tail
        return self._cut(ids, learned)

    def _answer(self, prompt: Messages, text: str, wanted: bool = True) -> Sequence_:
        made = self._chat([*prompt, {"role": "assistant", "content": text}])
        # Of an earlier turn nothing is learned here.
        if made.learned.any():
            places = np.flatnonzero(~made.learned)
            last = int(places[-1]) if len(places) else -1
            made.learned[: last + 1] = False
        return Sequence_(made.ids, made.learned, wanted)

    def _cut(self, ids: list[int], learned: Sequence[bool]) -> Sequence_:
        """The last tokens, where there are more: the answer stands at the end."""
        start = max(0, len(ids) - self._length)
        chosen = np.array(learned[start:], bool)
        if len(chosen):
            # Nothing stands before the first token that could foretell it.
            chosen[0] = False
        return Sequence_(np.array(ids[start:], np.int64), chosen)

    def _templated(self, messages: Messages, *, open_: bool) -> str:
        return str(
            self._tokenizer.apply_chat_template(
                messages, tokenize=False, add_generation_prompt=open_
            )
        )

    def _ids(self, text: str) -> list[int]:
        return [int(i) for i in self._tokenizer(text, add_special_tokens=False)["input_ids"]]
