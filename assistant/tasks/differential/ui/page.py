"""The page 鉴别诊断: the case on the left, the panel's answers side by side on the right."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from assistant.record.case import Case
from assistant.settings import KNOWLEDGE_MEMBER as BASELINE
from assistant.store import Context
from assistant.tasks.differential.draft import DifferentialDraft
from assistant.tasks.differential.ui.case_inputs import CaseInputs
from assistant.tasks.differential.ui.member_card import RECORD, critical_html, member_card
from assistant.tasks.differential.ui.questions import answer
from assistant.tasks.differential.ui.state import KIND, CaseWork, here
from assistant.ui import watch
from assistant.ui.actions import act
from assistant.ui.case_form import CASE_TEXTS, FormError, case_values, is_id, read_case
from assistant.ui.earlier import earlier_html, look_up, reopened
from assistant.ui.frame import Draw, Frame, TaskPage, patient_banner
from assistant.ui.markup import esc, filled_form
from assistant.ui.record_view import record_html
from assistant.ui.session import EarlierRuns, Session, clinician, identify
from assistant.ui.status import status_line


@dataclass
class Layout:
    """The parts of the page that change while the panel answers."""

    banner: gr.HTML
    earlier: gr.HTML
    record: gr.HTML
    status: gr.HTML
    critical: gr.HTML
    cards: dict[str, gr.HTML]
    filled: gr.HTML

    def all(self) -> list[gr.HTML]:
        """Every part, in the order in which handlers return them."""
        return [
            self.banner,
            self.earlier,
            self.record,
            self.status,
            self.critical,
            *self.cards.values(),
            self.filled,
        ]


def build(frame: Frame) -> None:
    """Lay the page out and connect it."""
    t = frame.first.text
    with gr.Row(elem_classes="split", equal_height=False):
        with gr.Column(scale=4, min_width=300, elem_classes="left scrolls"):
            banner = frame.panel(
                lambda s: patient_banner(here(s).work.context, _who(here(s).work), s.text)
            )
            earlier = frame.panel(lambda s: earlier_html(here(s).earlier, here(s).work, s.text))
            with gr.Tabs(elem_classes="inner", selected="edit") as tabs:
                with frame.labelled(gr.Tab(t("case.edit"), id="edit"), "case.edit"):
                    inputs = CaseInputs(frame)
                with frame.labelled(
                    gr.Tab(t("case.record"), id="record", elem_id="case-record"), "case.record"
                ):
                    record = frame.panel(_record)
            with gr.Row(elem_classes="run"):
                run = gr.Button(t("run"), variant="primary", elem_id="run-case", scale=3)
                halt = gr.Button(t("stop"), elem_id="stop-case", scale=1)
        with gr.Column(scale=9, min_width=480, elem_classes="right"):
            status = frame.panel(_status)
            critical = frame.panel(lambda s: critical_html(here(s).work, s.text))
            with gr.Row(elem_classes="members", equal_height=False):
                cards = {name: frame.panel(_card(frame, name), css="cell") for name in names(frame)}
            filled = frame.panel(_filled, elem_id="fill-in")
    frame.labelled(run, "run", "value")
    frame.labelled(halt, "stop", "value")
    layout = Layout(banner, earlier, record, status, critical, cards, filled)
    _connect_run(frame, inputs, layout, tabs, run, halt)
    _connect_edits(frame, inputs, layout)
    _connect_earlier(frame, inputs, layout, tabs)
    _connect_cards(frame, layout)


def names(frame: Frame) -> list[str]:
    """The members, the baseline first."""
    return [BASELINE, *(member.name for member in frame.parts.settings.panel)]


def _connect_run(
    frame: Frame, inputs: CaseInputs, layout: Layout, tabs: gr.Tabs, run: gr.Button, halt: gr.Button
) -> None:
    parts, panels = frame.parts, layout.all()
    ids = [inputs.fields["patient_id"], inputs.fields["encounter_id"]]
    unchanged = [gr.skip(), gr.skip()]

    async def start(
        session: Session, request: gr.Request, *values: str
    ) -> AsyncGenerator[list[Any]]:
        actor = clinician(session, request)
        work = here(session).work
        try:
            case = read_case(inputs.named(values), session.text)
        except FormError as error:
            await watch.stop(parts, work)
            work.state, work.message = "failed", str(error)
            yield [*frame.draw(session, panels), gr.skip(), *unchanged]
            return
        work.case, work.stale, work.filled_by = case, False, ""
        work.reranking = None
        asked = parts.tasks[KIND.name].accept(case, parts.settings)
        accepted = await watch.begin(parts, work, actor, KIND.name, asked)
        selected = gr.Tabs(selected="record") if accepted else gr.skip()
        if work.context is not None:
            here(session).earlier = await look_up(parts, work.context, KIND.name)
        given = [case.patient.id, case.encounter_id]
        yield [*frame.draw(session, panels), selected, *given]
        if not accepted:
            return
        async for _ in watch.follow(parts, work):
            # Once more with the first news: a busy browser may draw only the later of two updates.
            yield [*frame.draw(session, panels), selected, *unchanged]
            selected = gr.skip()

    async def stop(session: Session, request: gr.Request) -> list[Any]:
        identify(session, request)
        await watch.stop(parts, here(session).work)
        return frame.draw(session, panels)

    frame.on_run([run.click], start, [frame.session, *inputs.components()], [*panels, tabs, *ids])
    frame.on_stop(halt, stop, panels)


def _connect_edits(frame: Frame, inputs: CaseInputs, layout: Layout) -> None:
    async def edited(session: Session, request: gr.Request, *values: str) -> Any:
        identify(session, request)
        work = here(session).work
        if work.case is None or not work.shown:
            return gr.skip()
        now = inputs.named(values)
        stale = any(now[name] != getattr(work.case, name) for name in CASE_TEXTS)
        if stale == work.stale:
            return gr.skip()
        work.stale = stale
        return frame.draw(session, [layout.status])[0]

    gr.on(
        [inputs.fields[name].blur for name in CASE_TEXTS],
        edited,
        [frame.session, *inputs.components()],
        layout.status,
        show_progress="hidden",
        concurrency_limit=None,
        api_visibility="private",
    )


def _connect_earlier(frame: Frame, inputs: CaseInputs, layout: Layout, tabs: gr.Tabs) -> None:
    parts, panels = frame.parts, layout.all()
    names = list(inputs.fields)

    async def look(session: Session, request: gr.Request, *values: str) -> Any:
        actor = clinician(session, request)
        now = inputs.named(values)
        patient, encounter = now["patient_id"].strip(), now["encounter_id"].strip()
        here(session).earlier = EarlierRuns()
        if is_id(patient) and is_id(encounter):
            context = Context(actor.id, actor.role, patient, encounter)
            here(session).earlier = await look_up(parts, context, KIND.name)
        return frame.draw(session, [layout.earlier])[0]

    async def reopen(
        session: Session, event: gr.EventData, request: gr.Request
    ) -> AsyncGenerator[list[Any]]:
        clinician(session, request)
        work = await reopened(parts, here(session).earlier, event, KIND)
        if work is not None:
            here(session).work = work
        case = here(session).work.case
        values = case_values(case) if case else {}
        fields = [values.get(name, gr.skip()) for name in names]
        yield [*frame.draw(session, panels), gr.Tabs(selected="record"), *fields]
        work, unchanged = here(session).work, [gr.skip() for _ in names]
        if not work.busy:
            return
        async for _ in watch.follow(parts, work):
            yield [*frame.draw(session, panels), gr.skip(), *unchanged]

    inputs.on_identity(look, [frame.session, *inputs.components()], layout.earlier)
    frame.on_run(
        [layout.earlier.click], reopen, frame.session, [*panels, tabs, *inputs.components()]
    )


def _connect_cards(frame: Frame, layout: Layout) -> None:
    def handler(name: str) -> Any:
        async def handle(session: Session, data: dict[str, Any]) -> None:
            if data.get("do") in ("answer", "clear"):
                await answer(frame.parts, here(session).work, data)
                return
            await act(frame.parts, here(session).work, name, data, session.text)
            if data.get("do") == "fill":
                here(session).work.filled_by = name

        return handle

    for name, card in layout.cards.items():
        frame.on_card(card, handler(name), [card, layout.filled])

    async def handle_filled(session: Session, data: dict[str, Any]) -> None:
        await act(frame.parts, here(session).work, here(session).work.filled_by, data, session.text)

    frame.on_card(layout.filled, handle_filled, [layout.filled])
    frame.on_card(layout.record, _nothing, [layout.record])
    frame.on_card(layout.critical, _nothing, [layout.critical])


async def _nothing(session: Session, data: dict[str, Any]) -> None:
    """Cards whose buttons all act in the browser."""


def _who(work: CaseWork) -> str:
    case: Case | None = work.case
    if case is None:
        return ""
    sex = {"male": "男", "female": "女"}.get(case.patient.sex or "", "")
    return " ".join(part for part in (case.patient.name, sex, case.patient.age_text) if part)


def _record(session: Session) -> str:
    case = here(session).work.case
    notes = case.notes() if case and here(session).work.context else []
    return record_html(notes, here(session).work.findings, RECORD, session.text, folded=False)


def _status(session: Session) -> str:
    work, t = here(session).work, session.text
    if work.state == "idle":
        return f'<p class="hint idle">{esc(t("idle.differential"))}</p>'
    line = status_line(work, t)
    if work.overtaken:
        line += f'<p class="notice warn" role="alert">{esc(t("overtaken"))}</p>'
    elif work.stale:
        line += f'<p class="notice warn" role="alert">{esc(t("stale"))}</p>'
    missing = next(
        (s.draft.missing for s in work.shown.values() if isinstance(s.draft, DifferentialDraft)), []
    )
    if missing:
        line += f'<p class="notice warn"><b>{esc(t("missing"))}</b>：{esc("、".join(missing))}</p>'
    return f'<div class="statusline">{line}</div>'


def _card(frame: Frame, name: str) -> Draw:
    engines = {member.name: member.engine for member in frame.parts.settings.panel}

    def draw(session: Session) -> str:
        engine = engines.get(name)
        slots = frame.parts.engines.slots
        model = frame.parts.engines.describe(engine) if engine else ""
        demo = slots[engine].demo_only if engine else False
        return member_card(name, model, demo, here(session).work, session.text)

    return draw


def _filled(session: Session) -> str:
    work, t = here(session).work, session.text
    shown = work.shown.get(work.filled_by)
    if shown is None or shown.filled is None:
        return ""
    fields = json.dumps(shown.filled.model_dump(), ensure_ascii=False, indent=1)
    problem = f'<p class="notice bad">{esc(shown.problem)}</p>' if shown.problem else ""
    return (
        f'<section class="card fill" aria-label="{esc(t("fill.title"))}"><header>'
        f"<h3>{esc(t('fill.note'))}</h3><span>{esc(t('fill.from', name=work.filled_by))}</span>"
        f"</header>{problem}{filled_form(shown.filled, shown.signed, fields, t, 'case-fill')}"
        "</section>"
    )


PAGE = TaskPage("differential", build)
