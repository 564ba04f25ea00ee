"""The page 影像分割: a series on the left, its slices with structures and volumes on the right."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from assistant.imaging.classical import CLASSICAL
from assistant.imaging.problem import ImageProblem
from assistant.record.attachment import Series
from assistant.store import Context, StoreError
from assistant.tasks.radiomics.picture import PLANES, WINDOWS
from assistant.tasks.radiomics.ui.study import label, listed
from assistant.tasks.segmentation.draft import ImageSegmentation
from assistant.tasks.segmentation.request import DEFAULT_MODEL, ImageToSegment
from assistant.tasks.segmentation.results import Results
from assistant.tasks.segmentation.ui.strings import STRINGS
from assistant.tasks.segmentation.ui.viewer import OverlayViewer
from assistant.tasks.segmentation.ui.volume_table import volume_table
from assistant.ui import watch
from assistant.ui.case_form import is_id
from assistant.ui.frame import Frame, TaskPage
from assistant.ui.markup import esc
from assistant.ui.session import PageState, Session, Work, clinician
from assistant.ui.status import status_line
from assistant.ui.strings import add
from serving.vision.store import VisionStore

add(STRINGS)

_PROBLEMS = (ImageProblem, StoreError, ValueError)


@dataclass
class SeriesState(PageState):
    """The patient's series, what is shown of them, and the work."""

    work: Work = field(default_factory=Work)
    context: Context | None = None
    images: list[Series] = field(default_factory=list)
    picture: str = ""
    said: str = ""

    def works(self) -> Sequence[Work]:
        return (self.work,)

    def series(self, series_id: str | None) -> Series | None:
        """One of the patient's series."""
        return next((one for one in self.images if one.id == series_id), None)

    def draft(self) -> ImageSegmentation | None:
        """What the work has given."""
        drafts = [shown.draft for shown in self.work.shown.values()]
        return next((one for one in drafts if isinstance(one, ImageSegmentation)), None)


def build(frame: Frame) -> None:
    """Lay the page out and connect it."""
    t = frame.first.text
    store = VisionStore(frame.parts.settings.home)
    models = [(_title(one.name, one.title_zh), one.name) for one in store.list()]
    models.append((f"{CLASSICAL} · CT", CLASSICAL))
    frame.panel(lambda s: f'<p class="notice warn">{esc(s.text("segmentation.notice"))}</p>')
    with gr.Row(elem_classes="split", equal_height=False):
        with gr.Column(scale=4, min_width=320, elem_classes="left scrolls"):
            patient, encounter = (
                _named(frame, gr.Textbox(max_lines=1, elem_id=f"segmentation-{name}"), name)
                for name in ("patient", "encounter")
            )
            look = gr.Button(t("segmentation.look"), elem_id="segmentation-look")
            frame.labelled(look, "segmentation.look", "value")
            image = _named(frame, gr.Dropdown([], elem_id="segmentation-image"), "image")
            model = _named(
                frame,
                gr.Dropdown(models, value=DEFAULT_MODEL, elem_id="segmentation-model"),
                "model",
            )
            run = gr.Button(t("segmentation.run"), variant="primary", elem_id="segmentation-run")
            frame.labelled(run, "segmentation.run", "value")
        with gr.Column(scale=8, min_width=460, elem_classes="right"):
            status = frame.panel(_status, elem_id="segmentation-status")
            with gr.Row():
                plane = _named(frame, gr.Dropdown(_words(t, PLANES), value="axial"), "plane")
                windows = ("auto", *WINDOWS)
                window = _named(frame, gr.Dropdown(_words(t, windows), value="auto"), "window")
                number = gr.Slider(0, 1, value=0, step=1, elem_id="segmentation-slice")
                opacity = gr.Slider(0, 1, value=0.5, step=0.05, elem_id="segmentation-opacity")
            _named(frame, number, "slice")
            _named(frame, opacity, "opacity")
            shown = _named(
                frame, gr.Dropdown([], multiselect=True, elem_id="segmentation-shown"), "shown"
            )
            picture = frame.panel(_picture, elem_id="segmentation-picture")
            table = frame.panel(_table, elem_id="segmentation-table")
    _connect_study(frame, [patient, encounter], look, [image, status])
    view = [image, model, plane, window, number, opacity, shown]
    show = _connect_view(frame, view, [status, picture, number])
    done = _connect_run(frame, [image, model], run, [status, table, shown])
    done.then(show, [frame.session, *view], [status, picture, number], api_visibility="private")


def _title(name: str, title: str) -> str:
    return f"{title} · {name}" if title else name


def _named(frame: Frame, part: Any, name: str) -> Any:
    part.label = frame.first.text(f"segmentation.{name}")
    return frame.labelled(part, f"segmentation.{name}")


def _words(t: Any, names: Any) -> list[tuple[str, str]]:
    return [(t(f"segmentation.{name}"), name) for name in names]


def _status(session: Session) -> str:
    state = session.of(SeriesState)
    said = f'<p class="status" role="status">{esc(state.said)}</p>' if state.said else ""
    return said + status_line(state.work, session.text)


def _picture(session: Session) -> str:
    address = session.of(SeriesState).picture
    alt = esc(session.text("segmentation.picture"))
    return f'<img class="slice" src="{address}" alt="{alt}">' if address else ""


