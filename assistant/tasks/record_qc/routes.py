"""``/v1/record-qc/departments`` and ``/adjustments``: the dashboard, and what is turned down."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, time
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from assistant.api.context import Actor, ActorDep, Services, ServicesDep
from assistant.api.problems import Problem, documented
from assistant.record.fields import ZONE
from assistant.store import Context
from assistant.store.context import bound
from assistant.tasks.record_qc.adjustments import (
    Action,
    Adjustment,
    CannotAdjust,
    adjust,
    adjustments,
    restore,
)
from assistant.tasks.record_qc.dashboard import (
    Dashboard,
    KindCount,
    OftenDismissed,
    ScoreCount,
    as_csv,
    dashboard,
)
from assistant.tasks.record_qc.rules import RulesInvalid, read_rules

LOOK_ROLES = frozenset({"doctor", "auditor", "admin"})
"""Who sees how departments do."""

FIRST, LAST = date(2000, 1, 1), date(2200, 1, 1)
Day = Annotated[date, Field(ge=FIRST, le=LAST)]
From = Annotated[Day | None, Query(alias="from", description="First day.")]
To = Annotated[Day | None, Query(alias="to", description="Last day, included.")]
Department = Annotated[str | None, Query(max_length=200)]


class DashboardShown(BaseModel):
    """Findings by month, department and kind; scores; what is mostly dismissed; what is down."""

    model_config = ConfigDict(from_attributes=True)

    kinds: list[KindCount]
    scores: list[ScoreCount]
    often_dismissed: list[OftenDismissed]
    adjustments: list[Adjustment] = Field(default_factory=list)


class AdjustmentAsked(BaseModel):
    """``department`` "": the whole hospital; ``restore`` takes an adjustment back."""

    model_config = ConfigDict(extra="forbid")

    department: str = Field(default="", max_length=200)
    kind: str = Field(max_length=64)
    action: Action | Literal["restore"]
    reason: str = Field(default="", max_length=500)


class Adjusted(BaseModel):
    """All adjustments as they are now."""

    adjustments: list[Adjustment]


def checked_dashboard(
    parts: Services,
    who: Actor,
    *,
    since: date | None = None,
    until: date | None = None,
    department: str | None = None,
    by_doctor: bool = False,
) -> Dashboard:
    """The dashboard for somebody, with an audit row.  403 and 422 with a sentence."""
    check_look(who)
    if since and until and until < since:
        raise Problem(422, "结束日期早于开始日期，请核对。(The last day is before the first.)")
    try:
        rules = read_rules(parts.settings.home)
    except RulesInvalid as error:
        raise Problem(422, str(error)) from None
    if by_doctor and not rules.by_doctor:
        raise Problem(
            403,
            "规则集没有开启按医师统计（by_doctor: true）。(The rule set does not count by doctor.)",
        )
    found = dashboard(
        parts.store.database,
        rules,
        since=datetime.combine(since, time.min, ZONE) if since else None,
        until=datetime.combine(until, time.max, ZONE) if until else None,
        department=department,
        by_doctor=by_doctor,
    )
    asked = [str(since or ""), str(until or ""), department, by_doctor]
    parts.store.audit.record(_context(who), "qc.dashboard", "record_qc", "", asked)
    return found


def check_look(who: Actor) -> None:
    """403 for roles that see no departments, and in a session that is for one patient."""
    if who.role not in LOOK_ROLES or bound() is not None:
        raise Problem(403, "该角色或会话不能查看科室质控。(Doctors, auditors, administrators.)")


def change(parts: Services, who: Actor, asked: AdjustmentAsked) -> list[Adjustment]:
    """Turn a kind down, or back; in the audit.  403, 404 and 422 with a sentence."""
    if who.role != "admin" or bound() is not None:
        raise Problem(403, "只有管理员可以调整质控规则。(Administrators only.)")
    home, reason = parts.settings.home, asked.reason.strip()
    if not reason:
        raise Problem(422, "调整须写明理由。(Say why.)")
    try:
        if asked.action == "restore":
            if not restore(home, asked.department, asked.kind):
                raise Problem(404, "没有这项调整。(No such adjustment.)")
        else:
            new = Adjustment(
                department=asked.department,
                kind=asked.kind,
                action=asked.action,
                reason=reason,
                by=who.id,
                at=datetime.now(UTC),
            )
            adjust(home, read_rules(home), new)
        found = adjustments(home)
    except (CannotAdjust, RulesInvalid) as error:
        raise Problem(422, str(error)) from None
    content = [asked.department, asked.kind, asked.action, reason]
    parts.store.audit.record(_context(who), f"qc.{asked.action}", "record_qc", "", content)
    return found


async def _counted(
    parts: ServicesDep,
    who: ActorDep,
    since: From = None,
    until: To = None,
    name: Department = None,
    by_doctor: bool = False,
) -> Dashboard:
    return await asyncio.to_thread(
        checked_dashboard,
        parts,
        who,
        since=since,
        until=until,
        department=name,
        by_doctor=by_doctor,
    )


Counted = Annotated[Dashboard, Depends(_counted)]


def _context(who: Actor) -> Context:
    return Context(who.id, who.role, "")


def add(router: APIRouter) -> None:
    """Add the dashboard to the task's routes."""

    @router.get("/departments/counts", responses=documented(403, 422))
    async def department(parts: ServicesDep, found: Counted) -> DashboardShown:
        """Findings, opinions and scores by department, month and kind; nothing of a patient."""
        try:
            down = adjustments(parts.settings.home)
        except RulesInvalid as error:
            raise Problem(422, str(error)) from None
        shown = DashboardShown.model_validate(found)
        return shown.model_copy(update={"adjustments": down})

    @router.get("/departments/export.csv", responses=documented(403, 422), response_class=Response)
    async def export(found: Counted) -> Response:
        """The same counts as CSV (UTF-8 with a byte order mark)."""
        headers = {"Content-Disposition": 'attachment; filename="bedside-record-qc.csv"'}
        return Response(as_csv(found), media_type="text/csv; charset=utf-8", headers=headers)

    @router.post("/adjustments", responses=documented(403, 404, 422))
    async def adjustment(body: AdjustmentAsked, parts: ServicesDep, who: ActorDep) -> Adjusted:
        """Mute or lower a kind in a department, or take that back; administrators, audited."""
        found = await asyncio.to_thread(change, parts, who, body)
        return Adjusted(adjustments=found)
