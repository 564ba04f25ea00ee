"""The page 知识问答: passages first, then an answer checked sentence by sentence."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import gradio as gr

from assistant.tasks.chat.draft import Answer
from assistant.tasks.chat.events import Passages
from assistant.tasks.chat.task import Chat, submission
from assistant.tasks.chat.ui.state import Turn, here
from assistant.ui import watch
from assistant.ui.actions import act
from assistant.ui.frame import Frame, TaskPage
from assistant.ui.markup import (
    badge,
    esc,
    model_name,
    notices,
    refusal,
    statement_list,
    verdict_bar,
)
from assistant.ui.session import Session, Shown, clinician, identify
from assistant.ui.status import in_queue
from assistant.ui.strings import Text

MAX_QUESTION = 1_000
MAX_TURNS = 30


def build(frame: Frame) -> None:
    """Lay the page out and connect it."""
    t = frame.first.text
    with gr.Column(elem_classes="chat"):
        with gr.Row(elem_classes="askrow"):
            question = gr.Textbox(
                label=t("question"),
                placeholder=t("question.hint"),
                lines=1,
                max_lines=4,
                scale=8,
                elem_id="question",
            )
            send = gr.Button(t("send"), variant="primary", elem_id="send", scale=1, min_width=80)
            halt = gr.Button(t("stop"), elem_id="stop-chat", scale=1, min_width=60)
        turns = frame.panel(_turns)
    frame.labelled(question, "question", placeholder="question.hint")
    frame.labelled(send, "send", "value")
    frame.labelled(halt, "stop", "value")
    _connect(frame, question, send, halt, turns)


def _connect(
    frame: Frame, question: gr.Textbox, send: gr.Button, halt: gr.Button, turns: gr.HTML
) -> None:
    parts = frame.parts

    async def ask(
        session: Session, text: str | None, request: gr.Request
    ) -> AsyncGenerator[list[Any]]:
        actor = clinician(session, request)
        text = (text or "").strip()
        if not text or len(text) > MAX_QUESTION:
            raise gr.Error(
                session.text("chat.too_long" if text else "chat.question_empty"),
                print_exception=False,
            )
        for earlier in here(session).turns:
            await watch.stop(parts, earlier)
        turn = Turn(question=text)
        here(session).turns = [turn, *here(session).turns][:MAX_TURNS]
        # No patient: the answer is then readable by whoever asked, and by nobody else.
        accepted = await watch.begin(parts, turn, actor, Chat.kind, submission(text))
        yield [*frame.draw(session, [turns]), ""]
        if not accepted:
            return
        async for event in watch.follow(parts, turn):
            if isinstance(event, Passages):
                turn.passages = event.passages
            yield [*frame.draw(session, [turns]), gr.skip()]

    async def stop(session: Session, request: gr.Request) -> Any:
        identify(session, request)
        for turn in here(session).turns:
            await watch.stop(parts, turn)
        return frame.draw(session, [turns])[0]

    frame.on_run([send.click, question.submit], ask, [frame.session, question], [turns, question])
    frame.on_stop(halt, stop, turns)

    async def handle(session: Session, data: dict[str, Any]) -> None:
        turn = next((x for x in here(session).turns if x.request_id == data.get("card")), None)
        if turn is not None:
            await act(parts, turn, "", data, session.text)

    frame.on_card(turns, handle, [turns])


def _turns(session: Session) -> str:
    t = session.text
    if not here(session).turns:
        return f'<p class="hint idle">{esc(t("chat.empty"))}</p>'
    return "".join(_turn(turn, t) for turn in here(session).turns)


def _turn(turn: Turn, t: Text) -> str:
    shown = turn.shown.get("")
    return (
        f'<article class="card turn" data-card="{esc(turn.request_id)}">'
        f'<header><h3 class="asked">{esc(turn.question)}</h3></header>'
        f'<div class="turn-body"><div class="answer">{_answer(turn, shown, t)}</div>'
        f"{_passages(turn, t)}</div></article>"
    )


def _answer(turn: Turn, shown: Shown | None, t: Text) -> str:
    if shown is None or not isinstance(shown.draft, Answer):
        if turn.state in ("failed", "cancelled"):
            return f'<p class="status bad">{esc(turn.message or t("state." + turn.state))}</p>'
        partial = turn.partial.get("", "")
        if partial:
            unchecked = badge(t("section.unchecked"), "plain")
            return f'<p class="partial" aria-live="polite">{esc(partial)}</p>{unchecked}'
        waiting = t("chat.searching") if not turn.passages else t("section.writing")
        said = f"{waiting} {in_queue(turn, t)}".strip()
        return f'<p class="hint"><span class="turning"></span>{esc(said)}</p>'
    answer = shown.draft
    listed = statement_list(
        "", answer.statements, shown, t, record="", prefix=shown.draft_id, locked=True
    )
    name = model_name(answer.model, answer.demo_only, t)
    bar = verdict_bar(shown, t, fill=False) if answer.statements else ""
    return (
        f'<p class="meta">{name}<span class="seconds">{esc(t("seconds", n=answer.seconds))}</span>'
        f"</p>{notices(t('warnings'), answer.warnings, 'warn')}{listed}{bar}"
        f"{refusal(shown, t, shown.draft_id)}"
    )


def _passages(turn: Turn, t: Text) -> str:
    if not turn.passages:
        return ""
    items = "".join(
        f'<li><details class="passage" data-key="{esc(turn.request_id)}-{esc(p.id)}" '
        f'data-passage-name="{esc(p.id)}">'
        f'<summary><b>{esc(p.title)}</b> <span class="source">{esc(p.source)}</span>'
        f'</summary><p class="passage-text">{esc(p.text)}</p></details></li>'
        for p in turn.passages
    )
    return (
        f'<aside class="passages" aria-label="{esc(t("chat.passages"))}">'
        f"<h4>{esc(t('chat.passages'))}</h4><ol>{items}</ol></aside>"
    )


PAGE = TaskPage("chat", build)