def _table(session: Session) -> str:
    state = session.of(SeriesState)
    found = state.draft()
    return volume_table(found, state.work.context, session.text) if found else ""


def _connect_study(frame: Frame, inputs: list[Any], look: gr.Button, outputs: list[Any]) -> None:
    async def looked(
        session: Session, patient: str, encounter: str, request: gr.Request
    ) -> list[Any]:
        actor, state, t = clinician(session, request), session.of(SeriesState), session.text
        ids = (patient or "").strip(), (encounter or "").strip()
        images: list[tuple[str, str]] = []
        state.picture = ""
        if not is_id(ids[0]) or (ids[1] and not is_id(ids[1])):
            state.said = t("segmentation.ids")
        else:
            state.context = context = Context(actor.id, actor.role, *ids)
            state.said = ""
            try:
                held = frame.parts.store.attachments
                state.images, _ = await asyncio.to_thread(listed, held, context)
                images = [(label(one), one.id) for one in state.images]
                state.said = "" if images else t("segmentation.none")
            except _PROBLEMS as error:
                state.said = str(error)
        first = images[0][1] if images else None
        return [gr.update(choices=images, value=first), *frame.draw(session, outputs[1:])]

    look.click(looked, [frame.session, *inputs], outputs, api_visibility="private")


def _connect_view(frame: Frame, inputs: list[Any], outputs: list[Any]) -> Any:
    image, model, plane, window, number, opacity, shown = inputs

    async def show(session: Session, at: int | None, chosen: Sequence[Any]) -> list[Any]:
        state = session.of(SeriesState)
        series_id, model_name, plane_name, window_name, share, labels = chosen
        one = state.series(series_id)
        slider: Any = gr.update()
        if one is not None and state.context is not None:
            resources = frame.parts.resources
            viewer = resources.shared("segmentation.viewer", OverlayViewer)
            found = resources.shared("segmentation.results", Results).get(
                one.sha256, model_name or ""
            )
            try:
                state.picture, place, count = await asyncio.to_thread(
                    viewer.overlaid,
                    frame.parts.store.attachments,
                    state.context,
                    one,
                    found,
                    plane=plane_name,
                    window=window_name,
                    number=at,
                    opacity=float(share),
                    labels=frozenset(labels) if labels else None,
                )
                slider = gr.update(maximum=max(count - 1, 1), value=place)
            except _PROBLEMS as error:
                state.picture, state.said = "", str(error)
        return [*frame.draw(session, outputs[:2]), slider]

    async def renewed(
        session: Session,
        image: Any,
        model: Any,
        plane: Any,
        window: Any,
        _: Any,
        opacity: Any,
        shown: Any,
        request: gr.Request,
    ) -> list[Any]:
        clinician(session, request)
        return await show(session, None, (image, model, plane, window, opacity, shown))

    async def moved(
        session: Session,
        image: Any,
        model: Any,
        plane: Any,
        window: Any,
        number: float,
        opacity: Any,
        shown: Any,
        request: gr.Request,
    ) -> list[Any]:
        clinician(session, request)
        return await show(session, int(number), (image, model, plane, window, opacity, shown))

    everything = [frame.session, *inputs]
    for part in (image, model, plane):
        part.change(renewed, everything, outputs, api_visibility="private")
    for part in (window, shown):
        part.change(moved, everything, outputs, api_visibility="private")
    for part in (number, opacity):
        part.release(moved, everything, outputs, api_visibility="private")
    return renewed


def _connect_run(frame: Frame, inputs: list[Any], run: gr.Button, outputs: list[Any]) -> Any:
    parts = frame.parts

    async def start(
        session: Session, image: str | None, model: str | None, request: gr.Request
    ) -> AsyncGenerator[list[Any]]:
        actor, state = clinician(session, request), session.of(SeriesState)
        one = state.series(image)

        def drawn() -> list[Any]:
            found = state.draft()
            structures = found.structures if found else []
            names = [(each.name_zh or each.name, each.label) for each in structures]
            return [*frame.draw(session, outputs[:2]), gr.update(choices=names, value=[])]

        if one is None or state.context is None or not model:
            state.said = session.text("segmentation.choose")
            yield drawn()
            return
        state.said = ""
        body = ImageToSegment(
            patient_id=state.context.patient_id,
            encounter_id=state.context.encounter_id or None,
            attachments=[one],
            model=model,
        )
        asked = parts.tasks["segmentation"].accept(body, parts.settings)
        if await watch.begin(parts, state.work, actor, "segmentation", asked):
            yield drawn()
            async for _ in watch.follow(parts, state.work):
                yield drawn()
        yield drawn()

    return run.click(
        start,
        [frame.session, *inputs],
        outputs,
        show_progress="hidden",
        trigger_mode="multiple",
        concurrency_limit=None,
        api_visibility="private",
    )


STYLE = (
    "#segmentation-picture img.slice { max-width: 100%; max-height: 70vh; background: #000 }"
    "#segmentation-table .swatch { display: inline-block; width: 1em; height: 1em }"
)
PAGE = TaskPage("segmentation", build, STYLE)
