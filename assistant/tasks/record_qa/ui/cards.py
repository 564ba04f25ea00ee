"""Turns and conversations as HTML."""

from __future__ import annotations

from assistant.tasks.record_qa.draft import Plot, RecordAnswer, Table
from assistant.tasks.record_qa.ui.state import AskState, AskTurn
from assistant.ui.markup import (
    attributes,
    badge,
    button,
    esc,
    evidence_chip,
    model_name,
    notices,
    refusal,
    statement_list,
    verdict_bar,
)
from assistant.ui.session import Shown
from assistant.ui.status import in_queue
from assistant.ui.strings import Text

RECORD = "ask"
_BADGES = {
    "answered": "good", "not_recorded": "warn", "missing": "warn", "refused": "bad",
    "not_understood": "plain", "failed": "bad", "to_confirm": "warn",
}  # fmt: skip


def turns_html(state: AskState, t: Text) -> str:
    """The turns, the newest first."""
    problem = (
        f'<p class="notice bad" role="alert">{esc(state.problem)}</p>' if state.problem else ""
    )
    if not state.turns:
        return problem + f'<p class="hint idle">{esc(t("ask.idle"))}</p>'
    return problem + "".join(_turn(turn, t) for turn in state.turns)


def _turn(turn: AskTurn, t: Text) -> str:
    found = turn.answer
    body = _waiting(turn, t) if found is None else _answer(found[0], found[1], t)
    return (
        f'<article class="card turn" data-card="{esc(turn.request_id)}">'
        f'<header><h3 class="asked">{esc(turn.question)}</h3></header>{body}</article>'
    )


def _waiting(turn: AskTurn, t: Text) -> str:
    if turn.state in ("failed", "cancelled"):
        return f'<p class="status bad">{esc(turn.message or t("state." + turn.state))}</p>'
    partial = "".join(turn.partial.values())
    if partial:
        unchecked = badge(t("section.unchecked"), "plain")
        return f'<p class="partial" aria-live="polite">{esc(partial)}</p>{unchecked}'
    said = f"{t('ask.working')} {in_queue(turn, t)}".strip()
    return f'<p class="hint"><span class="turning"></span>{esc(said)}</p>'


def _answer(shown: Shown, answer: RecordAnswer, t: Text) -> str:
    outcome = badge(t(f"ask.{answer.outcome}"), _BADGES[answer.outcome])
    name = model_name(answer.model, answer.demo_only, t) if answer.model else ""
    understood = esc(t("ask.understood", what=answer.understood)) if answer.understood else ""
    message = f'<p class="ask-message">{esc(answer.message)}</p>' if answer.message else ""
    listed = statement_list(
        "", answer.statements, shown, t, record=RECORD, prefix=shown.draft_id, locked=True
    )
    tables = "".join(_table(table, shown, t) for table in answer.tables)
    bar = verdict_bar(shown, t, fill=False) if answer.statements else ""
    return (
        f'<p class="meta">{outcome}{name}<span class="hint">{understood}</span>'
        f'<span class="seconds">{esc(t("seconds", n=answer.seconds))}</span></p>'
        f"{message}{_proposal(answer, t)}{notices(t('warnings'), answer.warnings, 'warn')}{listed}"
        f"{_plot(answer.plot)}{tables}{_nearest(answer, shown, t)}{_steps(answer, t)}"
        f"{_thinking(answer, t)}{bar}"
        f'{refusal(shown, t, shown.draft_id)}<p class="disclaimer">{esc(t("disclaimer"))}</p>'
    )


def _plot(plot: Plot | None) -> str:
    """The drawing as the task made it: its SVG holds numbers and escaped text only."""
    return f'<figure class="ask-plot">{plot.svg}</figure>' if plot is not None else ""


def _table(table: Table, shown: Shown, t: Text) -> str:
    head = "".join(f"<th>{esc(name)}</th>" for name in (*table.columns, t("ask.place")))
    rows = "".join(
        "<tr>"
        + "".join(f"<td>{esc(cell)}</td>" for cell in row.cells)
        + "<td>"
        + "".join(
            evidence_chip(e, n, RECORD, t, context=shown.context)
            for n, e in enumerate(row.evidence, 1)
        )
        + "</td></tr>"
        for row in table.rows
    )
    return (
        f'<details class="ask-table" data-key="{esc(f"{shown.draft_id}-{table.title}")}" open>'
        f"<summary>{esc(table.title)}</summary><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{rows}</tbody></table></details>"
    )


def _nearest(answer: RecordAnswer, shown: Shown, t: Text) -> str:
    if not answer.nearest:
        return ""
    items = "".join(
        f"<li>{esc(place.quote)} {evidence_chip(place, n, RECORD, t, context=shown.context)}</li>"
        for n, place in enumerate(answer.nearest, 1)
    )
    return f"<h5>{esc(t('ask.nearest'))}</h5><ol>{items}</ol>"


def _thinking(answer: RecordAnswer, t: Text) -> str:
    if not answer.thinking:
        return ""
    return (
        f'<details class="ask-thinking" data-key="{esc(answer.question)}-thinking">'
        f"<summary>{esc(t('ask.thinking'))}</summary><pre>{esc(answer.thinking)}</pre></details>"
    )


def _steps(answer: RecordAnswer, t: Text) -> str:
    """The tools that the model called, folded."""
    if not answer.steps:
        return ""
    items = "".join(
        f"<li>{esc(step.title or step.tool)} "
        f'<span class="hint">{esc("，".join(str(v) for v in step.arguments.values()))} · '
        f"{esc(t('ask.step.' + step.outcome, n=step.found))}</span></li>"
        for step in answer.steps
    )
    return (
        f'<details class="ask-steps" data-key="{esc(answer.question)}-steps">'
        f"<summary>{esc(t('ask.steps', n=len(answer.steps)))}</summary><ol>{items}</ol></details>"
    )


def _proposal(answer: RecordAnswer, t: Text) -> str:
    """The button by which the doctor agrees to a tool that costs minutes."""
    if answer.proposal is None:
        return ""
    said = t("ask.agree", what=answer.proposal.title or answer.proposal.tool)
    return f'<p class="verdicts">{button(said, "agree", css="primary")}</p>'


def conversations_html(state: AskState, t: Text) -> str:
    """The conversations of the stay with a search, each to be opened again or deleted."""
    if state.context is None:
        return ""
    items = "".join(_conversation(row.id, row.title, state, t) for row in state.conversations)
    count = t("ask.conversations", n=len(state.conversations))
    search = (
        f'<div data-form><input type="search" name="words" value="{esc(state.words)}" '
        f'maxlength="100" aria-label="{esc(t("ask.search"))}" placeholder="{esc(t("ask.search"))}">'
        f"{button(t('ask.find'), 'find', css='quiet')}</div>"
    )
    opened = " open" if state.words else ""
    return (
        f'<details class="earlier" data-key="ask-conversations"{opened}><summary>{esc(count)}'
        f"</summary>{search}<ol>{items}</ol></details>{button(t('ask.new'), 'new', css='quiet')}"
    )


def _conversation(conversation_id: str, title: str, state: AskState, t: Text) -> str:
    values = attributes(
        {
            "class": "act quiet",
            "data-do": "conversation",
            "data-conversation": conversation_id,
            "aria-pressed": "true" if conversation_id == state.conversation_id else "false",
        }
    )
    gone = button(t("ask.delete"), "forget", css="delete", conversation=conversation_id)
    return (
        f'<li><button type="button"{values}>{esc(title or t("ask.untitled"))}</button>{gone}</li>'
    )
