"""The one viewer of evidence: what a chip says, where it points, and the picture behind it.

``assets/evidence.js`` shows it: a span is highlighted in its note, a box is drawn on its page, a
region on the slice that its task made a picture of, and every quote is shown as text.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, FastAPI, Header, Request, Response

from assistant.api.context import Services
from assistant.api.problems import Problem
from assistant.record.case import CASE_FIELDS
from assistant.record.evidence import (
    CitedPassage,
    Evidence,
    PageBox,
    Rectangle,
    SlicePicture,
    TextSpan,
    VolumeRegion,
)
from assistant.store import Context
from assistant.ui.host import Host
from assistant.ui.strings import Text

PICTURES = "pages/evidence"
"""Where the pictures are, from the root of the UI."""


def style(evidence: Evidence) -> str:
    """The class of a chip: of the record, or of the knowledge base."""
    return "knowledge" if isinstance(evidence, CitedPassage) else "record"


def kind(evidence: Evidence, t: Text) -> str:
    """What it is, in a word."""
    match evidence:
        case TextSpan():
            return t("evidence.record")
        case PageBox():
            return t("evidence.box")
        case VolumeRegion():
            return t("evidence.region")
        case CitedPassage():
            return t("evidence.knowledge")


def place(evidence: Evidence, t: Text) -> str:
    """Where it is, as far as a reader is helped by it."""
    match evidence:
        case TextSpan():
            return CASE_FIELDS.get(evidence.note_id, "")
        case PageBox():
            return t("evidence.page", n=evidence.page)
        case VolumeRegion():
            picture = evidence.picture
            shown = "" if picture is None else t("evidence.slice", n=picture.slice)
            return " ".join(part for part in (evidence.label, shown) if part)
        case CitedPassage():
            return evidence.source


def target(evidence: Evidence, record: str, context: Context | None) -> Mapping[str, object]:
    """What `assets/evidence.js` needs to show it, as attributes of the chip.

    ``record`` is the name of the text on the page that spans are highlighted in; ``context`` whose
    pictures they are.
    """
    match evidence:
        case TextSpan():
            return {
                "data-record": record,
                "data-note": evidence.note_id,
                "data-start": evidence.start,
                "data-end": evidence.end,
            }
        case PageBox():
            return _picture(evidence.attachment_id, evidence, context)
        case VolumeRegion(picture=SlicePicture() as picture):
            return _picture(picture.attachment_id, picture, context)
        case CitedPassage():
            return {"data-passage": evidence.passage_id}
    return {}


def _picture(attachment_id: str, box: Rectangle, context: Context | None) -> dict[str, object]:
    if context is None:
        return {}
    return {
        "data-picture": f"{PICTURES}/{attachment_id}",
        "data-patient": context.patient_id,
        "data-encounter": context.encounter_id,
        "data-box": f"{box.x} {box.y} {box.width} {box.height}",
    }


def serve(app: FastAPI, host: Host, parts: Services) -> None:
    """Add the pictures, for whoever is signed in; call it before Gradio is mounted."""
    router = APIRouter(include_in_schema=False)

    @router.get("/{attachment_id}")
    async def picture(
        attachment_id: str,
        request: Request,
        x_patient_id: Annotated[str, Header(max_length=64)],
        x_encounter_id: Annotated[str, Header(max_length=64)] = "",
    ) -> Response:
        who = await host.clinician(request)
        context = Context(who.id, who.role, x_patient_id, x_encounter_id)
        data, media_type = await asyncio.to_thread(
            parts.store.attachments.content, context, attachment_id
        )
        if not media_type.startswith("image/"):
            raise Problem(404, "该附件不是图像。(This attachment is no picture.)")
        headers = {
            "Cache-Control": "no-store",
            "Content-Security-Policy": "default-src 'none'; sandbox",
        }
        return Response(data, media_type=media_type, headers=headers)

    app.include_router(router, prefix=f"/{PICTURES}")
