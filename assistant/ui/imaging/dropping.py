"""Where a study is dropped on a page, and the route that takes its files.

Gradio's own upload stays off: it would leave patients' files in a folder of its own.
"""

from __future__ import annotations

import asyncio
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, FastAPI, Header, Request
from pydantic import BaseModel

from assistant.api.context import ID_PATTERN, Services
from assistant.api.limits import STUDY_UPLOADS
from assistant.api.problems import Problem
from assistant.imaging.problem import ImageProblem
from assistant.store import Context
from assistant.ui.imaging.attached import dropped
from assistant.ui.markup import esc
from assistant.ui.strings import Text

if TYPE_CHECKING:
    from assistant.ui.guest import Host

SCRIPT = (
    files("assistant.ui.imaging").joinpath("assets").joinpath("drop.js").read_text(encoding="utf-8")
)


class Kept(BaseModel):
    """How many images were kept."""

    kept: int


def drop_zone(task: str, t: Text) -> str:
    """The place on the page of ``task``."""
    return (
        f'<div class="upload study-upload" data-task="{esc(task)}" '
        f'data-failed="{esc(t("study.failed"))}" data-needs="{esc(t("study.ids"))}">'
        f'<span class="about">{esc(t("study.upload"))}</span>'
        f'<label class="act">{esc(t("study.choose_files"))}<input type="file" multiple></label> '
        f'<label class="act">{esc(t("study.choose_folder"))}'
        f'<input type="file" multiple webkitdirectory></label>'
        f'<p class="hint small" role="status"></p></div>'
    )


def serve(app: FastAPI, host: Host, parts: Services) -> None:
    """Add the route; call it before Gradio is mounted."""
    router = APIRouter(include_in_schema=False)

    @router.post(STUDY_UPLOADS, status_code=201)
    async def upload(
        request: Request,
        x_patient_id: Annotated[str, Header(max_length=64, pattern=ID_PATTERN)],
        x_encounter_id: Annotated[str, Header(max_length=64)] = "",
    ) -> Kept:
        who = await host.clinician(request)
        context = Context(who.id, who.role, x_patient_id, x_encounter_id)
        try:
            # A zip may be larger than memory allows; nobody else may read the file.
            with tempfile.NamedTemporaryFile(prefix="bedside-study-") as file:
                async for part in request.stream():
                    await asyncio.to_thread(file.write, part)
                await asyncio.to_thread(file.flush)
                places = [Path(file.name)]
                held = parts.store.attachments
                return Kept(kept=await asyncio.to_thread(dropped, held, context, places))
        except ImageProblem as error:
            raise Problem(422, str(error)) from None
        except OSError:
            said = "文件未能保存，请检查磁盘空间。(The file could not be kept: is the disk full?)"
            raise Problem(507, said) from None

    app.include_router(router)
