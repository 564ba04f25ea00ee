"""The page 肺结节检出: a CT on the left, its nodules and their report on the right."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from assistant.record.attachment import Series
from assistant.store import Context, StoreError
from assistant.tasks.detection.draft import Detections
from assistant.tasks.detection.request import ScanToSearch
from assistant.tasks.detection.ui.nodule_table import nodule_table
from assistant.tasks.detection.ui.strings import STRINGS
from assistant.tasks.radiomics.ui.study import label, listed
from assistant.ui import watch
from assistant.ui.case_form import is_id
from assistant.ui.frame import Frame, TaskPage
from assistant.ui.markup import esc
from assistant.ui.session import PageState, Session, Work, clinician
from assistant.ui.status import status_line
from assistant.ui.strings import add

add(STRINGS)


@dataclass
class ScanState(PageState):
    """The patient's CT series, and what is being done with one."""

    work: Work = field(default_factory=Work)
    context: Context | None = None
    images: list[Series] = field(default_factory=list)
    said: str = ""

    def works(self) -> Sequence[Work]:
        return (self.work,)


def build(frame: Frame) -> None:
    """Lay the page out and connect it."""
    t = frame.first.text
    frame.panel(lambda s: f'<p class="notice warn">{esc(s.text("detection.notice"))}</p>')
    with gr.Row(elem_classes="split", equal_height=False):
        with gr.Column(scale=4, min_width=320, elem_classes="left scrolls"):
            patient, encounter = _box(frame, "patient"), _box(frame, "encounter")
            look = gr.Button(t("detection.look"), elem_id="detection-look")
            frame.labelled(look, "detection.look", "value")
            image = gr.Dropdown([], label=t("detection.image"), elem_id="detection-image")
            frame.labelled(image, "detection.image")
            run = gr.Button(t("detection.run"), variant="primary", elem_id="detection-run")
            frame.labelled(run, "detection.run", "value")
        with gr.Column(scale=8, min_width=460, elem_classes="right"):
            status = frame.panel(_status, elem_id="detection-status")
            table = frame.panel(_table, elem_id="detection-table")
    _connect_study(frame, [patient, encounter], look, [image, status])
    _connect_run(frame, image, run, [status, table])


def _box(frame: Frame, name: str) -> gr.Textbox:
    key = f"detection.{name}"
    made = gr.Textbox(label=frame.first.text(key), max_lines=1, elem_id=f"detection-{name}")
    frame.labelled(made, key)
    return made


def _status(session: Session) -> str:
    state = session.of(ScanState)
    said = f'<p class="status" role="status">{esc(state.said)}</p>' if state.said else ""
    return said + status_line(state.work, session.text)


def _table(session: Session) -> str:
    state = session.of(ScanState)
    drafts = [shown.draft for shown in state.work.shown.values()]
    found = next((one for one in drafts if isinstance(one, Detections)), None)
    return nodule_table(found, state.work.context, session.text) if found else ""


def _connect_study(frame: Frame, inputs: list[Any], look: gr.Button, outputs: list[Any]) -> None:
    async def looked(
        session: Session, patient: str, encounter: str, request: gr.Request
    ) -> list[Any]:
        actor, state, t = clinician(session, request), session.of(ScanState), session.text
        ids = (patient or "").strip(), (encounter or "").strip()
        state.images, state.context, state.said = [], None, ""
        if not is_id(ids[0]) or (ids[1] and not is_id(ids[1])):
            state.said = t("detection.ids")
        else:
            state.context = Context(actor.id, actor.role, *ids)
            try:
                found, _ = await asyncio.to_thread(
                    listed, frame.parts.store.attachments, state.context
                )
                state.images = [one for one in found if one.modality == "CT"]
                state.said = "" if state.images else t("detection.none")
            except StoreError as error:
                state.said = str(error)
        choices = [(label(one), one.id) for one in state.images]
        chosen = gr.update(choices=choices, value=choices[0][1] if choices else None)
        return [chosen, *frame.draw(session, outputs[1:])]

    look.click(looked, [frame.session, *inputs], outputs, api_visibility="private")


def _connect_run(frame: Frame, image: gr.Dropdown, run: gr.Button, outputs: list[gr.HTML]) -> None:
    parts = frame.parts

    async def start(
        session: Session, image: str | None, request: gr.Request
    ) -> AsyncGenerator[list[Any]]:
        actor, state = clinician(session, request), session.of(ScanState)
        chosen = [one for one in state.images if one.id == image]
        if not chosen or state.context is None:
            state.said = session.text("detection.choose")
            yield frame.draw(session, outputs)
            return
        state.said = ""
        body = ScanToSearch(
            patient_id=state.context.patient_id,
            encounter_id=state.context.encounter_id or None,
            attachments=chosen,
        )
        asked = parts.tasks["detection"].accept(body, parts.settings)
        if await watch.begin(parts, state.work, actor, "detection", asked):
            yield frame.draw(session, outputs)
            async for _ in watch.follow(parts, state.work):
                yield frame.draw(session, outputs)
        yield frame.draw(session, outputs)

    frame.on_run([run.click], start, [frame.session, image], outputs)


PAGE = TaskPage("detection", build)
