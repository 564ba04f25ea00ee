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
from assistant.imaging.as_dicom import MODALITIES
from assistant.imaging.problem import ImageProblem
from assistant.store import Context
from assistant.ui.imaging.attached import dropped
from assistant.ui.imaging.volume_files import NoImageYet
from assistant.ui.markup import esc
from assistant.ui.strings import Text

if TYPE_CHECKING:
    from assistant.ui.host import Host

SCRIPT = (
    files("assistant.ui.imaging").joinpath("assets").joinpath("drop.js").read_text(encoding="utf-8")
)


class Kept(BaseModel):
    """How many files of a study were kept; ``later``: a mask whose image has still to come."""

    kept: int
    later: str = ""


def drop_zone(task: str, t: Text) -> str:
    """The place on the page of ``task``."""
    kinds = "".join(
        f'<option value="{one}">{esc(t("study.modality_" + (one or "guess")))}</option>'
        for one in ("", *MODALITIES)
    )
    return (
        f'<div class="upload study-upload" data-task="{esc(task)}" '
        f'data-failed="{esc(t("study.failed"))}" data-needs="{esc(t("study.ids"))}">'
        f'<span class="about">{esc(t("study.upload"))}</span>'
        f'<label class="act">{esc(t("study.choose_files"))}<input type="file" multiple></label> '
        f'<label class="act">{esc(t("study.choose_folder"))}'
        f'<input type="file" multiple webkitdirectory></label>'
        f'<label class="small">{esc(t("study.modality"))} <select>{kinds}</select></label>'
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
        x_modality: Annotated[str, Header(pattern=r"^[A-Z]{0,2}$")] = "",
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
                count = await asyncio.to_thread(dropped, held, context, places, x_modality)
                return Kept(kept=count)
        except NoImageYet as error:
            # Several files come one by one, and in any order.
            return Kept(kept=0, later=str(error))
        except ImageProblem as error:
            raise Problem(422, str(error)) from None
        except OSError:
            said = "文件未能保存，请检查磁盘空间。(The file could not be kept: is the disk full?)"
            raise Problem(507, said) from None

    app.include_router(router)
