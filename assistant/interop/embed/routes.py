"""``/v1/embed-sessions``, ``/embed/{task}`` and what the embedded page asks for.

The page's requests name no patient: what they are about, the token says.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import Response

from assistant.api.context import (
    ID_PATTERN,
    ClinicianDep,
    OversightDep,
    Services,
    ServicesDep,
    check_header,
)
from assistant.api.drafts import ResolutionRequest, Resolved
from assistant.api.problems import Problem, documented
from assistant.interop.embed.delivery import delivered
from assistant.interop.embed.grant import Grant, GrantRefused, opened, read, signed
from assistant.interop.embed.page import ASSETS, asset, embedded, refused
from assistant.interop.embed.shown import DraftShown, State, newest_request, state, whole
from assistant.review.fill_in import FillIn
from assistant.review.review import Review
from assistant.work.roles import CLINICAL_ROLES
from assistant.work.task import AnyTask

_OVER = ("failed", "cancelled")
TAG = "embed 嵌入与回填"


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncGenerator[None]:
    parts: Services = app.state.services
    async with delivered(parts.store, parts.settings.embed.webhook):
        yield


router = APIRouter(tags=[TAG], lifespan=_lifespan)


class SessionRequest(BaseModel):
    """For which stay a page is opened, and in the page of which origin."""

    model_config = ConfigDict(extra="forbid")

    task: str = Field(max_length=64, description="The kind of task, such as discharge_record.")
    patient_id: str = Field(pattern=ID_PATTERN)
    encounter_id: str = Field(pattern=ID_PATTERN)
    origin: str = Field(max_length=300, description="The origin of the page around it.")


class SessionMade(BaseModel):
    """Where the page is: its address is good once, and until ``expires_at``."""

    url: str
    token: str
    expires_at: datetime


class EmbedRequest(BaseModel):
    """What the task starts from: the fields of the host, or a whole encounter."""

    model_config = ConfigDict(extra="forbid")

    patient: dict[str, Any] = Field(
        default_factory=dict, description="Sex, age_text …; whose they are, the token says."
    )
    fields: dict[str, str] = Field(default_factory=dict)
    encounter: dict[str, Any] | None = None


class WrittenRequest(BaseModel):
    """What the host did with a text: wrote it into its fields, or the doctor copied it."""

    model_config = ConfigDict(extra="forbid")

    how: Literal["written", "copied", "refused"]
    fields: list[Annotated[str, Field(max_length=100)]] = Field(default_factory=list, max_length=50)


class OpinionRequest(BaseModel):
    """An opinion on a draft or on one statement."""

    model_config = ConfigDict(extra="forbid")

    verdict: Literal["like", "dislike", "error"]
    quote: str | None = Field(default=None, max_length=5_000)
    comment: str | None = Field(default=None, max_length=5_000)


def _task(parts: Services, kind: str) -> AnyTask:
    task = parts.tasks.get(kind)
    if task is None or not task.reviewed:
        raise Problem(404, "没有这种任务，或它不能嵌入。(No such task, or it cannot be embedded.)")
    return task


@router.post("/v1/embed-sessions", responses=documented(404, 409), status_code=201)
async def create(
    body: SessionRequest,
    parts: ServicesDep,
    who: ClinicianDep,
    x_patient_id: Annotated[str | None, Header()] = None,
    x_encounter_id: Annotated[str | None, Header()] = None,
) -> SessionMade:
    """A page for one doctor and one stay, made by the EMR's server, which answers for both."""
    check_header(x_patient_id, body.patient_id)
    if x_encounter_id and x_encounter_id != body.encounter_id:
        raise Problem(409, "X-Encounter-Id 与请求不一致。(The header names another encounter.)")
    settings = parts.settings.embed
    if body.origin not in settings.origins:
        raise Problem(
            403,
            "该来源不在 embed.origins 中。(The origin is not in embed.origins of the settings.)",
        )
    if who.role not in CLINICAL_ROLES:
        raise Problem(
            403,
            "system 密钥须用 X-Actor-Id 指明使用者。(A system key names the user in X-Actor-Id.)",
        )
    if who.role not in _task(parts, body.task).ask_roles:
        raise Problem(403, "该角色不能使用这个任务。(The role may not use this task.)")
    grant = Grant(who.id, who.role, body.patient_id, body.encounter_id, body.task, body.origin)
    token, until = signed(parts.store, grant, "launch", settings.launch_seconds)
    await asyncio.to_thread(parts.store.audit.record, grant.context, "embed.grant", "task")
    return SessionMade(
        url=f"/embed/{quote(body.task)}?launch={token}", token=token, expires_at=until
    )


