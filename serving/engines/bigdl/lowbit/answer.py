"""One request: its key-value cache, and its answer token by token."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from typing import Any, Literal

import torch

from .choice import Choice
from .constraint import Grammars
from .service import Token

_CHUNK = 256
"""Tokens of the prompt that are read between two looks at the other requests."""


def watch(model: Any, check: Callable[[], None]) -> None:
    """Call ``check`` before every layer; what it raises ends the pass there."""

    def before(module: Any, given: Any) -> None:
        check()

    for layer in model.model.layers:
        layer.register_forward_pre_hook(before)


def tokens(
    model: Any, grammars: Grammars, request: Mapping[str, Any], end_ids: Set[int]
) -> Iterator[Token | None]:
    """The answer; None after each piece of the prompt but the last.

    ``request``: ``input_ids``, ``sampling`` and ``constraint``, which may be null.  An end token
    is the last of its answer.
    """
    from transformers import DynamicCache

    ids: list[int] = request["input_ids"]
    asked = request["constraint"]
    choice = Choice(request["sampling"], ids, grammars.constraint(asked) if asked else None)
    most = int(request["sampling"]["max_tokens"])
    cache = DynamicCache()

    def scores(some: list[int]) -> torch.Tensor:
        with torch.inference_mode():
            found = model(
                input_ids=torch.tensor([some]),
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            )
        last: torch.Tensor = found.logits[0, -1].float()
        return last

    for start in range(0, len(ids), _CHUNK):
        latest = scores(ids[start : start + _CHUNK])
        if start + _CHUNK < len(ids):
            yield None
    for count in range(1, most + 1):
        token, logprob = choice.take(latest)
        ended = token in end_ids
        finish: Literal["stop", "length"] | None = (
            "stop" if ended else "length" if count == most else None
        )
        yield Token(token, logprob, finish)
        if finish is not None:
            return
        latest = scores([token])
