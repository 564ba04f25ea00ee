"""The page 肺结节检出: a CT on the left, its nodules and their report on the right."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any

import gradio as gr

from assistant.api.context import Services
from assistant.record.attachment import Series
from assistant.store import Context
from assistant.tasks.detection.draft import Detections
from assistant.tasks.detection.request import NODULES, ScanToSearch
from assistant.tasks.detection.ui.nodule_table import nodule_table
from assistant.tasks.detection.ui.strings import STRINGS
from assistant.ui.frame import Frame, TaskPage
from assistant.ui.imaging import viewer_routes
from assistant.ui.imaging.study import GROUP, Study, filled_choice, style
from assistant.ui.imaging.study_state import StudyState
from assistant.ui.imaging.viewer import View
from assistant.ui.imaging.viewer_routes import Asked
from assistant.ui.imaging.viewing import Viewing
from assistant.ui.imaging.volumes import kept_volumes, viewed
from assistant.ui.session import Session
from assistant.ui.strings import add
from serving.vision.store import VisionStore

if TYPE_CHECKING:
    from fastapi import FastAPI

    from assistant.ui.host import Host

add(STRINGS)


class ScanState(StudyState):
    """The state of this page."""


def build(frame: Frame) -> None:
    """Lay the page out and connect it."""
    study = Study(frame, "detection", ScanState)
    names = VisionStore(frame.parts.settings.home).names("detection")
    models = [(frame.first.text("detection.nodules"), NODULES), *((one, one) for one in names)]
    study.notice()
    with gr.Row(elem_classes="split", equal_height=False):
        with gr.Column(scale=4, min_width=320, elem_classes="left scrolls"):
            whose = study.whose()
            image = study.choice("image", "detection.image")
            model = study.choice("model", "detection.model", models, value=NODULES)
            run = study.button("run", "detection.run", primary=True)
        with gr.Column(scale=8, min_width=460, elem_classes="right"):
            status = study.status()
            viewer = study.viewer()
            table = frame.panel(_table, elem_id="detection-table")
    study.connect(whose, [image, status], lambda s, _: [filled_choice(s.of(ScanState).images)])
    study.connect_view([image], viewer, _chosen)
    _connect_run(study, [image, model], run, [status, table])


def _chosen(state: ScanState, values: tuple[Any, ...]) -> View | None:
    one = state.series(values[0])
    return None if one is None else View((one.id,), window="lung")


def _opened(parts: Services, context: Context, series: list[Series], asked: Asked) -> Viewing:
    volume = kept_volumes(parts).volume(parts.store.attachments, context, series[0])
    return viewed(volume, series[0])


def _serve(app: FastAPI, host: Host, parts: Services) -> None:
    viewer_routes.serve(app, host, parts, "detection", _opened)


def _table(session: Session) -> str:
    state = session.of(ScanState)
    found = state.draft(Detections)
    return nodule_table(found, state.work.context, session.text) if found else ""


def _connect_run(
    study: Study[ScanState], inputs: list[Any], run: gr.Button, outputs: list[gr.HTML]
) -> None:
    frame = study.frame

    async def start(
        session: Session, request: gr.Request, chosen: str | None, model: str | None
    ) -> AsyncGenerator[list[Any]]:
        def body() -> ScanToSearch:
            state = session.of(ScanState)
            one = state.series(chosen)
            if one is None or state.context is None:
                raise ValueError(session.text("detection.choose"))
            return ScanToSearch(
                patient_id=state.context.patient_id,
                encounter_id=state.context.encounter_id or None,
                attachments=[one],
                model=model or NODULES,
            )

        async for drawn in study.run(session, request, body, lambda: frame.draw(session, outputs)):
            yield drawn

    frame.on_run([run.click], start, [frame.session, *inputs], outputs)


PAGE = TaskPage("detection", build, style("detection"), _serve, group=GROUP)
