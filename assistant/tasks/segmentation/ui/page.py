"""The page 影像分割: a series on the left, its slices with structures and volumes on the right."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import gradio as gr

from assistant.imaging.classical import CLASSICAL
from assistant.imaging.picture import Overlay
from assistant.tasks.segmentation.draft import ImageSegmentation
from assistant.tasks.segmentation.request import DEFAULT_MODEL, ImageToSegment
from assistant.tasks.segmentation.results import Results
from assistant.tasks.segmentation.run import colours
from assistant.tasks.segmentation.ui.strings import STRINGS
from assistant.tasks.segmentation.ui.volume_table import volume_table
from assistant.ui.frame import Frame, TaskPage
from assistant.ui.imaging.slices import Slice, slice_of
from assistant.ui.imaging.study import GROUP, Study, StudyState, filled_choice, style
from assistant.ui.session import Session
from assistant.ui.strings import add
from serving.vision.store import VisionStore

add(STRINGS)


class SeriesState(StudyState):
    """The state of this page."""


def build(frame: Frame) -> None:
    """Lay the page out and connect it."""
    study = Study(frame, "segmentation", SeriesState)
    store = VisionStore(frame.parts.settings.home)
    models = [(_title(one.name, one.title_zh), one.name) for one in store.list()]
    models.append((f"{CLASSICAL} · CT", CLASSICAL))
    study.notice()
    with gr.Row(elem_classes="split", equal_height=False):
        with gr.Column(scale=4, min_width=320, elem_classes="left scrolls"):
            whose = study.whose()
            image = study.choice("image", "study.image")
            model = study.choice("model", "segmentation.model", models, value=DEFAULT_MODEL)
            run = study.button("run", "segmentation.run", primary=True)
        with gr.Column(scale=8, min_width=460, elem_classes="right"):
            status = study.status()
            with gr.Row():
                plane, window, number = study.view("auto")
                opacity = study.named(
                    gr.Slider(0, 1, value=0.5, step=0.05, elem_id="segmentation-opacity"),
                    "segmentation.opacity",
                )
            shown = study.choice("shown", "segmentation.shown", multiselect=True)
            picture = study.picture()
            table = frame.panel(_table, elem_id="segmentation-table")
    study.connect(whose, [image, status], lambda s, _: [filled_choice(s.of(SeriesState).images)])
    view = [image, model, plane, window, opacity, shown, number]
    show = _connect_view(study, view, [status, picture, number])
    done = _connect_run(study, [image, model], run, [status, table, shown])
    done.then(show, [frame.session, *view], [status, picture, number], api_visibility="private")


def _title(name: str, title: str) -> str:
    return f"{title} · {name}" if title else name


def _table(session: Session) -> str:
    state = session.of(SeriesState)
    found = state.draft(ImageSegmentation)
    return volume_table(found, state.work.context, session.text) if found else ""


def _connect_view(study: Study[SeriesState], inputs: list[Any], outputs: list[Any]) -> Any:
    frame = study.frame
    image, model, plane, window, opacity, shown, number = inputs

    def sliced(state: SeriesState, chosen: tuple[Any, ...], at: int | None) -> Slice | None:
        series_id, model_name, plane_name, window_name, share, labels, _ = chosen
        one = state.series(series_id)
        if one is None or state.context is None:
            return None
        volume = study.viewer().volume(frame.parts.store.attachments, state.context, one)
        results = frame.parts.resources.shared("segmentation.results", Results)
        found = results.get(one.sha256, model_name or "")
        overlay = None
        if found is not None:
            only = frozenset(labels) if labels else None
            overlay = Overlay(found.shown(only), colours(found.structures), float(share), only)
        return slice_of(volume, plane_name, window_name, at, overlay=overlay)

    return study.connect_view(
        inputs,
        outputs,
        sliced,
        renew=(image, model, plane),
        keep=(window, shown),
        release=(number, opacity),
    )


def _connect_run(
    study: Study[SeriesState], inputs: list[Any], run: gr.Button, outputs: list[Any]
) -> Any:
    frame = study.frame

    async def start(
        session: Session, request: gr.Request, *chosen: Any
    ) -> AsyncGenerator[list[Any]]:
        image, model = chosen
        state = session.of(SeriesState)

        def body() -> ImageToSegment:
            one = state.series(image)
            if one is None or state.context is None or not model:
                raise ValueError(session.text("segmentation.choose"))
            return ImageToSegment(
                patient_id=state.context.patient_id,
                encounter_id=state.context.encounter_id or None,
                attachments=[one],
                model=model,
            )

        def drawn() -> list[Any]:
            found = state.draft(ImageSegmentation)
            structures = found.structures if found else []
            names = [(each.name_zh or each.name, each.label) for each in structures]
            return [*frame.draw(session, outputs[:2]), gr.update(choices=names, value=[])]

        async for now in study.run(session, request, body, drawn):
            yield now

    return run.click(
        start,
        [frame.session, *inputs],
        outputs,
        show_progress="hidden",
        trigger_mode="multiple",
        concurrency_limit=None,
        api_visibility="private",
    )


STYLE = style("segmentation") + (
    "#segmentation-table .swatch { display: inline-block; width: 1em; height: 1em }"
)
PAGE = TaskPage("segmentation", build, STYLE, group=GROUP)
