"""The tools that read the knowledge base; none of them says anything of the patient."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from assistant.record.evidence import CitedPassage
from assistant.tasks.record_qa.asked import Asked
from assistant.tasks.record_qa.draft import RecordAnswer
from assistant.tasks.record_qa.saying import Saying
from assistant.tasks.record_qa.tools.tool import Arguments, Desk, Tool, described
from assistant.work.resources import KnowledgeUnavailable
from knowledge.base import KnowledgeBase
from knowledge.sources import Passage

PASSAGES = 4
CHARACTERS = 400


class Query(Arguments):
    """What to look for in the knowledge base."""

    query: Annotated[str, Field(min_length=1, max_length=200)]


class Drug(Arguments):
    """A drug by its name."""

    name: Annotated[str, Field(min_length=1, max_length=100)]


async def search(desk: Desk, given: Query) -> RecordAnswer:
    """The passages nearest to a query."""
    base = _base(desk)
    if base is None:
        return _none("知识检索")
    found = await asyncio.to_thread(base.index.search, given.query, PASSAGES)
    return _said("知识检索", given.query, [hit.passage for hit in found])


async def look_up_drug(desk: Desk, given: Drug) -> RecordAnswer:
    """What the knowledge base has about a drug: its own passages, nothing that only names it."""
    base = _base(desk)
    if base is None:
        return _none("药品资料")

    def own() -> list[Passage]:
        wanted = given.name.strip().casefold()
        hits = [hit.passage for hit in base.index.search(f"{given.name} 说明书", PASSAGES * 3)]
        return [p for p in hits if wanted in p.title.casefold()][:PASSAGES]

    return _said("药品资料", given.name, await asyncio.to_thread(own))


def _base(desk: Desk) -> KnowledgeBase | None:
    if desk.run is None:
        return None
    try:
        return desk.run.resources.knowledge
    except KnowledgeUnavailable:
        return None


def _none(title: str) -> RecordAnswer:
    out = Saying(Asked(text=""))
    out.note("知识库尚未建立，未能检索。", "failed")
    return out.answer(title)


def _said(title: str, query: str, passages: Sequence[Passage]) -> RecordAnswer:
    out = Saying(Asked(text=query))
    for passage in passages:
        text = passage.text[:CHARACTERS]
        cited = CitedPassage(quote=text, passage_id=passage.id, source=passage.source)
        out.say(f"{passage.title}：{text}", cited, knowledge=True)
    if not passages:
        out.note(f"知识库没有“{query}”的资料。", "not_recorded")
    return out.answer(title)


def knowledge_tools() -> Sequence[Tool]:
    """All tools of the knowledge base."""
    return [
        Tool("knowledge_search", *described("knowledge_search"), Query, search),
        Tool("drug_lookup", *described("drug_lookup"), Drug, look_up_drug),
    ]
