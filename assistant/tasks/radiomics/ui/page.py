"""The page 影像组学: a study on the left, its slices and features on the right."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from assistant.imaging.problem import ImageProblem
from assistant.record.attachment import Series
from assistant.store import Context, StoreError
from assistant.tasks.radiomics.draft import RadiomicsFeatures
from assistant.tasks.radiomics.picture import PLANES, WINDOWS
from assistant.tasks.radiomics.request import RegionToMeasure
from assistant.tasks.radiomics.settings import DEFAULT, shipped
from assistant.tasks.radiomics.ui.feature_table import feature_table
from assistant.tasks.radiomics.ui.strings import STRINGS
from assistant.tasks.radiomics.ui.study import Viewer, label, listed, region_names
from assistant.ui import watch
from assistant.ui.case_form import is_id
from assistant.ui.frame import Frame, TaskPage
from assistant.ui.markup import esc
from assistant.ui.session import PageState, Session, Work, clinician
from assistant.ui.status import status_line
from assistant.ui.strings import add

add(STRINGS)

_PROBLEMS = (ImageProblem, StoreError, ValueError)


@dataclass
class StudyState(PageState):
    """The patient's series, which are chosen, and the slice that is shown."""

    work: Work = field(default_factory=Work)
    context: Context | None = None
    images: list[Series] = field(default_factory=list)
    regions: list[Series] = field(default_factory=list)
    picture: str = ""
    said: str = ""

    def works(self) -> Sequence[Work]:
        return (self.work,)

    def series(self, series_id: str | None) -> Series | None:
        """One of the patient's series."""
        return next((s for s in (*self.images, *self.regions) if s.id == series_id), None)


def build(frame: Frame) -> None:
    """Lay the page out and connect it."""
    t = frame.first.text
    frame.panel(lambda s: f'<p class="notice warn">{esc(s.text("radiomics.notice"))}</p>')
    with gr.Row(elem_classes="split", equal_height=False):
        with gr.Column(scale=4, min_width=320, elem_classes="left scrolls"):
            patient, encounter = _box(frame, "patient"), _box(frame, "encounter")
            look = gr.Button(t("radiomics.look"), elem_id="radiomics-look")
            frame.labelled(look, "radiomics.look", "value")
            image, region, roi = (_choice(frame, name) for name in ("image", "region", "roi"))
            chosen = _choice(frame, "settings", shipped(), DEFAULT)
            again = frame.labelled(
                gr.Checkbox(label=t("radiomics.reproducibility")), "radiomics.reproducibility"
            )
            run = gr.Button(t("radiomics.run"), variant="primary", elem_id="radiomics-run")
            frame.labelled(run, "radiomics.run", "value")
        with gr.Column(scale=8, min_width=460, elem_classes="right"):
            status = frame.panel(_status, elem_id="radiomics-status")
            with gr.Row():
                plane = gr.Dropdown(_words(frame.first, PLANES), value="axial")
                window = gr.Dropdown(_words(frame.first, WINDOWS), value="soft")
                number = gr.Slider(0, 1, value=0, step=1, elem_id="radiomics-slice")
            for part, key in ((plane, "plane"), (window, "window"), (number, "slice")):
                frame.labelled(part, f"radiomics.{key}")
            picture = frame.panel(_picture, elem_id="radiomics-picture")
            table = frame.panel(_table, elem_id="radiomics-table")
    view = [image, region, roi, plane, window, number]
    shown = [status, picture, number]
    _connect_study(frame, [patient, encounter], look, [image, region, roi, status])
    _connect_view(frame, view, shown)
    _connect_run(frame, [image, region, roi, chosen, again], run, [status, table])


def _box(frame: Frame, name: str) -> gr.Textbox:
    key = f"radiomics.{name}"
    made = gr.Textbox(label=frame.first.text(key), max_lines=1, elem_id=f"radiomics-{name}")
    frame.labelled(made, key)
    return made


def _choice(
    frame: Frame, name: str, choices: Sequence[str] = (), value: str | None = None
) -> gr.Dropdown:
    key = f"radiomics.{name}"
    made = gr.Dropdown(
        list(choices), value=value, label=frame.first.text(key), elem_id=f"radiomics-{name}"
    )
    frame.labelled(made, key)
    return made


def _words(session: Session, names: Any) -> list[tuple[str, str]]:
    return [(session.text(f"radiomics.{name}"), name) for name in names]


def _status(session: Session) -> str:
    state = session.of(StudyState)
    said = f'<p class="status" role="status">{esc(state.said)}</p>' if state.said else ""
    return said + status_line(state.work, session.text)


def _picture(session: Session) -> str:
    address = session.of(StudyState).picture
    alt = esc(session.text("radiomics.picture"))
    return f'<img class="slice" src="{address}" alt="{alt}">' if address else ""


def _table(session: Session) -> str:
    state = session.of(StudyState)
    drafts = [shown.draft for shown in state.work.shown.values()]
    found = next((one for one in drafts if isinstance(one, RadiomicsFeatures)), None)
    return feature_table(found, state.work.context, session.text) if found else ""


