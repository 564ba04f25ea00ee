"""``/v1/alerts``: what the rules say of a record, and how it is answered."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Path
from pydantic import BaseModel, ConfigDict, Field

from assistant.alerts.alert import Alert
from assistant.alerts.base import open_base
from assistant.alerts.engine import alerts_of
from assistant.alerts.policy import shown
from assistant.alerts.rule import Moment, rules_of
from assistant.api.context import (
    ID_PATTERN,
    ClinicianDep,
    OversightDep,
    PatientDep,
    ServicesDep,
    check_header,
)
from assistant.api.problems import Problem, documented
from assistant.record.encounter import Encounter
from assistant.store import Context

router = APIRouter(prefix="/v1/alerts", tags=["alerts 事中提示"])
SERVICE = "v1-alerts"


class AlertRequest(BaseModel):
    """A record, and the moment of the work.  ``drafts``: rows of medication not ordered yet."""

    model_config = ConfigDict(extra="forbid")

    encounter: Encounter
    moment: Moment | None = None
    drafts: list[str] = Field(default_factory=list, max_length=200)


class ShownAlert(Alert):
    """An alert with the id by which it is answered."""

    card_id: str


class AlertsShown(BaseModel):
    """The alerts, the worst first; ``hidden`` were overridden before on the same facts."""

    alerts: list[ShownAlert]
    hidden: int


class Answer(BaseModel):
    """Accepted, or overridden with a reason."""

    model_config = ConfigDict(extra="forbid")

    outcome: Literal["accepted", "overridden"]
    reason: str = Field(default="", max_length=64)
    comment: str = Field(default="", max_length=2_000)


class Rate(BaseModel):
    """How a rule was answered."""

    rule: str
    title: str
    cards: int
    shown: int
    accepted: int
    overridden: int
    override_rate: float | None


class RuleShown(BaseModel):
    """A rule in force."""

    id: str
    title: str
    severity: str
    source: str
    question: bool
    moments: list[str]


@router.post("", responses=documented(409, 503))
async def check(
    body: AlertRequest,
    parts: ServicesDep,
    who: ClinicianDep,
    x_patient_id: Annotated[str | None, Header(pattern=ID_PATTERN)] = None,
) -> AlertsShown:
    """What the rules say.  An alert that was overridden comes again when its facts change."""
    encounter = body.encounter
    check_header(x_patient_id, encounter.patient.id)
    context = Context(who.id, who.role, encounter.patient.id, encounter.id)
    settings = parts.settings

    def work() -> AlertsShown:
        rules = rules_of(settings.home, settings.alerts.off)
        found = alerts_of(
            encounter,
            rules,
            moment=body.moment,
            drafts=body.drafts,
            base=open_base(parts.resources),
        )
        pairs = shown(
            parts.store, context, SERVICE, who.source, found, settings.alerts.most_interruptive
        )
        listed = [ShownAlert(**alert.model_dump(), card_id=card) for card, alert in pairs]
        return AlertsShown(alerts=listed, hidden=len(found) - len(pairs))

    return await asyncio.to_thread(work)


@router.post("/{card_id}/answer", responses=documented(404), status_code=204)
async def answer(
    card_id: Annotated[str, Path(max_length=64)],
    body: Answer,
    parts: ServicesDep,
    context: PatientDep,
) -> None:
    """Keep the answer.  Overriding needs a reason."""
    if body.outcome == "overridden" and not (body.reason or body.comment).strip():
        raise Problem(422, "忽略提示须写明理由。(Overriding an alert needs a reason.)")
    await asyncio.to_thread(
        parts.store.cards.answer,
        context,
        card_id,
        body.outcome,
        reason=body.reason,
        comment=body.comment,
    )


@router.get("/rules", responses=documented())
async def rules(parts: ServicesDep, who: ClinicianDep) -> list[RuleShown]:
    """The rules in force."""
    found = await asyncio.to_thread(rules_of, parts.settings.home, parts.settings.alerts.off)
    return [
        RuleShown(
            id=rule.id,
            title=rule.title,
            severity=rule.severity,
            source=f"{rule.source.name}，{rule.source.year}",
            question=rule.question,
            moments=list(rule.moments),
        )
        for rule in found.values()
    ]


@router.get("/rates", responses=documented())
async def rates(parts: ServicesDep, who: OversightDep) -> list[Rate]:
    """How often each rule was shown, accepted and overridden, without any patient."""
    found = await asyncio.to_thread(parts.store.cards.rates)
    known = rules_of(parts.settings.home)
    return [
        Rate(
            rule=one.rule,
            title=known[one.rule].title if one.rule in known else one.rule,
            cards=one.cards,
            shown=one.shown,
            accepted=one.accepted,
            overridden=one.overridden,
            override_rate=one.override_rate,
        )
        for one in found
    ]
