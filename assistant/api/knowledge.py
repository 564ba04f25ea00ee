"""``/v1/knowledge``: search, and passages by id."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from assistant.api.context import ActorDep, ServicesDep
from assistant.api.problems import Problem, documented
from assistant.grounding.citation import cited_passage
from knowledge.base import Retrieval

router = APIRouter(prefix="/v1/knowledge", tags=["knowledge 知识库"])


class PassageShown(BaseModel):
    """A passage with where it comes from; ``score`` and ranks only in search results."""

    id: str
    title: str
    text: str
    source: str
    score: float | None = None
    dense_rank: int | None = None
    lexical_rank: int | None = None


class SearchResult(BaseModel):
    """Passages, best first, and the version of the base that they come from.

    ``retrieval`` says how they were found: by words and by meaning (``hybrid``), or by words alone
    (``lexical``), as while vectors are still made.
    """

    query: str
    knowledge_version: str
    retrieval: Retrieval
    passages: list[PassageShown]


@router.get("/search", responses=documented(503))
async def search(
    parts: ServicesDep,
    who: ActorDep,
    q: Annotated[str, Query(min_length=1, max_length=500, examples=["过敏性鼻炎 检查"])],
    limit: Annotated[int, Query(ge=1, le=50)] = 10,
) -> SearchResult:
    """Hybrid retrieval: embeddings and words, fused by rank; by words alone without embeddings."""
    knowledge = parts.knowledge
    retrieval = knowledge.retrieval
    hits = await asyncio.to_thread(knowledge.index.search, q, limit) if q.strip() else []
    return SearchResult(
        query=q,
        knowledge_version=knowledge.version,
        retrieval=retrieval,
        passages=[
            PassageShown(
                id=hit.passage.id,
                title=hit.passage.title,
                text=hit.passage.text,
                source=hit.passage.source,
                score=hit.score,
                dense_rank=hit.dense_rank,
                lexical_rank=hit.lexical_rank,
            )
            for hit in hits
        ],
    )


class SearchRequest(BaseModel):
    """The same in a body: words that may be a patient's belong in no address and no proxy's log."""

    model_config = ConfigDict(extra="forbid")

    query: str = Field(min_length=1, max_length=2_000)
    limit: int = Field(default=10, ge=1, le=50)


@router.post("/search", responses=documented(503))
async def search_by_body(body: SearchRequest, parts: ServicesDep, who: ActorDep) -> SearchResult:
    """Hybrid retrieval for words that should not stand in an address."""
    return await search(parts, who, body.query, body.limit)


@router.get("/passages/{passage_id:path}", responses=documented(404, 503))
async def passage(passage_id: str, parts: ServicesDep, who: ActorDep) -> PassageShown:
    """One passage, as cited by a draft."""
    found = await asyncio.to_thread(cited_passage, parts.knowledge, passage_id)
    if found is None:
        raise Problem(404, "知识库中没有这段资料。(No such passage.)")
    return PassageShown(id=found.id, title=found.title, text=found.text, source=found.source)
