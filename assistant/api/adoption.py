"""``/v1/adoption``: how much it is used (使用情况), without anything of a patient."""

from __future__ import annotations

import asyncio
import csv
import io
from dataclasses import asdict, fields
from datetime import date, datetime, time
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from assistant.api.context import ActorDep, ServicesDep
from assistant.api.problems import Problem, documented
from assistant.record.fields import ZONE
from assistant.store import Store
from assistant.store.adoption import Adoption, AdoptionRow, AlertRow, RuleRow, StayRow, adoption

router = APIRouter(prefix="/v1/adoption", tags=["adoption 使用情况"])
BOM = "\ufeff"
"""Without it spreadsheets read Chinese in UTF-8 wrongly."""

FIRST, LAST = date(2000, 1, 1), date(2200, 1, 1)
"""Days beyond these are a slip of the pen; some have no time in every zone."""

Day = Annotated[date, Field(ge=FIRST, le=LAST)]
From = Annotated[Day | None, Query(alias="from", description="First day.")]
To = Annotated[Day | None, Query(alias="to", description="Last day, included.")]
Tasks = Annotated[list[str], Query(alias="task", description="Kinds of tasks; none: all.")]


class AdoptionShown(BaseModel):
    """``rate``: the share of eligible stays that used it; None without any."""

    model_config = ConfigDict(from_attributes=True)

    rate: float | None = Field(description="The published rate.")
    eligible: int
    used: int
    drafts: list[AdoptionRow]
    stays: list[StayRow]
    alerts: list[AlertRow]
    rules: list[RuleRow] = Field(description="By rule, the most overridden first, with reasons.")


def counted(store: Store, since: date | None, until: date | None, kinds: list[str]) -> Adoption:
    """The counts of these days, where the hospital is.  Blocks on the store."""
    last = datetime.combine(until, time.max, ZONE) if until else None
    first = datetime.combine(since, time.min, ZONE) if since else None
    return adoption(store.database, since=first, until=last, kinds=kinds)


def as_csv(told: Adoption) -> str:
    """A line for each month, department, task and model; texts that a spreadsheet would take for
    formulas are marked as text."""
    names = [f.name for f in fields(AdoptionRow)]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(names)
    for row in told.drafts:
        values = asdict(row)
        writer.writerow([_cell(values[name]) for name in names])
    return BOM + out.getvalue()


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value


def _checked(since: date | None, until: date | None) -> None:
    if since and until and until < since:
        raise Problem(422, "结束日期早于开始日期，请核对。(The last day is before the first.)")


@router.get("", responses=documented())
async def read(
    parts: ServicesDep,
    who: ActorDep,
    since: From = None,
    until: To = None,
    tasks: Tasks = [],  # noqa: B006 - FastAPI makes a new one for each call
) -> AdoptionShown:
    """Eligible stays, drafts made, opened, filled in, edited, liked, rejected; alerts."""
    _checked(since, until)
    figures = await asyncio.to_thread(counted, parts.store, since, until, tasks)
    return AdoptionShown.model_validate(figures)


@router.get("/export.csv", responses=documented(), response_class=Response)
async def export(
    parts: ServicesDep,
    who: ActorDep,
    since: From = None,
    until: To = None,
    tasks: Tasks = [],  # noqa: B006 - FastAPI makes a new one for each call
) -> Response:
    """The drafts' counts as CSV (UTF-8 with a byte order mark)."""
    _checked(since, until)
    figures = await asyncio.to_thread(counted, parts.store, since, until, tasks)
    headers = {"Content-Disposition": 'attachment; filename="bedside-adoption.csv"'}
    return Response(as_csv(figures), media_type="text/csv; charset=utf-8", headers=headers)
