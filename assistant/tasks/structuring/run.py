"""The structurer of a process, and a request's way through it."""

from __future__ import annotations

import asyncio

from assistant.tasks.structuring.chain import structuring_chain
from assistant.tasks.structuring.draft import StructuredNotes
from assistant.tasks.structuring.opening import open_recognizer, open_structurer
from assistant.tasks.structuring.pipeline import Structurer
from assistant.tasks.structuring.recognizer import ModelRecognizer
from assistant.tasks.structuring.request import NotesToStructure
from assistant.work.resources import Resources


def recognizer(resources: Resources) -> ModelRecognizer | None:
    """The span model of this process; None where the lexicon has to do."""
    home = resources.settings.home
    return resources.shared("structuring.recognizer", lambda: open_recognizer(home))


def structurer(resources: Resources) -> Structurer:
    """What structures notes; opening it takes seconds.  It works without a base, too."""

    def make() -> Structurer:
        base = resources.knowledge if resources.has_knowledge else None
        return open_structurer(base, resources.settings.home, recognizer(resources))

    return resources.shared("structuring.structurer", make)


async def structured(request: NotesToStructure, resources: Resources) -> StructuredNotes:
    """The notes as data."""
    ready = await asyncio.to_thread(structurer, resources)
    return await structuring_chain(ready).ainvoke(request)