for _name in ASSETS:

    def _served(name: str = _name) -> Response:
        return asset(name)

    router.add_api_route(f"/embed/{_name}", _served, include_in_schema=False, response_model=None)


@router.get("/embed/{task}", include_in_schema=False)
async def page(task: str, parts: ServicesDep, launch: Annotated[str, Query()] = "") -> Response:
    """The embedded page, once for each launch."""
    try:
        grant = await asyncio.to_thread(opened, parts.store, launch)
        found = _task(parts, grant.task)
    except GrantRefused as error:
        return refused(str(error), 403)
    except Problem as error:
        return refused(str(error.detail), 404)
    if grant.task != task or grant.origin not in parts.settings.embed.origins:
        return refused("凭证不是为这个页面签发的。(The token is for another page.)", 403)
    seconds = parts.settings.embed.session_minutes * 60
    token, _ = signed(parts.store, grant, "page", seconds)
    await asyncio.to_thread(parts.store.audit.record, grant.context, "embed.open", "task")
    return embedded(grant, found.title, token, grant.role in found.review_roles)


async def granted(request: Request, parts: ServicesDep) -> Grant:
    """The grant of the page's token.  401 for any other."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    try:
        if scheme.lower() != "bearer":
            raise GrantRefused("缺少凭证。(The token is missing.)")
        grant = read(parts.store, token.strip(), "page").grant
    except GrantRefused as error:
        raise Problem(401, str(error)) from None
    if grant.origin not in parts.settings.embed.origins:
        raise Problem(401, "该来源已不再允许。(The origin is not allowed any more.)")
    return grant


GrantDep = Annotated[Grant, Depends(granted)]


def _review(parts: Services, grant: Grant) -> Review:
    return Review(parts.store, grant.context, parts.tasks)


def _own(parts: Services, grant: Grant, draft_id: str, *, doctor: bool = False) -> None:
    """The draft is of the page's task; who takes its text may review it."""
    task = _task(parts, grant.task)
    row = parts.store.drafts.get(grant.context, draft_id)
    if row.kind != grant.task:
        raise Problem(404, "这里没有这份草稿。(There is no such draft here.)")
    if doctor and grant.role not in task.review_roles:
        raise Problem(403, "只有医师可以回填。(Needs role doctor.)")


@router.get("/v1/embed/state", responses=documented(404))
async def how_far(parts: ServicesDep, grant: GrantDep) -> State:
    """The work for this stay, and which drafts are ready."""
    task = _task(parts, grant.task)
    return await asyncio.to_thread(state, parts.store, parts.tasks, grant, task)


@router.post("/v1/embed/requests", responses=documented(409, 503), status_code=202)
async def begin(body: EmbedRequest, parts: ServicesDep, grant: GrantDep) -> State:
    """Begin the work from what the host gave; the same record is not begun twice."""
    task = _task(parts, grant.task)
    if task.needs_knowledge:
        _ = parts.knowledge
    try:
        asked = task.accept(_posted(task, grant, body), parts.settings)
    except ValidationError as error:
        fields = "、".join(sorted({str(item["loc"][0]) for item in error.errors() if item["loc"]}))
        raise Problem(422, f"这些内容不符合任务的要求（invalid）：{fields}") from None
    if (asked.patient_id, asked.encounter_id) != (grant.patient_id, grant.encounter_id):
        raise Problem(409, "内容属于另一患者或另一次就诊。(The record is of another stay.)")
    newest = await asyncio.to_thread(newest_request, parts.store, grant)
    if newest is None or newest.record_hash != asked.record_hash or newest.status in _OVER:
        await parts.jobs.submit(
            grant.context,
            task.kind,
            asked.payload,
            asked.record_hash,
            options=asked.options or None,
            source="embed",
        )
    return await asyncio.to_thread(state, parts.store, parts.tasks, grant, task)


