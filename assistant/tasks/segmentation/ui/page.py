"""The page 影像分割: a series on the left, its slices with structures and volumes on the right."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr

from assistant.api.context import Services
from assistant.imaging.classical import CLASSICAL
from assistant.record.attachment import Series
from assistant.store import Context
from assistant.tasks.segmentation.draft import ImageSegmentation
from assistant.tasks.segmentation.request import DEFAULT_MODEL, ImageToSegment
from assistant.tasks.segmentation.results import Results
from assistant.tasks.segmentation.ui.strings import STRINGS
from assistant.tasks.segmentation.ui.volume_table import volume_table
from assistant.ui.frame import Frame, TaskPage
from assistant.ui.imaging import viewer_routes
from assistant.ui.imaging.study import GROUP, Study, filled_choice, style
from assistant.ui.imaging.study_state import StudyState
from assistant.ui.imaging.viewer import View
from assistant.ui.imaging.viewer_routes import Asked
from assistant.ui.imaging.viewing import ViewedClass, Viewing
from assistant.ui.imaging.volumes import kept_volumes, viewed
from assistant.ui.session import Session
from assistant.ui.strings import add
from serving.vision.store import VisionStore

if TYPE_CHECKING:
    from fastapi import FastAPI

    from assistant.ui.host import Host

add(STRINGS)


@dataclass
class SeriesState(StudyState):
    """With the number of runs, so that what a new one has found is fetched."""

    runs: int = 0


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
            viewer = study.viewer()
            table = frame.panel(_table, elem_id="segmentation-table")
    study.connect(whose, [image, status], lambda s, _: [filled_choice(s.of(SeriesState).images)])
    show = _connect_view(study, [image, model], viewer)
    done = _connect_run(study, [image, model], run, [status, table])
    done.then(show, [frame.session, image, model], viewer, api_visibility="private")


def _title(name: str, title: str) -> str:
    return f"{title} · {name}" if title else name


def _table(session: Session) -> str:
    state = session.of(SeriesState)
    found = state.draft(ImageSegmentation)
    return volume_table(found, state.work.context, session.text) if found else ""


def _connect_view(study: Study[SeriesState], inputs: list[Any], panel: gr.HTML) -> Any:
    def chosen(state: SeriesState, values: tuple[Any, ...]) -> View | None:
        one = state.series(values[0])
        if one is None:
            return None
        # The structures that a run has just found are fetched anew.
        runs = 0 if state.draft(ImageSegmentation) is None else 1 + state.runs
        return View((one.id,), (values[1] or "",), revision=runs)

    return study.connect_view(inputs, panel, chosen)


def _opened(parts: Services, context: Context, series: list[Series], asked: Asked) -> Viewing:
    """The series, with the structures that the model found in it, if it has been asked to."""
    one = series[0]
    volume = kept_volumes(parts).volume(parts.store.attachments, context, one)
    results = parts.resources.shared("segmentation.results", Results)
    found = results.get(one.sha256, asked.labels[0]) if asked.labels else None
    if found is None or found.labels.shape != volume.grid.shape:
        return viewed(volume, one)
    classes = [
        ViewedClass(label=each.label, name=each.name_zh or each.name, colour=each.colour)
        for each in found.structures
    ]
    maps = [found.labels] if found.inner is None else [found.labels, found.inner]
    return viewed(volume, one, maps, classes)


def _serve(app: FastAPI, host: Host, parts: Services) -> None:
    viewer_routes.serve(app, host, parts, "segmentation", _opened)


def _connect_run(
    study: Study[SeriesState], inputs: list[Any], run: gr.Button, outputs: list[gr.HTML]
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

        state.runs += 1
        async for now in study.run(session, request, body, lambda: frame.draw(session, outputs)):
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
PAGE = TaskPage("segmentation", build, STYLE, _serve, group=GROUP)
