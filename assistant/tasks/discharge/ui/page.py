"""The page 出院记录: the stay's notes on the left, its record in the making on the right."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import gradio as gr

from assistant.record.encounter import Encounter
from assistant.store import Context
from assistant.tasks.discharge.copied import header
from assistant.tasks.discharge.draft import SECTION_ZH, SectionName
from assistant.tasks.discharge.events import Header
from assistant.tasks.discharge.task import DischargeRequest
from assistant.tasks.discharge.ui.section_card import (
    RECORD,
    WHOLE,
    header_html,
    section_card,
    whole_html,
    whole_record,
)
from assistant.tasks.discharge.ui.state import KIND, StayWork, here, lay_of
from assistant.tasks.patient_version.ui.card import STYLE, LayCard
from assistant.ui import watch
from assistant.ui.actions import act
from assistant.ui.case_form import FormError
from assistant.ui.earlier import earlier_html, look_up, reopen, reopened
from assistant.ui.frame import Draw, Frame, TaskPage, patient_banner
from assistant.ui.markup import esc
from assistant.ui.record_view import record_html
from assistant.ui.session import Session, clinician, identify
from assistant.ui.status import status_line
from assistant.ui.stay_choice import StayChoice, own_form, sample_list, who
from assistant.work.events import Delta


@dataclass
class Layout:
    """The parts of the page that change."""

    banner: gr.HTML
    earlier: gr.HTML
    notes: gr.HTML
    status: gr.HTML
    header: gr.HTML
    sections: dict[SectionName, gr.HTML]
    whole: gr.HTML
    lay: gr.HTML

    def result(self) -> list[gr.HTML]:
        """What changes while the record is written."""
        return [self.status, self.header, *self.sections.values(), self.whole]

    def all(self) -> list[gr.HTML]:
        """Everything, when another stay is opened."""
        return [self.banner, self.earlier, self.notes, *self.result(), self.lay]


def build(frame: Frame) -> None:
    """Lay the page out and connect it."""
    t = frame.first.text
    with gr.Row(elem_classes="split", equal_height=False):
        with gr.Column(scale=5, min_width=320, elem_classes="left scrolls"):
            banner = frame.panel(
                lambda s: patient_banner(here(s).work.context, who(here(s).work.encounter), s.text)
            )
            earlier = frame.panel(lambda s: earlier_html(here(s).earlier, here(s).work, s.text))
            sample = sample_list(frame, "encounter.sample", "sample-stay")
            own = frame.panel(lambda s: own_form("own", s.text, asks_ids=True), elem_id="own-stay")
            notes = frame.panel(_notes)
            with gr.Row(elem_classes="run"):
                run = gr.Button(t("generate"), variant="primary", elem_id="run-stay", scale=3)
                halt = gr.Button(t("stop"), elem_id="stop-stay", scale=1)
        with gr.Column(scale=8, min_width=460, elem_classes="right"):
            status = frame.panel(_status)
            head = frame.panel(lambda s: header_html(here(s).work.header, s.text))
            sections = {name: frame.panel(_section(name)) for name in SECTION_ZH}
            whole = frame.panel(lambda s: whole_html(here(s).work, s.text))
            lay = LayCard(lay_of, lambda s: whole_record(here(s).work), RECORD, WHOLE).build(frame)
    frame.labelled(run, "generate", "value")
    frame.labelled(halt, "stop", "value")
    layout = Layout(banner, earlier, notes, status, head, sections, whole, lay)
    _connect_stay(frame, layout, sample, own)
    _connect_run(frame, layout, run, halt)
    _connect_earlier(frame, layout)
    _connect_cards(frame, layout)


def _connect_stay(frame: Frame, layout: Layout, sample: gr.Dropdown, own: gr.HTML) -> None:
    StayChoice(
        Encounter,
        current=lambda session: here(session).work.encounter,
        open=partial(_open, frame),
        fail=_fail,
        most=frame.parts.settings.max_request_bytes,
        reopen=partial(_return_to, frame),
    ).connect(frame, sample, own, layout.all())


def _fail(session: Session, why: str) -> None:
    here(session).work.state, here(session).work.message = "failed", why


async def _open(frame: Frame, session: Session, encounter: Encounter, request: gr.Request) -> None:
    actor = clinician(session, request)
    await watch.stop(frame.parts, here(session).work)
    context = Context(actor.id, actor.role, encounter.patient.id, encounter.id)
    here(session).work = StayWork(context=context, encounter=encounter, header=header(encounter))
    here(session).earlier = await look_up(frame.parts, context, KIND.name)


async def _return_to(
    frame: Frame, session: Session, ids: tuple[str, str], request: gr.Request
) -> None:
    """Show what was made for this stay before.  Raises `FormError` when there is nothing."""
    actor = clinician(session, request)
    context = Context(actor.id, actor.role, *ids)
    found = await look_up(frame.parts, context, KIND.name)
    if not found.runs:
        raise FormError(session.text("earlier.none"))
    here(session).earlier = found
    here(session).work = await reopen(frame.parts, context, found.runs[0].request_id, KIND)


def _connect_run(frame: Frame, layout: Layout, run: gr.Button, halt: gr.Button) -> None:
    parts, panels = frame.parts, [layout.earlier, *layout.result()]

    async def start(session: Session, request: gr.Request) -> AsyncGenerator[list[Any]]:
        actor = clinician(session, request)
        work = here(session).work
        if work.encounter is None or work.context is None:
            work.state, work.message = "failed", session.text("idle.discharge")
            yield frame.draw(session, panels)
            return
        asked = parts.tasks[KIND.name].accept(
            DischargeRequest(encounter=work.encounter), parts.settings
        )
        accepted = await watch.begin(parts, work, actor, KIND.name, asked)
        here(session).earlier = await look_up(parts, work.context, KIND.name)
        yield frame.draw(session, panels)
        if not accepted:
            return
        async for drawn in _followed(frame, layout, session, panels):
            yield drawn

    async def stop(session: Session, request: gr.Request) -> list[Any]:
        identify(session, request)
        await watch.stop(parts, here(session).work)
        return frame.draw(session, panels)

    frame.on_run([run.click], start, frame.session, panels)
    frame.on_stop(halt, stop, panels)


async def _followed(
    frame: Frame, layout: Layout, session: Session, panels: list[gr.HTML]
) -> AsyncGenerator[list[Any]]:
    """The panels, drawn anew with each event of the record that is being written."""
    work = here(session).work
    async for event in watch.follow(frame.parts, work):
        if isinstance(event, Header):
            work.header = event
        if isinstance(event, Delta):
            # Only the section that grows is sent again.
            only = layout.sections[cast(SectionName, event.section)]
            yield [frame.draw(session, [p])[0] if p is only else gr.skip() for p in panels]
        else:
            yield frame.draw(session, panels)


def _connect_earlier(frame: Frame, layout: Layout) -> None:
    parts, panels = frame.parts, layout.all()

    async def reopen(
        session: Session, event: gr.EventData, request: gr.Request
    ) -> AsyncGenerator[list[Any]]:
        clinician(session, request)
        work = await reopened(parts, here(session).earlier, event, KIND)
        if work is not None:
            here(session).work = work
        yield frame.draw(session, panels)
        if here(session).work.busy:
            async for drawn in _followed(frame, layout, session, panels):
                yield drawn

    frame.on_run([layout.earlier.click], reopen, frame.session, panels)


def _connect_cards(frame: Frame, layout: Layout) -> None:
    def handler(section: SectionName) -> Any:
        async def handle(session: Session, data: dict[str, Any]) -> None:
            await act(frame.parts, here(session).work, section, data, session.text)

        return handle

    for section, card in layout.sections.items():
        frame.on_card(card, handler(section), [card, layout.whole])


def _section(section: SectionName) -> Draw:
    return lambda session: section_card(section, here(session).work, session.text)


def _notes(session: Session) -> str:
    return record_html(here(session).work.notes(), [], RECORD, session.text, folded=True)


def _status(session: Session) -> str:
    work, t = here(session).work, session.text
    if work.state == "idle":
        return f'<p class="hint idle">{esc(t("idle.discharge"))}</p>'
    line = status_line(work, t)
    if work.overtaken:
        line += f'<p class="notice warn" role="alert">{esc(t("overtaken"))}</p>'
    return f'<div class="statusline">{line}</div>'


PAGE = TaskPage("discharge", build, style=STYLE)