def _posted(task: AnyTask, grant: Grant, body: EmbedRequest) -> Any:
    names = task.posted.model_fields.keys()
    if "encounter" in names:
        if body.encounter is None:
            raise Problem(422, "这个任务需要 encounter。(This task needs the encounter.)")
        return task.posted.model_validate({"encounter": body.encounter})
    known = {name: text for name, text in body.fields.items() if name in names}
    own = {"patient": {**body.patient, "id": grant.patient_id}, "encounter_id": grant.encounter_id}
    return task.posted.model_validate({**known, **own})


@router.get("/v1/embed/drafts/{draft_id}", responses=documented(404))
async def draft(draft_id: str, parts: ServicesDep, grant: GrantDep) -> DraftShown:
    """A draft with its statements and their evidence; 404 for any other stay's."""

    def work() -> DraftShown:
        _own(parts, grant, draft_id)
        return whole(parts.store, parts.tasks, grant, draft_id)

    return await asyncio.to_thread(work)


@router.post("/v1/embed/drafts/{draft_id}/resolutions", responses=documented(404, 409))
async def resolve(
    draft_id: str, body: ResolutionRequest, parts: ServicesDep, grant: GrantDep
) -> Resolved:
    """Confirm, delete, edit or restore one statement."""

    def work() -> Resolved:
        _own(parts, grant, draft_id)
        review = _review(parts, grant)
        return Resolved(open=review.resolve(draft_id, body.statement_id, body.action, body.text))

    return await asyncio.to_thread(work)


@router.post("/v1/embed/drafts/{draft_id}/fill-in", responses=documented(404, 409))
async def fill(draft_id: str, parts: ServicesDep, grant: GrantDep) -> FillIn:
    """一键回填: the text for the host's fields.  409 while an unsupported statement is open."""

    def work() -> FillIn:
        _own(parts, grant, draft_id, doctor=True)
        return _review(parts, grant).fill_in(draft_id)

    return await asyncio.to_thread(work)


@router.post("/v1/embed/drafts/{draft_id}/written", responses=documented(404), status_code=204)
async def written(draft_id: str, body: WrittenRequest, parts: ServicesDep, grant: GrantDep) -> None:
    """The host confirms what it wrote; it is in the audit."""

    def work() -> None:
        _own(parts, grant, draft_id)
        parts.store.audit.record(grant.context, f"draft.{body.how}", "draft", draft_id)

    await asyncio.to_thread(work)


@router.post("/v1/embed/drafts/{draft_id}/feedback", responses=documented(404), status_code=204)
async def opinion(draft_id: str, body: OpinionRequest, parts: ServicesDep, grant: GrantDep) -> None:
    """Like, dislike, 识别错误."""

    def work() -> None:
        _own(parts, grant, draft_id)
        parts.store.feedback.add(
            grant.context, draft_id, body.verdict, quote=body.quote, comment=body.comment
        )

    await asyncio.to_thread(work)


@router.get("/v1/outbox", responses=documented())
async def outbox(parts: ServicesDep, who: OversightDep) -> dict[str, int]:
    """How many accepted texts wait for the EMR, were taken, or were given up."""
    return asdict(await asyncio.to_thread(parts.store.outbox.counts))


@router.post("/v1/outbox/retry", responses=documented())
async def retry(parts: ServicesDep, who: OversightDep) -> dict[str, int]:
    """Try anew what was given up."""
    return {"again": await asyncio.to_thread(parts.store.outbox.send_again)}
