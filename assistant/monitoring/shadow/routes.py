"""``/v1/shadow``: what candidates were like, and two texts side by side without their makers."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from assistant.api.context import Actor, ActorDep, OversightDep, Services, ServicesDep
from assistant.api.problems import documented
from assistant.draft import Draft
from assistant.monitoring.routes import ReviewerDep
from assistant.monitoring.shadow.differences import model_drafts
from assistant.monitoring.shadow.report import reports
from assistant.monitoring.shadow.runner import Shadow
from assistant.store.errors import ShadowAnswerNotFound

router = APIRouter(prefix="/v1/shadow", tags=["shadow 影子模式"])
MOST_LISTED = 50


class ReportShown(BaseModel):
    """A candidate and task: sums over the sections that both wrote, and blind preferences."""

    model_config = ConfigDict(from_attributes=True)

    task: str
    engine: str
    model: str
    fingerprint: str = Field(description="SHA-256 of its files, options and prompts.")
    since: datetime
    until: datetime
    answered: int
    failed: int
    waiting: int
    sections: int
    only_real: int
    only_candidate: int
    real: dict[str, int]
    candidate: dict[str, int]
    quantities: dict[str, int]
    diagnoses: dict[str, int]
    preferred: dict[str, int]
    win_interval: tuple[float, float] | None


class ComparisonListed(BaseModel):
    """Two texts that wait for the caller's opinion."""

    id: str
    task: str


class ComparisonShown(BaseModel):
    """Two texts of one record, section by section; which one is whose is not said."""

    id: str
    task: str
    record: dict[str, Any]
    a: dict[str, str]
    b: dict[str, str]


class Preference(BaseModel):
    """Which text is better."""

    model_config = ConfigDict(extra="forbid")

    preferred: Literal["a", "b", "same"]
    comment: Annotated[str, Field(max_length=2_000)] = ""


class Told(BaseModel):
    """What was done."""

    put: int = Field(description="Requests that were put in the queue.")
    answered: int = Field(description="Answers that were made, failed ones among them.")


@router.get("/report", responses=documented(503))
async def report(parts: ServicesDep, who: ActorDep) -> list[ReportShown]:
    """Every candidate and task; no text of a patient."""
    found = await asyncio.to_thread(reports, parts.store)
    return [ReportShown.model_validate(one) for one in found]


@router.post("/run", responses=documented(403, 503))
async def run(request: Request, who: OversightDep) -> Told:
    """Let candidates answer what waits, now, as long as nobody else is worked for."""
    shadow: Shadow = request.app.state.shadow
    put = await shadow.choose()
    answered = 0
    while await shadow.answer_one():
        answered += 1
    return Told(put=put, answered=answered)


@router.get("/comparisons", responses=documented(403))
async def listing(parts: ServicesDep, who: ReviewerDep) -> list[ComparisonListed]:
    """Those of the sample that the caller has not judged, oldest first."""
    return (await asyncio.to_thread(_open, parts, who))[:MOST_LISTED]


@router.get("/comparisons/{answer_id}", responses=documented(403, 404))
async def one(parts: ServicesDep, who: ReviewerDep, answer_id: str) -> ComparisonShown:
    """Both texts with the record; the reading is audited."""
    await _check(parts, who, answer_id)
    beside = await asyncio.to_thread(parts.store.shadow.open, who.id, who.role, answer_id)
    real, candidate = (
        _texts([parts.tasks.draft(content) for content in contents])
        for contents in (beside.real, beside.candidate)
    )
    shared = [name for name in real if name in candidate]
    texts = {name: real[name] for name in shared}, {name: candidate[name] for name in shared}
    a, b = texts[::-1] if _candidate_is_a(parts, answer_id) else texts
    return ComparisonShown(id=answer_id, task=beside.answer.kind, record=beside.record, a=a, b=b)


@router.post("/comparisons/{answer_id}", responses=documented(403, 404), status_code=204)
async def prefer(body: Preference, parts: ServicesDep, who: ReviewerDep, answer_id: str) -> None:
    """Keep which one is better.  Whose it was is in the report alone."""
    await _check(parts, who, answer_id)
    preferred = "same"
    if body.preferred != "same":
        is_a = _candidate_is_a(parts, answer_id)
        preferred = "candidate" if (body.preferred == "a") == is_a else "real"
    await asyncio.to_thread(
        parts.store.shadow.review, who.id, who.role, answer_id, preferred, body.comment
    )


def _texts(drafts: list[Draft]) -> dict[str, str]:
    return {name: draft.plain_text() for name, draft in model_drafts(drafts).items()}


def _candidate_is_a(parts: Services, answer_id: str) -> bool:
    """By a keyed hash: the same for everybody, and nobody can tell."""
    return int(parts.store.hashes.content(["shadow side", answer_id])[:8], 16) % 2 == 0


def _open(parts: Services, who: Actor) -> list[ComparisonListed]:
    """Done, drawn for review, and not judged by the caller yet."""
    share = parts.settings.shadow.review_share
    judged = {answer for answer, reviewer, _ in parts.store.shadow.reviews() if reviewer == who.id}
    found = []
    for answer in reversed(parts.store.shadow.list()):
        drawn = int(parts.store.hashes.content(["shadow review", answer.id])[:8], 16)
        if (
            answer.status == "done"
            and answer.id not in judged
            and answer.differences.get("sections")
            and (drawn / 0xFFFFFFFF < share or share >= 1)
        ):
            found.append(ComparisonListed(id=answer.id, task=answer.kind))
    return found


async def _check(parts: Services, who: Actor, answer_id: str) -> None:
    """A reviewer reads and judges what was drawn, once, and nothing else."""
    drawn = await asyncio.to_thread(_open, parts, who)
    if answer_id not in {listed.id for listed in drawn}:
        raise ShadowAnswerNotFound
