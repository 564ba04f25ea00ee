"""An encounter's way to its sections, told as events."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Any, cast

from assistant.record.encounter import Encounter
from assistant.tasks.discharge import chain
from assistant.tasks.discharge.draft import SECTION_ZH, SectionDraft, SectionName
from assistant.tasks.discharge.events import Header
from assistant.tasks.discharge.header import header
from assistant.work.events import Delta, Event
from assistant.work.task import Run


def _missing(run: Run) -> list[SectionName]:
    """The sections that are wanted and not kept yet, in the record's order."""
    wanted = run.options.get("sections") or SECTION_ZH
    done = {draft.section for draft in run.kept if isinstance(draft, SectionDraft)}
    return [name for name in SECTION_ZH if name in wanted and name not in done]


async def _header(encounter: Encounter) -> Header:
    copied = await asyncio.to_thread(header, encounter)
    return Header.model_validate(copied.model_dump())


async def copied(encounter: Encounter, run: Run) -> AsyncGenerator[Event | SectionDraft]:
    """The header, and the sections that no model has to write."""
    yield await _header(encounter)
    writer = await asyncio.to_thread(
        chain.DischargeWriter, encounter, run.resources.knowledge, None, None
    )
    wanted = [name for name in _missing(run) if name in writer.copied]
    async with contextlib.aclosing(writer.write(wanted)) as steps:
        async for step in steps:
            yield _told(step)


async def written(encounter: Encounter, run: Run) -> AsyncGenerator[Event | SectionDraft]:
    """The header unless it was told before, and the sections that are missing."""
    if not run.prepared:
        yield await _header(encounter)
    resources = run.resources
    model = await resources.default_model()
    writing = chain.discharge_chain(resources.knowledge, *model, _missing(run))
    async with contextlib.aclosing(cast(AsyncGenerator[Any], writing.astream(encounter))) as steps:
        async for step in steps:
            yield _told(step)


def _told(step: chain.Delta | SectionDraft) -> Event | SectionDraft:
    if isinstance(step, chain.Delta):
        return Delta(section=step.section, text=step.text)
    return step
