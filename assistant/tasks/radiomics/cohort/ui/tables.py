"""Tables that were dropped on the page, and the routes that take them and give files out.

Gradio's own upload stays off: it would leave the files in a folder of its own.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from fastapi import APIRouter, FastAPI, Request, Response
from pydantic import BaseModel

from assistant.api.context import Services
from assistant.api.limits import COHORT_UPLOADS
from assistant.api.problems import Problem
from assistant.store import Context
from assistant.tasks.radiomics.cohort.routes import Form, answer, result

if TYPE_CHECKING:
    from assistant.ui.host import Host

EXPORTS = "pages/cohorts"
_MOST = 8
_MOST_BYTES = 256_000_000


class Kept(BaseModel):
    """The name under which the page finds the table again."""

    token: str


class Tables:
    """The last tables, in memory only; each belongs to who dropped it."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, actor_id: str, data: bytes) -> str:
        """A new name for ``data``; the oldest tables go."""
        token = secrets.token_urlsafe(16)
        with self._lock:
            self._kept[actor_id, token] = data
            while len(self._kept) > 1 and (
                len(self._kept) > _MOST or sum(map(len, self._kept.values())) > _MOST_BYTES
            ):
                self._kept.popitem(last=False)
        return token

    def get(self, actor_id: str, token: str) -> bytes:
        """Empty where it is gone, or somebody else's."""
        with self._lock:
            return self._kept.get((actor_id, token), b"")


def tables(parts: Services) -> Tables:
    """Those of the process."""
    return parts.resources.shared("cohort.tables", Tables)


def serve(app: FastAPI, host: Host, parts: Services) -> None:
    """Add the routes; call it before Gradio is mounted."""
    router = APIRouter(include_in_schema=False)

    @router.post(COHORT_UPLOADS, status_code=201)
    async def upload(request: Request) -> Kept:
        who = await host.clinician(request)
        data = await request.body()
        if not data:
            raise Problem(422, "文件是空的。(The file is empty.)")
        return Kept(token=tables(parts).keep(who.id, data))

    @router.get(f"/{EXPORTS}/{{study_id}}/{{job_id}}/{{form}}")
    async def export(study_id: str, job_id: str, form: Form, request: Request) -> Response:
        who = await host.clinician(request)
        found = await result(parts, Context(who.id, who.role, study_id), job_id)
        return await asyncio.to_thread(answer, found, form)

    app.include_router(router)
