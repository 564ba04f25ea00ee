"""The page 脑灌注: a study on the left; maps, curves and tables on the right."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Iterator
from typing import TYPE_CHECKING, Any

import gradio as gr

from assistant.api.context import Services
from assistant.imaging import dicom
from assistant.record.attachment import Series
from assistant.store import Context
from assistant.tasks.perfusion import dicom_study
from assistant.tasks.perfusion.draft import PerfusionReport
from assistant.tasks.perfusion.request import MODALITIES, PerfusionStudy
from assistant.tasks.perfusion.settings import PerfusionSettings
from assistant.tasks.perfusion.ui.findings_table import findings_table
from assistant.tasks.perfusion.ui.strings import STRINGS
from assistant.ui.frame import Frame, TaskPage
from assistant.ui.imaging import viewer_routes
from assistant.ui.imaging.attached import PROBLEMS, kept_picture, label
from assistant.ui.imaging.study import GROUP, Study, style
from assistant.ui.imaging.study_state import StudyState
from assistant.ui.imaging.viewer import View
from assistant.ui.imaging.viewer_routes import Asked
from assistant.ui.imaging.viewing import Viewing
from assistant.ui.session import Session, clinician
from assistant.ui.strings import add

if TYPE_CHECKING:
    from fastapi import FastAPI

    from assistant.ui.host import Host

add(STRINGS)

_MAPS = ("lesion", "cbf", "cbv", "mtt", "tmax", "ttp", "delay", "curves")
_WORDED = ("lesion", "curves", "delay")


class PerfusionState(StudyState):
    """The state of this page."""


def build(frame: Frame) -> None:
    """Lay the page out and connect it."""
    study = Study(frame, "perfusion", PerfusionState, MODALITIES)
    study.notice()
    with gr.Row(elem_classes="split", equal_height=False):
        with gr.Column(scale=4, min_width=320, elem_classes="left scrolls"):
            whose = study.whose()
            series = study.choice("series", "perfusion.series", multiselect=True)
            method = study.choice("method", "perfusion.method", ("bayes", "osvd"), value="bayes")
            step = study.named(
                gr.Number(value=None, minimum=0, maximum=60, elem_id="perfusion-step"),
                "perfusion.step",
            )
            run = study.button("run", "perfusion.run", primary=True)
        with gr.Column(scale=8, min_width=460, elem_classes="right"):
            status = study.status()
            viewer = study.viewer()
            chosen = study.choice("map", "perfusion.map", _names(frame.first), value="lesion")
            shown = study.picture()
            table = frame.panel(_table, elem_id="perfusion-table")
    study.connect(whose, [series, status], _filled)
    study.connect_view([series, step], viewer, _view)
    _connect_run(study, [series, method, step, chosen], run, [status, shown, table])
    _connect_map(study, chosen, shown)


def _names(session: Session) -> list[tuple[str, str]]:
    return [(session.text(f"perfusion.{n}") if n in _WORDED else n.upper(), n) for n in _MAPS]


def _table(session: Session) -> str:
    state = session.of(PerfusionState)
    found = state.draft(PerfusionReport)
    return findings_table(found, state.work.context, session.text) if found else ""


def _filled(session: Session, dropped: bool) -> list[Any]:
    """The patient's series; one is chosen where it is the only one, or has just been dropped."""
    images = session.of(PerfusionState).images
    chosen = [images[0].id] if len(images) == 1 or (dropped and images) else []
    return [gr.update(choices=[(label(one), one.id) for one in images], value=chosen)]


def _view(state: PerfusionState, values: tuple[Any, ...]) -> View | None:
    chosen = tuple(one.id for one in state.images if one.id in (values[0] or ()))
    return View(chosen, step=values[1] or None, window="brain") if chosen else None


def _opened(parts: Services, context: Context, series: list[Series], asked: Asked) -> Viewing:
    """All times of the study, on the grid of its maps."""
    held = parts.store.attachments
    key = hashlib.sha256("".join(one.sha256 for one in series).encode()).hexdigest()

    def files() -> Iterator[bytes]:
        for one in series:
            for _, data in held.contents(context, one.id):
                yield data

    study = dicom_study.read(dicom.datasets(files()), asked.step)
    depth, rows, columns = study.grid.spacing
    return Viewing(
        f"{key} {asked.step}",
        study.array,
        (depth, rows, columns),
        "HU" if study.modality == "CT" else "",
        [float(one) for one in study.times.mean(axis=0)],
    )


def _serve(app: FastAPI, host: Host, parts: Services) -> None:
    viewer_routes.serve(app, host, parts, "perfusion", _opened)


async def _show(study: Study[PerfusionState], session: Session, name: str) -> None:
    """Fetch the picture ``name`` of what was found."""
    state = session.of(PerfusionState)
    found = state.draft(PerfusionReport)
    state.picture = ""
    if found is not None and state.context is not None and name in found.pictures:
        held = study.frame.parts.store.attachments
        try:
            state.picture = await asyncio.to_thread(
                kept_picture, held, state.context, found.pictures[name]
            )
        except PROBLEMS as error:
            state.said = str(error)


def _connect_map(study: Study[PerfusionState], chosen: gr.Dropdown, shown: gr.HTML) -> None:
    async def other(session: Session, name: str, request: gr.Request) -> list[Any]:
        clinician(session, request)
        await _show(study, session, name)
        return study.frame.draw(session, [shown])

    chosen.change(other, [study.frame.session, chosen], [shown], api_visibility="private")


def _connect_run(
    study: Study[PerfusionState], inputs: list[Any], run: gr.Button, outputs: list[gr.HTML]
) -> None:
    frame = study.frame

    async def start(
        session: Session, request: gr.Request, *chosen: Any
    ) -> AsyncGenerator[list[Any]]:
        series, method, step, name = chosen
        state = session.of(PerfusionState)
        state.picture = ""

        def body() -> PerfusionStudy:
            all_chosen = [one for one in state.images if one.id in (series or ())]
            if not all_chosen or state.context is None:
                raise ValueError(session.text("perfusion.choose"))
            return PerfusionStudy(
                patient_id=state.context.patient_id,
                encounter_id=state.context.encounter_id or None,
                attachments=all_chosen,
                step_seconds=step or None,
                settings=PerfusionSettings.model_validate({"method": method}),
            )

        async for drawn in study.run(session, request, body, lambda: frame.draw(session, outputs)):
            yield drawn
        await _show(study, session, name)
        yield frame.draw(session, outputs)

    frame.on_run([run.click], start, [frame.session, *inputs], outputs)


PAGE = TaskPage("perfusion", build, style("perfusion"), _serve, group=GROUP)
