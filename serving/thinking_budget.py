"""Thoughts that may not take more than so many tokens.

At the limit the request is stopped and sent again with what was thought and the closing tag behind
it, so that the model goes on with its answer.  With a prefix cache that costs next to nothing.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from serving.engine import Chunk, Sampling, Usage
from serving.reasoning import closing_of_open_thought

Written = Callable[[str, Sampling, Mapping[str, Any] | None], AsyncGenerator[Chunk]]
_ANSWER_ROOM = 1


async def within_budget(
    write: Written, text: str, sampling: Sampling, budget: int
) -> AsyncGenerator[Chunk]:
    """What the model writes behind ``text``, its thoughts closed after ``budget`` tokens.

    ``write`` starts a request over a rendered prompt.  The usage is of both requests together.
    """
    raw, count = "", 0
    stream = write(text, sampling, None)
    async with aclosing(stream):
        async for chunk in stream:
            raw += chunk.text
            count += len(chunk.token_ids)
            if chunk.finish_reason is not None:
                yield chunk
                return
            closing = closing_of_open_thought(text, raw) if count >= budget else ""
            if not closing:
                yield chunk
                continue
            yield replace(chunk, text=f"{chunk.text}\n{closing}\n\n")
            break
    spent = count
    rest = sampling
    if sampling.max_tokens is not None:
        rest = replace(sampling, max_tokens=max(_ANSWER_ROOM, sampling.max_tokens - spent))
    stream = write(f"{text}{raw}\n{closing}\n\n", rest, None)
    async with aclosing(stream):
        async for chunk in stream:
            if chunk.usage is not None:
                chunk = replace(chunk, usage=_together(chunk.usage, spent))
            yield chunk


def _together(usage: Usage, spent: int) -> Usage:
    """The usage of a request that ``spent`` tokens of thoughts had gone before."""
    return replace(
        usage,
        prompt_tokens=max(0, usage.prompt_tokens - spent),
        new_tokens=usage.new_tokens + spent,
    )
