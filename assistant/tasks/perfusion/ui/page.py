"""The page 脑灌注: a study on the left; maps, curves and tables on the right."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr

from assistant.imaging.problem import ImageProblem
from assistant.record.attachment import Series
from assistant.store import Context, StoreError
from assistant.tasks.perfusion.draft import PerfusionReport
from assistant.tasks.perfusion.request import PerfusionStudy
from assistant.tasks.perfusion.settings import PerfusionSettings
from assistant.tasks.perfusion.ui.findings_table import findings_table
from assistant.tasks.perfusion.ui.kept_study import dropped, label, listed, picture
from assistant.tasks.perfusion.ui.strings import STRINGS
from assistant.ui import watch
from assistant.ui.case_form import is_id
from assistant.ui.frame import Frame, TaskPage
from assistant.ui.markup import esc
from assistant.ui.session import PageState, Session, Work, clinician
from assistant.ui.status import status_line
from assistant.ui.strings import add
from assistant.work.task import Refused

add(STRINGS)

_PROBLEMS = (ImageProblem, StoreError, Refused, ValueError)
_MAPS = ("lesion", "cbf", "cbv", "mtt", "tmax", "ttp", "delay", "curves")


@dataclass
class PerfusionState(PageState):
    """The patient's series, the work, and the picture that is shown."""

    work: Work = field(default_factory=Work)
    context: Context | None = None
    series: list[Series] = field(default_factory=list)
    picture: str = ""
    said: str = ""

    def works(self) -> Sequence[Work]:
        return (self.work,)

    @property
    def report(self) -> PerfusionReport | None:
        """What was found, when it has been."""
        drafts = [shown.draft for shown in self.work.shown.values()]
        return next((one for one in drafts if isinstance(one, PerfusionReport)), None)


def build(frame: Frame) -> None:
    """Lay the page out and connect it."""
    t = frame.first.text
    frame.panel(lambda s: f'<p class="notice warn">{esc(s.text("perfusion.notice"))}</p>')
    with gr.Row(elem_classes="split", equal_height=False):
        with gr.Column(scale=4, min_width=320, elem_classes="left scrolls"):
            patient, encounter = _box(frame, "patient"), _box(frame, "encounter")
            look = gr.Button(t("perfusion.look"), elem_id="perfusion-look")
            frame.labelled(look, "perfusion.look", "value")
            files = gr.File(
                file_count="multiple", label=t("perfusion.upload"), elem_id="perfusion-upload"
            )
            frame.labelled(files, "perfusion.upload")
            series = gr.Dropdown([], multiselect=True, elem_id="perfusion-series")
            method = gr.Dropdown(["bayes", "osvd"], value="bayes", elem_id="perfusion-method")
            step = gr.Number(value=None, minimum=0, maximum=60, elem_id="perfusion-step")
            for part, key in ((series, "series"), (method, "method"), (step, "step")):
                frame.labelled(part, f"perfusion.{key}")
            run = gr.Button(t("perfusion.run"), variant="primary", elem_id="perfusion-run")
            frame.labelled(run, "perfusion.run", "value")
        with gr.Column(scale=8, min_width=460, elem_classes="right"):
            status = frame.panel(_status, elem_id="perfusion-status")
            chosen = gr.Dropdown(_names(frame.first), value="lesion", elem_id="perfusion-map")
            frame.labelled(chosen, "perfusion.map")
            shown = frame.panel(_picture, elem_id="perfusion-picture")
            table = frame.panel(_table, elem_id="perfusion-table")
    _connect_study(frame, [patient, encounter], look, files, [series, status])
    _connect_run(frame, [series, method, step, chosen], run, [status, shown, table])
    _connect_map(frame, chosen, shown)


def _box(frame: Frame, name: str) -> gr.Textbox:
    key = f"perfusion.{name}"
    made = gr.Textbox(label=frame.first.text(key), max_lines=1, elem_id=f"perfusion-{name}")
    frame.labelled(made, key)
    return made


def _names(session: Session) -> list[tuple[str, str]]:
    worded = ("lesion", "curves", "delay")
    return [(session.text(f"perfusion.{n}") if n in worded else n.upper(), n) for n in _MAPS]


def _status(session: Session) -> str:
    state = session.of(PerfusionState)
    said = f'<p class="status" role="status">{esc(state.said)}</p>' if state.said else ""
    return said + status_line(state.work, session.text)


def _picture(session: Session) -> str:
    address = session.of(PerfusionState).picture
    alt = esc(session.text("perfusion.picture"))
    return f'<img class="slice" src="{address}" alt="{alt}">' if address else ""


