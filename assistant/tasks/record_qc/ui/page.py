"""The page 病历质控: the notes with their marks on the left, the findings on the right."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from assistant.store import Context
from assistant.tasks.record_qc.record import CheckedEncounter
from assistant.tasks.record_qc.task import QcRequest
from assistant.tasks.record_qc.ui import department
from assistant.tasks.record_qc.ui.cards import notes_html, report_html
from assistant.tasks.record_qc.ui.opinions import judge, recall
from assistant.tasks.record_qc.ui.state import KIND, QcWork, here
from assistant.ui import watch
from assistant.ui.earlier import earlier_html, look_up, reopened
from assistant.ui.frame import Frame, TaskPage, patient_banner
from assistant.ui.markup import esc
from assistant.ui.session import Session, clinician, identify
from assistant.ui.status import status_line
from assistant.ui.stay_choice import StayChoice, own_form, sample_list, who
from assistant.work.task import Refused

STYLE = """
.qc-mark { background: #fdf0d2; border-bottom: 2px solid #b97a00; color: inherit; }
.qc-mark.critical { background: #fbe3e6; border-bottom-color: #b3263f; }
.qc-mark.info { background: #eef3f7; border-bottom-color: #7c93a3; }
.qc-list { list-style: none; padding: 0; margin: 0; }
.qc-finding { border-top: 1px solid var(--line, #dde5ea); padding: 8px 2px; }
.qc-finding > b { margin: 0 6px; }
.qc-finding .said { margin: 4px 0; }
.qc-finding .settle { margin: 4px 0; font-size: 12.5px; color: var(--soft); }
.qc-finding.dismissed .said { text-decoration: line-through; color: var(--soft); }
.qc-finding .edit { display: inline-block; margin-left: 6px; }
.qc-verdict { margin-left: 8px; font-size: 12.5px; color: var(--teal); }
"""


@dataclass
class Layout:
    """The parts of the page that change."""

    banner: gr.HTML
    earlier: gr.HTML
    notes: gr.HTML
    status: gr.HTML
    report: gr.HTML

    def all(self) -> list[gr.HTML]:
        """Every part, in the order in which handlers return them."""
        return [self.banner, self.earlier, self.notes, self.status, self.report]


def build(frame: Frame) -> None:
    """Lay the page out and connect it."""
    t = frame.first.text
    with gr.Row(elem_classes="split", equal_height=False):
        with gr.Column(scale=6, min_width=320, elem_classes="left scrolls"):
            banner = frame.panel(
                lambda s: patient_banner(here(s).work.context, who(here(s).work.encounter), s.text)
            )
            earlier = frame.panel(lambda s: earlier_html(here(s).earlier, here(s).work, s.text))
            sample = sample_list(frame, "qc.sample", "sample-qc")
            own = frame.panel(lambda s: own_form("own-qc", s.text), elem_id="own-qc")
            notes = frame.panel(_notes, elem_id="qc-notes")
            with gr.Row(elem_classes="run"):
                run = gr.Button(t("qc.run"), variant="primary", elem_id="run-qc", scale=3)
                halt = gr.Button(t("stop"), elem_id="stop-qc", scale=1)
        with gr.Column(scale=7, min_width=460, elem_classes="right"):
            status = frame.panel(_status)
            report = frame.panel(lambda s: report_html(here(s).work, s.text), elem_id="qc-report")
    department.build(frame)
    frame.labelled(run, "qc.run", "value")
    frame.labelled(halt, "stop", "value")
    layout = Layout(banner, earlier, notes, status, report)
    _connect_stay(frame, layout, sample, own)
    _connect_run(frame, layout, run, halt)
    _connect_cards(frame, layout)


def _connect_stay(frame: Frame, layout: Layout, sample: gr.Dropdown, own: gr.HTML) -> None:
    StayChoice(
        CheckedEncounter,
        current=lambda session: here(session).work.encounter,
        open=partial(_open, frame),
        fail=_fail,
        most=frame.parts.settings.max_notes_bytes,
    ).connect(frame, sample, own, layout.all())


def _fail(session: Session, why: str) -> None:
    here(session).work.state, here(session).work.message = "failed", why


async def _open(
    frame: Frame, session: Session, encounter: CheckedEncounter, request: gr.Request
) -> None:
    actor = clinician(session, request)
    await watch.stop(frame.parts, here(session).work)
    context = Context(actor.id, actor.role, encounter.patient.id, encounter.id)
    here(session).work = QcWork(context=context, encounter=encounter)
    here(session).earlier = await look_up(frame.parts, context, KIND.name)


def _connect_run(frame: Frame, layout: Layout, run: gr.Button, halt: gr.Button) -> None:
    parts, panels = frame.parts, layout.all()

    async def start(session: Session, request: gr.Request) -> AsyncGenerator[list[Any]]:
        actor = clinician(session, request)
        work = here(session).work
        if work.encounter is None:
            work.state, work.message = "failed", session.text("qc.idle")
            yield frame.draw(session, panels)
            return
        work.opinions, work.problem = {}, ""
        try:
            asked = parts.tasks[KIND.name].accept(
                QcRequest(encounter=work.encounter), parts.settings
            )
        except Refused as error:
            work.state, work.message = "failed", str(error)
            yield frame.draw(session, panels)
            return
        accepted = await watch.begin(parts, work, actor, KIND.name, asked)
        if work.context is not None:
            here(session).earlier = await look_up(parts, work.context, KIND.name)
        yield frame.draw(session, panels)
        if accepted:
            async for _ in watch.follow(parts, work):
                yield frame.draw(session, panels)

    async def stop(session: Session, request: gr.Request) -> list[Any]:
        identify(session, request)
        await watch.stop(parts, here(session).work)
        return frame.draw(session, panels)

    async def reopen(
        session: Session, event: gr.EventData, request: gr.Request
    ) -> AsyncGenerator[list[Any]]:
        clinician(session, request)
        work = await reopened(parts, here(session).earlier, event, KIND)
        if work is not None:
            here(session).work = work
            await recall(parts, work)
        yield frame.draw(session, panels)

    frame.on_run([run.click], start, frame.session, panels)
    frame.on_stop(halt, stop, panels)
    frame.on_run([layout.earlier.click], reopen, frame.session, panels)


def _connect_cards(frame: Frame, layout: Layout) -> None:
    async def handle(session: Session, data: dict[str, Any]) -> None:
        if data.get("do") in ("accept", "dismiss"):
            await judge(frame.parts, here(session).work, data, session.text)

    frame.on_card(layout.report, handle, [layout.report])


def _notes(session: Session) -> str:
    work = here(session).work
    found = work.report
    return notes_html(work.notes(), found[1].findings if found else [], session.text)


def _status(session: Session) -> str:
    work, t = here(session).work, session.text
    if work.state == "idle":
        return f'<p class="hint idle">{esc(t("qc.idle"))}</p>'
    return f'<div class="statusline">{status_line(work, t)}</div>'


PAGE = TaskPage("qc", build, STYLE)
