"""The page of the task, built with what every page is built with."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from assistant.ui import watch
from assistant.ui.actions import act
from assistant.ui.frame import Frame, TaskPage
from assistant.ui.markup import filled_form, refusal, statement_list, verdict_bar
from assistant.ui.session import PageState, Session, Work, clinician
from assistant.ui.status import status_line
from assistant.ui.strings import add
from toy_task.task import Letter, Toy

add({"toy.text": ("信", "Letter"), "toy.run": ("问候", "Greet")})


@dataclass
class ToyState(PageState):
    """The one letter."""

    work: Work = field(default_factory=Work)

    def works(self) -> Sequence[Work]:
        return (self.work,)


def build(frame: Frame) -> None:
    t, parts = frame.first.text, frame.parts
    text = frame.labelled(gr.Textbox(label=t("toy.text"), elem_id="toy-text"), "toy.text")
    run = frame.labelled(gr.Button(t("toy.run"), elem_id="toy-run"), "toy.run", "value")
    status = frame.panel(lambda s: status_line(s.of(ToyState).work, s.text))
    card = frame.panel(_card, elem_id="toy-card")

    async def start(
        session: Session, request: gr.Request, written: str
    ) -> AsyncGenerator[list[Any]]:
        actor = clinician(session, request)
        work = session.of(ToyState).work
        asked = parts.tasks["toy"].accept(Letter(patient_id="p1", text=written), parts.settings)
        if await watch.begin(parts, work, actor, Toy.kind, asked):
            async for _ in watch.follow(parts, work):
                yield frame.draw(session, [status, card])

    async def handle(session: Session, data: dict[str, Any]) -> None:
        await act(parts, session.of(ToyState).work, "greeting", data, session.text)

    frame.on_run([run.click], start, [frame.session, text], [status, card])
    frame.on_card(card, handle, [card])


def _card(session: Session) -> str:
    t, drawn = session.text, ""
    for shown in session.of(ToyState).work.shown.values():
        statements = shown.draft.all_statements()
        drawn += statement_list("", statements, shown, t, record="", prefix=shown.draft_id)
        if shown.draft.key() == "greeting":
            drawn += verdict_bar(shown, t) + refusal(shown, t, shown.draft_id)
        if shown.filled is not None:
            fields = json.dumps(shown.filled.fields)
            drawn += filled_form(shown.filled, shown.signed, fields, t, "toy")
    return drawn


PAGE = TaskPage("toy", build, "#toy-card { padding: 2px }")
