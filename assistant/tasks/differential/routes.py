"""``/v1/differential-diagnoses/{id}/answers``: the ranking with what was asked since."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter
from pydantic import BaseModel, Field

from assistant.api.context import PatientDep, ServicesDep
from assistant.api.problems import documented
from assistant.record.case import Case
from assistant.store import RequestNotFound
from assistant.tasks.differential.prompt import TASK
from assistant.tasks.differential.rerank import FindingAnswer, Reranking, rerank


class Answers(BaseModel):
    """All answers so far; without any the questions alone are asked for."""

    answers: list[FindingAnswer] = Field(default_factory=list, max_length=200)


def add(router: APIRouter) -> None:
    """Add the answers to the task's routes."""

    @router.post("/{job_id}/answers", responses=documented(404, 503))
    async def answers(
        job_id: str, body: Answers, parts: ServicesDep, context: PatientDep
    ) -> Reranking:
        """Rank the case again with answers to questions; nothing of them is kept.

        Probabilities are among the curated entries and are no certainty.
        """
        row = await asyncio.to_thread(parts.store.requests.get, context, job_id)
        if row.kind != TASK:
            raise RequestNotFound
        case = Case.model_validate(row.payload)
        return await asyncio.to_thread(rerank, case, parts.knowledge, body.answers)