def _connect_study(frame: Frame, inputs: list[Any], look: gr.Button, outputs: list[Any]) -> None:
    async def looked(
        session: Session, patient: str, encounter: str, request: gr.Request
    ) -> list[Any]:
        actor, state, t = clinician(session, request), session.of(StudyState), session.text
        ids = (patient or "").strip(), (encounter or "").strip()
        images: list[tuple[str, str]] = []
        regions: list[tuple[str, str]] = []
        names: list[str] = []
        state.picture = ""
        if not is_id(ids[0]) or (ids[1] and not is_id(ids[1])):
            state.said = t("radiomics.ids")
        else:
            state.context = context = Context(actor.id, actor.role, *ids)
            state.said = ""
            held = frame.parts.store.attachments
            try:
                found = await asyncio.to_thread(listed, held, context)
                state.images, state.regions = found
                images, regions = ([(label(s), s.id) for s in part] for part in found)
                if state.regions:
                    first = state.regions[0]
                    names = await asyncio.to_thread(region_names, held, context, first)
                elif not images:
                    state.said = t("radiomics.none")
            except _PROBLEMS as error:
                state.said = str(error)
        boxes = [_filled(images), _filled(regions), _filled([(name, name) for name in names])]
        return [*boxes, *frame.draw(session, outputs[3:])]

    look.click(looked, [frame.session, *inputs], outputs, api_visibility="private")


def _filled(choices: list[tuple[str, str]]) -> Any:
    return gr.update(choices=choices, value=choices[0][1] if choices else None)


def _connect_view(frame: Frame, inputs: list[Any], outputs: list[Any]) -> None:
    image, region, roi, plane, window, number = inputs

    async def show(
        session: Session, at: int | None, chosen: Sequence[Any], request: gr.Request
    ) -> list[Any]:
        clinician(session, request)
        state = session.of(StudyState)
        series_id, region_id, name, plane_name, window_name = chosen
        one = state.series(series_id)
        slider: Any = gr.update()
        if one is not None and state.context is not None:
            viewer = frame.parts.resources.shared("radiomics.viewer", Viewer)
            try:
                state.picture, shown, count = await asyncio.to_thread(
                    viewer.shown,
                    frame.parts.store.attachments,
                    state.context,
                    one,
                    state.series(region_id),
                    name or "",
                    plane=plane_name,
                    window=window_name,
                    number=at,
                )
                slider = gr.update(maximum=max(count - 1, 1), value=shown)
                state.said = ""
            except _PROBLEMS as error:
                state.picture, state.said = "", str(error)
        return [*frame.draw(session, outputs[:2]), slider]

    async def renewed(
        session: Session,
        image: Any,
        region: Any,
        roi: Any,
        plane: Any,
        window: Any,
        _: Any,
        request: gr.Request,
    ) -> list[Any]:
        return await show(session, None, (image, region, roi, plane, window), request)

    async def moved(
        session: Session,
        image: Any,
        region: Any,
        roi: Any,
        plane: Any,
        window: Any,
        number: float,
        request: gr.Request,
    ) -> list[Any]:
        return await show(session, int(number), (image, region, roi, plane, window), request)

    everything = [frame.session, *inputs]
    for part in (image, region, roi, plane):
        part.change(renewed, everything, outputs, api_visibility="private")
    window.change(moved, everything, outputs, api_visibility="private")
    number.release(moved, everything, outputs, api_visibility="private")


def _connect_run(frame: Frame, inputs: list[Any], run: gr.Button, outputs: list[gr.HTML]) -> None:
    parts = frame.parts

    async def start(
        session: Session,
        image: str | None,
        region: str | None,
        roi: str | None,
        settings: str,
        again: bool,
        request: gr.Request,
    ) -> AsyncGenerator[list[Any]]:
        actor, state = clinician(session, request), session.of(StudyState)
        both = [one for one in (state.series(image), state.series(region)) if one is not None]
        if len(both) < 2 or state.context is None:
            state.said = session.text("radiomics.choose")
            yield frame.draw(session, outputs)
            return
        state.said = ""
        body = RegionToMeasure(
            patient_id=state.context.patient_id,
            encounter_id=state.context.encounter_id or None,
            attachments=both,
            roi=roi or "",
            settings=settings,
            reproducibility=again,
        )
        asked = parts.tasks["radiomics"].accept(body, parts.settings)
        if await watch.begin(parts, state.work, actor, "radiomics", asked):
            yield frame.draw(session, outputs)
            async for _ in watch.follow(parts, state.work):
                yield frame.draw(session, outputs)
        yield frame.draw(session, outputs)

    frame.on_run([run.click], start, [frame.session, *inputs], outputs)


STYLE = "#radiomics-picture img.slice { max-width: 100%; max-height: 70vh; background: #000 }"
PAGE = TaskPage("radiomics", build, STYLE)
