"""The page 问病历: the record on the left, questions and answers on the right."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr
from pydantic import ValidationError

from assistant.api.context import Actor, Services
from assistant.record.encounter import Encounter
from assistant.store import Context, StoreError
from assistant.tasks.record_qa.request import RecordQuestion
from assistant.tasks.record_qa.task import RecordQa
from assistant.tasks.record_qa.ui.cards import RECORD, conversations_html, turns_html
from assistant.tasks.record_qa.ui.state import AskState, AskTurn, here
from assistant.tasks.record_qa.ui.talk import ensure, forget, look_up, open_again
from assistant.ui import watch
from assistant.ui.actions import act, field
from assistant.ui.frame import Frame, TaskPage, patient_banner
from assistant.ui.record_view import record_html
from assistant.ui.session import Session, clinician, identify
from assistant.ui.stay_choice import StayChoice, own_form, sample_list, who
from assistant.work.task import Refused

STYLE = """
.ask-message { margin: 6px 0; font-weight: 600; }
.ask-plot { margin: 6px 0; max-width: 460px; }
.ask-table table { border-collapse: collapse; width: 100%; font-size: 13px; }
.ask-table th, .ask-table td { border-bottom: 1px solid var(--line, #dde5ea); padding: 3px 6px;
  text-align: left; }
.ask-thinking pre { white-space: pre-wrap; color: var(--soft); }
"""
MOST_TURNS = 200


@dataclass
class Layout:
    """The parts of the page that change."""

    banner: gr.HTML
    conversations: gr.HTML
    notes: gr.HTML
    turns: gr.HTML

    def all(self) -> list[gr.HTML]:
        """Every part, in the order in which handlers return them."""
        return [self.banner, self.conversations, self.notes, self.turns]


@dataclass
class Asking:
    """What a question is asked with."""

    question: gr.Textbox
    send: gr.Button
    halt: gr.Button
    think: gr.Checkbox


def build(frame: Frame) -> None:
    """Lay the page out and connect it."""
    t = frame.first.text
    with gr.Row(elem_classes="split", equal_height=False):
        with gr.Column(scale=6, min_width=320, elem_classes="left scrolls"):
            banner = frame.panel(
                lambda s: patient_banner(here(s).context, who(here(s).encounter), s.text)
            )
            sample = sample_list(frame, "ask.sample", "sample-ask")
            own = frame.panel(lambda s: own_form("own-ask", s.text), elem_id="own-ask")
            conversations = frame.panel(lambda s: conversations_html(here(s), s.text))
            notes = frame.panel(
                lambda s: record_html(here(s).notes(), [], RECORD, s.text, folded=True),
                elem_id="ask-notes",
            )
        with gr.Column(scale=7, min_width=460, elem_classes="right"):
            with gr.Row(elem_classes="askrow"):
                question = gr.Textbox(
                    label=t("ask.question"), placeholder=t("ask.hint"), lines=1, max_lines=4,
                    scale=8, elem_id="ask-question",
                )  # fmt: skip
                send = gr.Button(
                    t("ask.send"), variant="primary", elem_id="send-ask", scale=1, min_width=80
                )
                halt = gr.Button(t("stop"), elem_id="stop-ask", scale=1, min_width=60)
            think = gr.Checkbox(
                label=t("ask.think"), value=False, elem_id="ask-think", container=False
            )
            turns = frame.panel(lambda s: turns_html(here(s), s.text), elem_id="ask-turns")
    frame.labelled(question, "ask.question", placeholder="ask.hint")
    frame.labelled(send, "ask.send", "value")
    frame.labelled(halt, "stop", "value")
    frame.labelled(think, "ask.think")
    layout = Layout(banner, conversations, notes, turns)
    _connect_stay(frame, layout, sample, own)
    _connect_questions(frame, layout, Asking(question, send, halt, think))
    _connect_cards(frame, layout)


def _connect_stay(frame: Frame, layout: Layout, sample: gr.Dropdown, own: gr.HTML) -> None:
    StayChoice(
        Encounter,
        current=lambda session: here(session).encounter,
        open=partial(_open, frame),
        fail=_fail,
        most=frame.parts.settings.max_notes_bytes,
    ).connect(frame, sample, own, layout.all())


def _fail(session: Session, why: str) -> None:
    here(session).problem = why


async def _open(frame: Frame, session: Session, encounter: Encounter, request: gr.Request) -> None:
    """Another stay: nothing of the one before stays on the page."""
    actor = clinician(session, request)
    state = here(session)
    for turn in state.turns:
        await watch.stop(frame.parts, turn)
    context = Context(actor.id, actor.role, encounter.patient.id, encounter.id)
    session.states[AskState] = AskState(context=context, encounter=encounter)
    await look_up(frame.parts, here(session))


def _connect_questions(frame: Frame, layout: Layout, asking: Asking) -> None:
    parts = frame.parts
    changed = [layout.turns, layout.conversations]

    async def ask(
        session: Session, text: str | None, thinking: bool, request: gr.Request
    ) -> AsyncGenerator[list[Any]]:
        actor = clinician(session, request)
        state, text = here(session), (text or "").strip()
        if not text or state.encounter is None or state.context is None:
            key = "ask.empty" if state.encounter is not None else "ask.no_record"
            raise gr.Error(session.text(key), print_exception=False)
        turn = AskTurn(question=text)
        async for last in _asked(parts, session, actor, turn, question=text, thinking=thinking):
            yield [*frame.draw(session, changed), "" if not last else gr.skip()]

    async def agree(
        session: Session, event: gr.EventData, request: gr.Request
    ) -> AsyncGenerator[list[Any]]:
        data = event._data if isinstance(event._data, dict) else {}
        agreed = next(
            (x for x in here(session).turns if x.request_id == data.get("card")), None
        ) if data.get("do") == "agree" else None  # fmt: skip
        found = agreed.answer if agreed is not None else None
        if found is None or found[1].proposal is None:
            return
        actor, proposal = clinician(session, request), found[1].proposal
        turn = AskTurn(question=session.text("ask.agree", what=proposal.title))
        async for _ in _asked(parts, session, actor, turn, confirm=proposal):
            yield frame.draw(session, changed)

    async def stop(session: Session, request: gr.Request) -> list[Any]:
        identify(session, request)
        for turn in here(session).turns:
            await watch.stop(parts, turn)
        return frame.draw(session, changed)

    frame.on_run(
        [asking.send.click, asking.question.submit],
        ask,
        [frame.session, asking.question, asking.think],
        [*changed, asking.question],
    )
    frame.on_run([layout.turns.click], agree, [frame.session], changed)
    frame.on_stop(asking.halt, stop, changed)


async def _asked(
    parts: Services, session: Session, actor: Actor, turn: AskTurn, **asked: Any
) -> AsyncGenerator[bool]:
    """Ask, and follow the answer: at each change whether it is one after the question was taken.

    What is refused is said on the turn.
    """
    state = here(session)
    for earlier in state.turns:
        await watch.stop(parts, earlier)
    state.problem = ""
    try:
        await ensure(parts, state)
        body = RecordQuestion(
            conversation_id=state.conversation_id,
            patient_id=state.context.patient_id if state.context else None,
            encounter_id=state.context.encounter_id if state.context else None,
            after=state.last_answer(),
            **asked,
        )
        submission = parts.tasks[RecordQa.kind].accept(body, parts.settings)
    except (Refused, StoreError, ValidationError) as error:
        turn.state = "failed"
        turn.message = (
            str(error) if not isinstance(error, ValidationError) else session.text("ask.empty")
        )
        state.turns = [turn, *state.turns][:MOST_TURNS]
        yield True
        return
    state.turns = [turn, *state.turns][:MOST_TURNS]
    accepted = await watch.begin(parts, turn, actor, RecordQa.kind, submission)
    yield False
    if not accepted:
        return
    async for _ in watch.follow(parts, turn):
        yield True
    await look_up(parts, state)
    yield True


def _connect_cards(frame: Frame, layout: Layout) -> None:
    parts = frame.parts

    async def of_turn(session: Session, data: dict[str, Any]) -> None:
        turn = next((x for x in here(session).turns if x.request_id == data.get("card")), None)
        if turn is not None:
            await act(parts, turn, "", data, session.text)

    async def of_list(session: Session, data: dict[str, Any]) -> None:
        state, wanted = here(session), data.get("conversation")
        state.problem = ""
        try:
            match data.get("do"):
                case "new":
                    state.conversation_id, state.turns = "", []
                case "find":
                    state.words = field(data, "words", 100)
                case "conversation" if isinstance(wanted, str):
                    await open_again(parts, state, wanted)
                case "forget" if isinstance(wanted, str):
                    await forget(parts, state, wanted)
            await look_up(parts, state)
        except StoreError as error:
            state.problem = str(error)

    frame.on_card(layout.turns, of_turn, [layout.turns])
    frame.on_card(layout.conversations, of_list, [layout.conversations, layout.turns])


PAGE = TaskPage("ask", build, STYLE)
