"""A question's way through the chain, told as events."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from typing import Any, cast

from assistant.tasks.chat import chain
from assistant.tasks.chat.draft import Answer
from assistant.tasks.chat.events import Passages, ShownPassage
from assistant.work.events import Delta, Event
from assistant.work.resources import Resources
from assistant.work.task import Run
from knowledge.sources import Passage


async def passages(question: str, resources: Resources) -> Passages:
    """What the knowledge base has on the question."""
    return _shown(await asyncio.to_thread(chain.find, question, resources.knowledge))


async def answered(question: str, run: Run) -> AsyncGenerator[Event | Answer]:
    """The passages unless they were told before, then text, then the checked answer."""
    resources = run.resources
    model = await resources.default_model()
    steps = chain.chat_chain(resources.knowledge, *model).astream(question)
    async with contextlib.aclosing(cast(AsyncGenerator[Any], steps)) as told:
        async for step in told:
            if isinstance(step, Answer):
                yield step
            elif isinstance(step, chain.Piece):
                yield Delta(text=step.text)
            elif not run.prepared:
                yield _shown(step.passages)


def _shown(found: Sequence[Passage]) -> Passages:
    return Passages(
        passages=[ShownPassage(id=p.id, title=p.title, text=p.text, source=p.source) for p in found]
    )
