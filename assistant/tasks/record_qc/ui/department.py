"""The departments under the page 病历质控: scores, findings, and what is turned down."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import gradio as gr

from assistant.api.context import Actor, Services
from assistant.api.problems import Problem
from assistant.tasks.record_qc.adjustments import EVERYWHERE, Adjustment, adjustments
from assistant.tasks.record_qc.dashboard import Dashboard, OftenDismissed, as_csv, reasons_in_words
from assistant.tasks.record_qc.routes import AdjustmentAsked, change, checked_dashboard
from assistant.tasks.record_qc.rules import RulesInvalid, read_rules
from assistant.tasks.record_qc.ui.state import Board, here
from assistant.ui.actions import field
from assistant.ui.frame import Frame
from assistant.ui.markup import button, esc
from assistant.ui.session import Session, identify
from assistant.ui.strings import Text

_QUIET: dict[str, Any] = {
    "show_progress": "hidden",
    "concurrency_limit": None,
    "api_visibility": "private",
}
_SHOWN = 200
"""Rows of the page; the export has all."""


def build(frame: Frame) -> None:
    """Lay the part out and connect it."""
    with gr.Row():
        look = gr.Button(frame.first.text("qc.board"), size="sm", elem_id="qc-board-look")
        doctors = gr.Checkbox(
            label=frame.first.text("qc.board.doctors"),
            visible=_by_doctor(frame.parts),
            elem_id="qc-board-doctors",
        )
    frame.labelled(look, "qc.board", "value")
    frame.labelled(doctors, "qc.board.doctors")
    shown = frame.panel(lambda s: board_html(here(s).board, s.text), elem_id="qc-board")

    async def looked(session: Session, by_doctor: bool, request: gr.Request) -> str:
        actor = identify(session, request)
        here(session).board = await asyncio.to_thread(
            _looked, frame.parts, actor, by_doctor=bool(by_doctor)
        )
        return board_html(here(session).board, session.text)

    async def handle(session: Session, data: dict[str, Any]) -> None:
        if data.get("do") in ("mute", "lower", "restore") and session.actor is not None:
            await asyncio.to_thread(_changed, frame.parts, session, data)

    look.click(looked, [frame.session, doctors], shown, **_QUIET)
    frame.on_card(shown, handle, [shown])


def _by_doctor(parts: Services) -> bool:
    try:
        return read_rules(parts.settings.home).by_doctor
    except RulesInvalid:
        return False


def _looked(parts: Services, actor: Actor, *, by_doctor: bool = False) -> Board:
    try:
        found = checked_dashboard(parts, actor, by_doctor=by_doctor)
        return Board(found, adjustments(parts.settings.home), actor.role == "admin")
    except (Problem, RulesInvalid) as error:
        return Board(problem=_sentence(error))


def _changed(parts: Services, session: Session, data: dict[str, Any]) -> None:
    board, actor = here(session).board, session.actor
    if board is None or actor is None:
        return
    asked = AdjustmentAsked(
        department=str(data.get("department", ""))[:200],
        kind=str(data.get("kind", ""))[:64],
        action=data["do"],
        reason=field(data, "reason", 500),
    )
    try:
        board.adjustments, board.problem = change(parts, actor, asked), ""
    except Problem as error:
        board.problem = _sentence(error)


def _sentence(error: Exception) -> str:
    return str(getattr(error, "detail", "") or error)


def board_html(board: Board | None, t: Text) -> str:
    """The dashboard; nothing before somebody asked for it."""
    if board is None:
        return ""
    problem = f'<p class="notice bad" role="alert">{esc(board.problem)}</p>'
    problem = problem if board.problem else ""
    if not board.dashboard.scores:
        nothing = "" if problem else f'<p class="hint">{esc(t("qc.board.none"))}</p>'
        return f'<section class="card">{problem}{nothing}</section>'
    data = base64.b64encode(as_csv(board.dashboard).encode()).decode()
    export = (
        f'<p><a download="record-qc.csv" href="data:text/csv;base64,{data}">'
        f"{esc(t('qc.board.export'))}</a></p>"
    )
    return (
        f'<section class="card" aria-label="{esc(t("qc.board"))}">'
        f"<h3>{esc(t('qc.board'))}</h3>{problem}{export}</section>"
        + _section(t("qc.board.scores"), _scores(board.dashboard, t))
        + _section(t("qc.board.kinds"), _kinds(board.dashboard, t))
        + _section(t("qc.board.often"), _often(board, t))
        + (_section(t("qc.board.down"), _down(board, t)) if board.adjustments else "")
    )


def _section(title: str, inner: str) -> str:
    return f'<section class="card" aria-label="{esc(title)}"><h3>{esc(title)}</h3>{inner}</section>'


def _scores(found: Dashboard, t: Text) -> str:
    rows = [
        asdict(row) | {"grades": " ".join(f"{grade} {n}" for grade, n in row.grades.items())}
        for row in found.scores[-_SHOWN:]
    ]
    return _table(("month", "department", "stays", "mean_score", "grades"), rows, t)


def _kinds(found: Dashboard, t: Text) -> str:
    rows = [
        asdict(row) | {"reasons": reasons_in_words(row.reasons)} for row in found.kinds[-_SHOWN:]
    ]
    doctor = ("doctor",) if any(row.doctor for row in found.kinds) else ()
    counts = ("title", "findings", "accepted", "dismissed", "reasons")
    return _table(("month", "department", *doctor, *counts), rows, t)


def _table(names: Sequence[str], rows: Sequence[dict[str, Any]], t: Text) -> str:
    heads = "".join(f'<th scope="col">{esc(t(f"qc.board.{name}"))}</th>' for name in names)
    body = "".join(
        "<tr>"
        + "".join(f"<td>{esc(str(row[name]) if row[name] != '' else '—')}</td>" for name in names)
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="wide-table"><table><thead><tr>{heads}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _often(board: Board, t: Text) -> str:
    if not board.dashboard.often_dismissed:
        return f'<p class="hint">{esc(t("qc.board.often.none"))}</p>'
    down = {(one.department, one.kind) for one in board.adjustments}
    items = "".join(
        _one_often(one, t, board.may_adjust and (one.department, one.kind) not in down)
        for one in board.dashboard.often_dismissed
    )
    return f'<ul class="qc-list">{items}</ul>'


def _one_often(one: OftenDismissed, t: Text, may_adjust: bool) -> str:
    said = (
        f"{esc(one.department or '—')} · <b>{esc(one.title)}</b> · "
        f"{esc(t('qc.board.dismissed'))} {one.dismissed} / {esc(t('qc.board.accepted'))} "
        f"{one.accepted} · {esc(reasons_in_words(one.reasons))}"
    )
    if not may_adjust:
        return f'<li class="qc-finding">{said}</li>'
    about = {"department": one.department, "kind": one.kind}
    acts = button(t("qc.board.lower"), "lower", **about) + button(
        t("qc.board.mute"), "mute", css="delete", **about
    )
    return (
        f'<li class="qc-finding">{said}{_with_reason(acts, f"{one.department}-{one.kind}", t)}</li>'
    )


def _with_reason(acts: str, key: str, t: Text) -> str:
    return (
        f'<div class="edit" data-key="{esc(f"qc-down-{key}")}" data-form>'
        f'<input type="text" name="reason" maxlength="500" aria-label="{esc(t("qc.board.reason"))}"'
        f' placeholder="{esc(t("qc.board.reason"))}">{acts}</div>'
    )


def _down(board: Board, t: Text) -> str:
    return (
        f'<ul class="qc-list">{"".join(_one_down(one, board, t) for one in board.adjustments)}</ul>'
    )


def _one_down(one: Adjustment, board: Board, t: Text) -> str:
    department = t("qc.board.whole") if one.department == EVERYWHERE else one.department
    title = next((row.title for row in board.dashboard.kinds if row.kind == one.kind), one.kind)
    said = " · ".join(
        (department, title, t(f"qc.board.{one.action}"), one.reason, one.by, f"{one.at:%Y-%m-%d}")
    )
    acts = button(t("qc.board.restore"), "restore", department=one.department, kind=one.kind)
    form = _with_reason(acts, f"{one.department}-{one.kind}", t) if board.may_adjust else ""
    return f'<li class="qc-finding">{esc(said)}{form}</li>'
