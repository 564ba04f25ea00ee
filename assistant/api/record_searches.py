"""``/v1/record-searches``: 病历搜索 over the hospital's own records, and cohorts out of it."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel, ConfigDict, Field, model_validator

from assistant.api.context import Actor, ActorDep, Services, ServicesDep
from assistant.api.problems import Problem, documented
from assistant.record_index.access import Caller, caller_of, check_query
from assistant.record_index.cohort import as_csv, as_group, as_parquet, cohort
from assistant.record_index.errors import NotAllowed, SearchRefused
from assistant.record_index.form import SearchForm
from assistant.record_index.language import parse
from assistant.record_index.search import MOST_ROWS, Found, search
from assistant.record_index.shown import deidentified
from assistant.record_index.words import translate

router = APIRouter(prefix="/v1/record-searches", tags=["record searches 病历搜索"])

_LONGEST = 20_000
"""Longer ones are refused before they are read; see `tokens.LONGEST` for what is answered."""


class RecordSearch(BaseModel):
    """One of ``query`` (the language), ``words`` and ``form``.

    Words and forms are translated; with ``run`` false (words: the default) the answer is the query
    alone, to be looked at before it runs.
    """

    model_config = ConfigDict(extra="forbid")

    query: str | None = Field(default=None, max_length=_LONGEST)
    words: str | None = Field(default=None, max_length=_LONGEST)
    form: SearchForm | None = None
    run: bool | None = None
    per: Literal["patient", "note"] = "patient"
    limit: int = Field(default=50, ge=1, le=MOST_ROWS)
    offset: int = Field(default=0, ge=0, le=1_000_000)
    identified: bool = Field(default=False, description="Ids, days and texts; doctors only.")

    @model_validator(mode="after")
    def _one(self) -> RecordSearch:
        if sum(part is not None for part in (self.query, self.words, self.form)) != 1:
            raise ValueError("请给出 query、words、form 之一。(Give one of query, words and form.)")
        return self

    def as_query(self) -> str:
        """The query that is asked for.  Raises `SearchRefused`."""
        if self.query is not None:
            return self.query
        if self.words is not None:
            return translate(self.words)
        return (self.form or SearchForm()).query()


class EvidenceShown(BaseModel):
    """``[start, end)`` in code points of the note; ``denies``: what must not hold is denied."""

    condition: str
    note_id: str
    title: str
    on_date: str
    start: int
    end: int
    text: str
    before: str
    after: str
    standing: str
    value: str
    unit: str
    denies: bool


class RowShown(BaseModel):
    """A patient, or a note."""

    patient_id: str
    note_id: str
    notes: int
    first_day: str
    last_day: str
    evidence: list[EvidenceShown]


class RecordSearchResult(BaseModel):
    """What was found; ``ran`` false: only the query is given, to be looked at."""

    query: str
    ran: bool
    per: Literal["patient", "note"] = "patient"
    total: int = 0
    rows: list[RowShown] = Field(default_factory=list)
    notices: list[str] = Field(default_factory=list)


@router.post("", responses=documented(401, 403, 422))
async def create(body: RecordSearch, parts: ServicesDep, who: ActorDep) -> RecordSearchResult:
    """Search; patients outside the caller's access are not counted."""
    query, caller = await _asked(body, parts, who)
    if body.run is False or (body.run is None and body.words is not None):
        return RecordSearchResult(query=query, ran=False, per=body.per)
    found = await asyncio.to_thread(_search, parts, caller, query, body)
    return RecordSearchResult.model_validate(
        asdict(found) | {"per": found.unit, "ran": True}, from_attributes=True
    )


@router.post(
    "/export",
    responses=documented(401, 403, 422)
    | {200: {"content": {"text/csv": {}, "application/fhir+json": {}}}},
    response_class=Response,
)
async def export(
    body: RecordSearch,
    parts: ServicesDep,
    who: ActorDep,
    form: Annotated[Literal["csv", "parquet", "fhir"], Query(alias="format")] = "csv",
) -> Response:
    """The whole cohort as a table or an HL7 FHIR R4 Group, de-identified unless asked."""
    query, caller = await _asked(body, parts, who)
    try:
        whole = await asyncio.to_thread(
            cohort, parts.store, caller, query, unit=body.per, identified=body.identified
        )
        if form == "fhir":
            return JSONResponse(as_group(whole), media_type="application/fhir+json")
        if form == "csv":
            text = await asyncio.to_thread(as_csv, whole)
            return PlainTextResponse(text, media_type="text/csv; charset=utf-8")
        content = await asyncio.to_thread(as_parquet, whole)
    except SearchRefused as error:
        raise Problem(422, str(error)) from None
    return Response(content, media_type="application/vnd.apache.parquet")


async def _asked(body: RecordSearch, parts: Services, who: Actor) -> tuple[str, Caller]:
    """The query and the caller.  403 and 422 with a sentence."""
    try:
        caller = await asyncio.to_thread(
            caller_of, parts.store, who.id, who.role, identified=body.identified
        )
        query = body.as_query()
        check_query(caller, parse(query), identified=body.identified)
    except NotAllowed as error:
        raise Problem(403, str(error)) from None
    except SearchRefused as error:
        raise Problem(422, str(error)) from None
    return query, caller


def _search(parts: Services, caller: Caller, query: str, body: RecordSearch) -> Found:
    try:
        found = search(
            parts.store, caller, query, unit=body.per, limit=body.limit, offset=body.offset
        )
    except SearchRefused as error:
        raise Problem(422, str(error)) from None
    return found if body.identified else deidentified(parts.store, found)
