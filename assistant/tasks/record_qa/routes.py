"""``/v1/record-qa/conversations`` and ``/v1/record-qa/calculators``."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from assistant.api.context import ClinicianDep, PatientDep, ServicesDep, check_header
from assistant.api.problems import Problem, documented
from assistant.record.encounter import Encounter
from assistant.store import Context
from assistant.store.models.conversation import ConversationRow
from assistant.store.models.draft import DraftRow


class NewConversation(BaseModel):
    """The record that is asked."""

    model_config = ConfigDict(extra="forbid")

    encounter: Encounter
    title: str = Field(default="", max_length=80)


class Retitled(BaseModel):
    """Another title."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field(min_length=1, max_length=80)


class Conversation(BaseModel):
    """A conversation without its turns."""

    id: str
    patient_id: str
    encounter_id: str
    title: str
    created_at: datetime
    updated_at: datetime


class Conversations(BaseModel):
    """Those of one patient and encounter, the last used first."""

    conversations: list[Conversation]


class Turn(BaseModel):
    """One answer with its id, and what was asked."""

    id: str
    created_at: datetime
    question: str
    answer: dict[str, Any]


class WholeConversation(Conversation):
    """A conversation with its turns."""

    turns: list[Turn]


class CalculatorInput(BaseModel):
    """One value, with the unit that it is in."""

    model_config = ConfigDict(extra="forbid")

    value: bool | float | date | str
    unit: str = Field(default="", max_length=40)


class Calculation(BaseModel):
    """What came out, and what is missing."""

    key: str
    title: str
    value: float | None
    text: str
    reading: str
    missing: list[str]
    source: str


def shown(row: ConversationRow) -> Conversation:
    """A row without its record."""
    return Conversation(
        id=row.id,
        patient_id=row.patient_id,
        encounter_id=row.encounter_id,
        title=row.title,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def turn(row: DraftRow) -> Turn:
    """A turn with its answer."""
    answer = row.content["draft"]
    return Turn(
        id=row.id, created_at=row.created_at, question=answer.get("question", ""), answer=answer
    )


def add(router: APIRouter) -> None:
    """Add both, before the route of a job, which would take their names for an id."""
    jobs = list(router.routes)
    _add_conversations(router)
    _add_calculators(router)
    router.routes[:] = [*router.routes[len(jobs) :], *jobs]


def _add_conversations(router: APIRouter) -> None:
    @router.post("/conversations", status_code=201, responses=documented(403, 409))
    async def begin(body: NewConversation, parts: ServicesDep, who: ClinicianDep) -> Conversation:
        """Begin a conversation over a record; its questions need not bring the record again."""
        encounter = body.encounter
        context = Context(who.id, who.role, encounter.patient.id, encounter.id)
        record = encounter.model_dump(mode="json")
        kept = parts.store.conversations
        return shown(await asyncio.to_thread(kept.begin, context, record, body.title))

    @router.get("/conversations", responses=documented(403))
    async def listed(
        parts: ServicesDep,
        context: PatientDep,
        words: str = Query(default="", alias="q", max_length=100),
        limit: int = Query(default=50, ge=1, le=200),
    ) -> Conversations:
        """Those of this patient and encounter; ``q`` is looked for in titles and questions."""
        found = parts.store.conversations.found
        rows = await asyncio.to_thread(found, context, words, limit)
        return Conversations(conversations=[shown(row) for row in rows])

    @router.get("/conversations/{conversation_id}", responses=documented(403, 404))
    async def read(
        conversation_id: str, parts: ServicesDep, context: PatientDep
    ) -> WholeConversation:
        """A conversation with its turns, the oldest first."""
        kept = parts.store.conversations
        row = await asyncio.to_thread(kept.get, context, conversation_id)
        turns = await asyncio.to_thread(kept.turns, context, conversation_id)
        return WholeConversation(**shown(row).model_dump(), turns=[turn(t) for t in turns])

    @router.patch("/conversations/{conversation_id}", responses=documented(403, 404))
    async def retitle(
        conversation_id: str, body: Retitled, parts: ServicesDep, context: PatientDep
    ) -> Conversation:
        """Give it another title."""
        kept = parts.store.conversations

        def change() -> ConversationRow:
            return kept.update(context, conversation_id, title=body.title)

        return shown(await asyncio.to_thread(change))

    @router.put("/conversations/{conversation_id}/record", responses=documented(403, 404, 409))
    async def renew(
        conversation_id: str, body: Encounter, parts: ServicesDep, context: PatientDep
    ) -> Conversation:
        """Let the next questions read the record as it is now."""
        check_header(context.patient_id, body.patient.id)
        if body.id != context.encounter_id:
            raise Problem(409, "encounter 与 X-Encounter-Id 不一致。(Another encounter.)")
        kept, record = parts.store.conversations, body.model_dump(mode="json")

        def change() -> ConversationRow:
            return kept.update(context, conversation_id, record=record)

        return shown(await asyncio.to_thread(change))

    @router.delete(
        "/conversations/{conversation_id}",
        status_code=204,
        responses=documented(403, 404),
        response_class=Response,
    )
    async def delete(conversation_id: str, parts: ServicesDep, context: PatientDep) -> None:
        """Delete it with its turns."""
        await asyncio.to_thread(parts.store.conversations.delete, context, conversation_id)


def _add_calculators(router: APIRouter) -> None:
    @router.get("/calculators", responses=documented(403))
    async def calculators_of(who: ClinicianDep) -> list[dict[str, Any]]:
        """The calculators with their inputs, units and sources."""
        from assistant.calculators.catalogue import calculators

        return [one.model_dump(mode="json") for one in calculators().values()]

    @router.post("/calculators/{key}", responses=documented(403, 404, 422))
    async def compute_one(
        key: str, body: Mapping[str, CalculatorInput], who: ClinicianDep
    ) -> Calculation:
        """One calculator over values that are given; units are converted or refused."""
        from assistant.calculators.catalogue import calculators
        from assistant.calculators.compute import Given, InputWrong, compute

        calculator = calculators().get(key)
        if calculator is None:
            raise Problem(404, "没有这个计算器。(No such calculator.)")
        known = {one.key for one in calculator.inputs}
        if unknown := sorted(set(body) - known):
            names = "、".join(sorted(known))
            raise Problem(422, f"没有输入项 {unknown[0][:40]}，可用：{names}。(No such input.)")
        given = {name: Given(one.value, one.unit) for name, one in body.items()}
        try:
            result = compute(calculator, given)
        except InputWrong as error:
            raise Problem(422, str(error)) from error
        return Calculation(
            key=key,
            title=calculator.title.zh,
            value=result.value,
            text=result.text,
            reading=result.reading,
            missing=list(result.missing),
            source=calculator.source,
        )
