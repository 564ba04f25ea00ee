"""Where the viewer of a page fetches slices, labels and curves.

A series is opened once, which is noted as one reading of it, and gives a token; slices go by that
token, for the one who opened it.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

from fastapi import APIRouter, FastAPI, Header, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from assistant.api.context import ID_PATTERN, Services
from assistant.api.problems import Problem
from assistant.imaging.problem import ImageProblem
from assistant.record.attachment import Series
from assistant.store import Context
from assistant.ui.imaging.viewing import Opened, Viewing, Viewings

if TYPE_CHECKING:
    from assistant.ui.host import Host

ROOT = "pages/viewer"
"""Where the routes of a task are, from the root of the UI: below its name."""

_GONE = "影像已从内存释放，请重新打开。(The images were let go of; open them again.)"


class Asked(BaseModel):
    """What is to be opened: ``series`` by their ids, and the words that say which labels."""

    model_config = ConfigDict(extra="forbid")

    series: list[str] = Field(min_length=1, max_length=200)
    labels: list[str] = Field(default=[], max_length=4)
    step: float | None = Field(default=None, gt=0, le=60)


Made = TypeVar("Made")
Open = Callable[[Services, Context, list[Series], Asked], Viewing]
"""Makes what a page shows; runs in a thread and may raise `ImageProblem`."""


def serve(app: FastAPI, host: Host, parts: Services, task: str, made: Open) -> None:
    """Add the routes of a task's page; call it before Gradio is mounted."""
    router = APIRouter(include_in_schema=False)
    held = parts.resources.shared("study.viewings", Viewings)

    async def viewing(request: Request, token: str) -> tuple[Viewing, tuple[float, float]]:
        who = await host.clinician(request)
        found = held.get(who.id, token)
        if found is None:
            raise Problem(410, _GONE)
        return found

    @router.post("/open")
    async def opened(
        request: Request,
        asked: Asked,
        x_patient_id: Annotated[str, Header(max_length=64, pattern=ID_PATTERN)],
        x_encounter_id: Annotated[str, Header(max_length=64)] = "",
    ) -> Opened:
        who = await host.clinician(request)
        context = Context(who.id, who.role, x_patient_id, x_encounter_id)

        def work() -> Opened:
            found = [parts.store.attachments.get(context, one) for one in asked.series]
            series = [one for one in found if isinstance(one, Series)]
            if len(series) < len(found):
                raise ImageProblem("该附件不是影像序列。", "The attachment is no series.")
            return held.add(who.id, made(parts, context, series, asked))

        return await _said(work)

    @router.get("/{token}/slices/{plane}/{number}/{time}")
    async def slices(request: Request, token: str, plane: str, number: int, time: int) -> Response:
        found, scale = await viewing(request, token)
        return _numbers(await _said(lambda: found.slice(plane, number, time, scale)))

    @router.get("/{token}/labels/{plane}/{number}/{time}")
    async def labels(request: Request, token: str, plane: str, number: int, time: int) -> Response:
        found, _ = await viewing(request, token)
        return _numbers(await _said(lambda: gzip.compress(found.labels(plane, number), 1)), "gzip")

    @router.get("/{token}/curve/{z}/{y}/{x}")
    async def curve(request: Request, token: str, z: int, y: int, x: int) -> list[float]:
        found, _ = await viewing(request, token)
        return await _said(lambda: found.curve((z, y, x)))

    app.include_router(router, prefix=f"/{ROOT}/{task}")


async def _said(work: Callable[[], Made]) -> Made:
    try:
        return await asyncio.to_thread(work)
    except ImageProblem as error:
        raise Problem(422, str(error)) from None


def _numbers(data: bytes, encoding: str = "") -> Response:
    headers = {"Cache-Control": "no-store"}
    if encoding:
        headers["Content-Encoding"] = encoding
    return Response(data, media_type="application/octet-stream", headers=headers)
