"""The page 影像组学: a study on the left, its slices and features on the right."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from assistant.api.context import Services
from assistant.imaging.problem import ImageProblem
from assistant.record.attachment import REGION_MODALITIES, Series
from assistant.store import Context
from assistant.tasks.radiomics.cohort.ui import panel as cohort
from assistant.tasks.radiomics.cohort.ui.tables import serve as serve_tables
from assistant.tasks.radiomics.draft import RadiomicsFeatures
from assistant.tasks.radiomics.request import RegionToMeasure
from assistant.tasks.radiomics.settings import DEFAULT, shipped
from assistant.tasks.radiomics.ui.feature_table import feature_table
from assistant.tasks.radiomics.ui.strings import STRINGS
from assistant.ui.frame import Frame, TaskPage
from assistant.ui.imaging import viewer_routes
from assistant.ui.imaging.attached import PROBLEMS, kept_picture, listed, region_names
from assistant.ui.imaging.study import GROUP, Study, filled_choice, style
from assistant.ui.imaging.study_state import StudyState
from assistant.ui.imaging.viewer import View
from assistant.ui.imaging.viewer_routes import Asked
from assistant.ui.imaging.viewing import ViewedClass, Viewing
from assistant.ui.imaging.volumes import kept_volumes, viewed
from assistant.ui.session import Session, clinician
from assistant.ui.strings import add

if TYPE_CHECKING:
    from fastapi import FastAPI

    from assistant.ui.host import Host

add(STRINGS)

_COLOUR = (255, 196, 0)


@dataclass
class RegionState(StudyState):
    """With the RTSTRUCT and SEG of the patient."""

    regions: list[Series] = field(default_factory=list)
    measured: tuple[str, str] = ("", "")
    """The id of the picture of the region that was measured, and the picture as an address."""

    def region(self, series_id: str | None) -> Series | None:
        """One of the patient's regions."""
        return next((one for one in self.regions if one.id == series_id), None)


def build(frame: Frame) -> None:
    """Lay the page out and connect it."""
    study = Study(frame, "radiomics", RegionState)
    study.notice()
    with gr.Row(elem_classes="split", equal_height=False):
        with gr.Column(scale=4, min_width=320, elem_classes="left scrolls"):
            whose = study.whose()
            image = study.choice("image", "study.image")
            region, roi = (study.choice(key, f"radiomics.{key}") for key in ("region", "roi"))
            chosen = study.choice("settings", "radiomics.settings", shipped(), value=DEFAULT)
            again = study.named(gr.Checkbox(), "radiomics.reproducibility")
            run = study.button("run", "radiomics.run", primary=True)
        with gr.Column(scale=8, min_width=460, elem_classes="right"):
            status = study.status()
            viewer = study.viewer()
            table = frame.panel(lambda s: _table(frame, s), elem_id="radiomics-table")
    if cohort.KIND in frame.parts.tasks:
        cohort.build(frame)
    study.connect(whose, [image, region, roi, status], lambda s, _: _filled(frame, s))
    _connect_names(study, region, roi)
    _connect_view(study, [image, region, roi], viewer)
    _connect_run(study, [image, region, roi, chosen, again], run, [status, table])


def _table(frame: Frame, session: Session) -> str:
    state = session.of(RegionState)
    found, context = state.draft(RadiomicsFeatures), state.work.context
    if found is None or context is None:
        return ""
    picture = found.evidence.picture
    if picture is not None and state.measured[0] != picture.attachment_id:
        held, chosen = frame.parts.store.attachments, picture.attachment_id
        try:
            state.measured = chosen, kept_picture(held, context, chosen)
        except PROBLEMS:
            # It was purged since; the table has its values still.
            state.measured = chosen, ""
    return feature_table(found, context, session.text, state.measured[1])


def _filled(frame: Frame, session: Session) -> list[Any]:
    """The lists of images, of regions, and of the names in the first region."""
    state, names = session.of(RegionState), list[str]()
    state.regions = []
    if state.context is not None and state.images:
        held = frame.parts.store.attachments
        state.regions = listed(held, state.context, REGION_MODALITIES)
        if state.regions:
            names = region_names(held, state.context, state.regions[0])
    roi = gr.update(choices=names, value=names[0] if names else None)
    return [filled_choice(state.images), filled_choice(state.regions), roi]


def _connect_names(study: Study[RegionState], region: gr.Dropdown, roi: gr.Dropdown) -> None:
    """The names are those of the region that is chosen."""
    held = study.frame.parts.store.attachments

    async def named(session: Session, chosen: str | None, request: gr.Request) -> Any:
        clinician(session, request)
        state = session.of(RegionState)
        one, names = state.region(chosen), list[str]()
        try:
            if one is not None and state.context is not None:
                names = await asyncio.to_thread(region_names, held, state.context, one)
        except PROBLEMS as error:
            state.said = str(error)
        return gr.update(choices=names, value=names[0] if names else None)

    region.input(named, [study.frame.session, region], roi, api_visibility="private")


def _connect_view(study: Study[RegionState], inputs: list[Any], panel: gr.HTML) -> None:
    def chosen(state: RegionState, values: tuple[Any, ...]) -> View | None:
        series_id, region_id, name = values
        one, marked = state.series(series_id), state.region(region_id)
        if one is None:
            return None
        return View((one.id,), (marked.id, name) if marked is not None and name else ())

    study.connect_view(inputs, panel, chosen)


def _opened(parts: Services, context: Context, series: list[Series], asked: Asked) -> Viewing:
    """The series, with the region that is chosen."""
    one, held = series[0], parts.store.attachments
    volume = kept_volumes(parts).volume(held, context, one)
    if len(asked.labels) < 2:
        return viewed(volume, one)
    region_id, name = asked.labels[:2]
    region = held.get(context, region_id)
    if not isinstance(region, Series):
        raise ImageProblem("该附件不是勾画或分割。", "The attachment is no region.")
    mask = kept_volumes(parts).mask(held, context, one, region, name)
    classes = [ViewedClass(label=1, name=name, colour=_COLOUR)]
    return viewed(volume, one, [mask.view(np.uint8)], classes)


def _serve(app: FastAPI, host: Host, parts: Services) -> None:
    serve_tables(app, host, parts)
    viewer_routes.serve(app, host, parts, "radiomics", _opened)


def _connect_run(
    study: Study[RegionState], inputs: list[Any], run: gr.Button, outputs: list[gr.HTML]
) -> None:
    frame = study.frame

    async def start(
        session: Session, request: gr.Request, *chosen: Any
    ) -> AsyncGenerator[list[Any]]:
        image, region, roi, settings, again = chosen

        def body() -> RegionToMeasure:
            state = session.of(RegionState)
            both = [one for one in (state.series(image), state.region(region)) if one is not None]
            if len(both) < 2 or state.context is None:
                raise ValueError(session.text("radiomics.choose"))
            return RegionToMeasure(
                patient_id=state.context.patient_id,
                encounter_id=state.context.encounter_id or None,
                attachments=both,
                roi=roi or "",
                settings=settings,
                reproducibility=again,
            )

        async for drawn in study.run(session, request, body, lambda: frame.draw(session, outputs)):
            yield drawn

    frame.on_run([run.click], start, [frame.session, *inputs], outputs)


_STYLE = "#radiomics-table img.region { float: right; max-width: 45%; max-height: 40vh }"
PAGE = TaskPage("radiomics", build, style("radiomics") + _STYLE, _serve, group=GROUP)
