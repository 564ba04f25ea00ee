"""The page 影像分类: a series on the left, its classes and the heat map on the right."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import gradio as gr

from assistant.store import StoreError
from assistant.tasks.classification.draft import ImageClass
from assistant.tasks.classification.request import ImageToClassify
from assistant.tasks.classification.ui.class_table import class_table
from assistant.tasks.classification.ui.strings import STRINGS
from assistant.ui.frame import Frame, TaskPage
from assistant.ui.imaging.attached import kept_picture
from assistant.ui.imaging.study import GROUP, Study, filled_choice, style
from assistant.ui.imaging.study_state import StudyState
from assistant.ui.session import Session
from assistant.ui.strings import add
from serving.vision.store import VisionStore

add(STRINGS)


class ImageState(StudyState):
    """The state of this page."""


def build(frame: Frame) -> None:
    """Lay the page out and connect it."""
    study = Study(frame, "classification", ImageState)
    models = list(VisionStore(frame.parts.settings.home).names("classification"))
    study.notice()
    with gr.Row(elem_classes="split", equal_height=False):
        with gr.Column(scale=4, min_width=320, elem_classes="left scrolls"):
            whose = study.whose()
            image = study.choice("image", "study.image")
            model = study.choice(
                "model", "classification.model", models, value=models[0] if models else None
            )
            number = study.named(
                gr.Number(0, minimum=0, precision=0, elem_id="classification-slice"),
                "classification.slice",
            )
            run = study.button("run", "classification.run", primary=True)
        with gr.Column(scale=8, min_width=460, elem_classes="right"):
            status = study.status()
            table = frame.panel(_table, elem_id="classification-table")
            picture = study.picture()
    study.connect(
        whose, [image, status, picture], lambda s, _: [filled_choice(s.of(ImageState).images)]
    )
    _connect_run(study, [image, model, number], run, [status, table, picture])


def _table(session: Session) -> str:
    state = session.of(ImageState)
    found = state.draft(ImageClass)
    return class_table(found, state.work.context, session.text) if found else ""


def _connect_run(
    study: Study[ImageState], inputs: list[Any], run: gr.Button, outputs: list[gr.HTML]
) -> None:
    frame = study.frame

    def body(session: Session, image: str | None, model: str | None, at: float) -> ImageToClassify:
        state = session.of(ImageState)
        one = state.series(image)
        if one is None or state.context is None or not model:
            raise ValueError(session.text("classification.choose"))
        return ImageToClassify(
            patient_id=state.context.patient_id,
            encounter_id=state.context.encounter_id or None,
            attachments=[one],
            model=model,
            slice=int(at) - 1 if at else None,
        )

    def drawn(session: Session) -> list[Any]:
        state = session.of(ImageState)
        found = state.draft(ImageClass)
        state.picture = ""
        if found is not None and found.heat_map_id and state.work.context is not None:
            held = frame.parts.store.attachments
            try:
                state.picture = kept_picture(held, state.work.context, found.heat_map_id)
            except StoreError as error:
                state.said = str(error)
        return frame.draw(session, outputs)

    async def start(
        session: Session, request: gr.Request, image: str | None, model: str | None, at: float
    ) -> AsyncGenerator[list[Any]]:
        async for now in study.run(
            session, request, lambda: body(session, image, model, at), lambda: drawn(session)
        ):
            yield now

    frame.on_run([run.click], start, [frame.session, *inputs], outputs)


PAGE = TaskPage("classification", build, style("classification"), group=GROUP)