def _table(session: Session) -> str:
    state = session.of(PerfusionState)
    found = state.report
    return findings_table(found, state.work.context, session.text) if found else ""


def _connect_study(
    frame: Frame, inputs: list[Any], look: gr.Button, files: gr.File, outputs: list[Any]
) -> None:
    held = frame.parts.store.attachments

    async def filled(
        session: Session, patient: str, encounter: str, paths: Sequence[str], request: gr.Request
    ) -> list[Any]:
        actor, state, t = clinician(session, request), session.of(PerfusionState), session.text
        ids = (patient or "").strip(), (encounter or "").strip()
        state.series, state.said = [], ""
        if not is_id(ids[0]) or (ids[1] and not is_id(ids[1])):
            state.said = t("perfusion.ids")
        else:
            state.context = context = Context(actor.id, actor.role, *ids)
            try:
                places = [Path(path) for path in paths]
                if places and not await asyncio.to_thread(dropped, held, context, places):
                    state.said = t("perfusion.no_dicom")
                state.series = await asyncio.to_thread(listed, held, context)
                if not state.series and not state.said:
                    state.said = t("perfusion.none")
            except _PROBLEMS as error:
                state.said = str(error)
        choices = [(label(one), one.id) for one in state.series]
        chosen = [state.series[0].id] if len(state.series) == 1 or (paths and choices) else []
        return [gr.update(choices=choices, value=chosen), *frame.draw(session, outputs[1:])]

    async def looked(
        session: Session, patient: str, encounter: str, request: gr.Request
    ) -> list[Any]:
        return await filled(session, patient, encounter, (), request)

    async def uploaded(
        session: Session,
        patient: str,
        encounter: str,
        paths: list[str] | None,
        request: gr.Request,
    ) -> list[Any]:
        return await filled(session, patient, encounter, paths or (), request)

    boxes = [frame.session, *inputs]
    look.click(looked, boxes, outputs, api_visibility="private")
    files.upload(uploaded, [*boxes, files], outputs, api_visibility="private")


async def _show(frame: Frame, session: Session, name: str) -> None:
    """Fetch the picture ``name`` of what was found."""
    state = session.of(PerfusionState)
    found = state.report
    state.picture = ""
    if found is not None and state.context is not None and name in found.pictures:
        try:
            state.picture = await asyncio.to_thread(
                picture, frame.parts.store.attachments, state.context, found.pictures[name]
            )
        except _PROBLEMS as error:
            state.said = str(error)


def _connect_map(frame: Frame, chosen: gr.Dropdown, shown: gr.HTML) -> None:
    async def other(session: Session, name: str, request: gr.Request) -> list[Any]:
        clinician(session, request)
        await _show(frame, session, name)
        return frame.draw(session, [shown])

    chosen.change(other, [frame.session, chosen], [shown], api_visibility="private")


def _connect_run(frame: Frame, inputs: list[Any], run: gr.Button, outputs: list[gr.HTML]) -> None:
    parts = frame.parts

    async def start(
        session: Session,
        series: list[str] | None,
        method: str,
        step: float | None,
        name: str,
        request: gr.Request,
    ) -> AsyncGenerator[list[Any]]:
        actor, state = clinician(session, request), session.of(PerfusionState)
        both = [one for one in state.series if one.id in (series or ())]
        if not both or state.context is None:
            state.said = session.text("perfusion.choose")
            yield frame.draw(session, outputs)
            return
        state.said, state.picture = "", ""
        try:
            body = PerfusionStudy(
                patient_id=state.context.patient_id,
                encounter_id=state.context.encounter_id or None,
                attachments=both,
                step_seconds=step or None,
                settings=PerfusionSettings.model_validate({"method": method}),
            )
            asked = parts.tasks["perfusion"].accept(body, parts.settings)
        except _PROBLEMS as error:
            state.said = str(error)
            yield frame.draw(session, outputs)
            return
        if await watch.begin(parts, state.work, actor, "perfusion", asked):
            yield frame.draw(session, outputs)
            async for _ in watch.follow(parts, state.work):
                yield frame.draw(session, outputs)
            await _show(frame, session, name)
        yield frame.draw(session, outputs)

    frame.on_run([run.click], start, [frame.session, *inputs], outputs)


STYLE = "#perfusion-picture img.slice { max-width: 100%; max-height: 75vh; background: #000 }"
PAGE = TaskPage("perfusion", build, STYLE)
