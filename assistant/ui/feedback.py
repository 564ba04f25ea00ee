"""The page 反馈: what doctors thought of each member, and how to take it out."""

from __future__ import annotations

import asyncio
from typing import Any

import gradio as gr

from assistant.api.context import Services
from assistant.store import Context, FeedbackRow, MemberSummary
from assistant.ui.frame import Frame, patient_banner
from assistant.ui.markup import esc
from assistant.ui.session import Session, identify
from assistant.ui.strings import Text

EXPORT = "bedside feedback export --out feedback.jsonl"

TEXT_COLUMNS = ("feedback.kind", "feedback.member", "feedback.model")
NUMBER_COLUMNS = (
    "feedback.drafts",
    "like",
    "dislike",
    "feedback.errors",
    "feedback.accepted",
    "feedback.signed",
    "feedback.distance",
    "feedback.to_acceptance",
)


def build(frame: Frame) -> None:
    """Lay the page out and connect it."""
    t = frame.first.text
    parts = frame.parts
    with gr.Column(elem_classes="sheet"):
        refresh = frame.labelled(
            gr.Button(t("refresh"), size="sm", elem_id="refresh-feedback", scale=0),
            "refresh",
            "value",
        )
        shown = gr.HTML(elem_classes=["panel"], apply_default_css=False, padding=False)

    async def look(session: Session, request: gr.Request) -> str:
        identify(session, request)
        return await page(parts, session)

    frame.on_tab("feedback", look, shown)
    refresh.click(look, frame.session, shown, show_progress="hidden", api_visibility="private")


async def page(parts: Services, session: Session) -> str:
    """The page's HTML: the counts of all members, then the patients of this session."""
    t = session.text
    summary = await asyncio.to_thread(parts.store.feedback.summary)
    body = _table(list(summary), parts, t)
    for context in session.contexts():
        rows = await asyncio.to_thread(parts.store.feedback.list, context, limit=20)
        body += _recent(context, list(rows), t)
    return (
        f"{body}<section class='card'><p>{esc(t('feedback.export'))}</p>"
        f"<pre>{esc(EXPORT)}</pre></section>"
    )


def _table(rows: list[MemberSummary], parts: Services, t: Text) -> str:
    if not rows:
        inner = f'<p class="hint">{esc(t("feedback.none"))}</p>'
    else:
        heads = "".join(f'<th scope="col">{esc(t(key))}</th>' for key in TEXT_COLUMNS) + "".join(
            f'<th scope="col" class="number">{esc(t(key))}</th>' for key in NUMBER_COLUMNS
        )
        inner = (
            f'<div class="wide-table"><table><thead><tr>{heads}</tr></thead>'
            f"<tbody>{''.join(_row(row, parts, t) for row in rows)}</tbody></table></div>"
        )
    title = esc(t("feedback.title"))
    return f'<section class="card" aria-label="{title}"><h3>{title}</h3>{inner}</section>'


def _row(row: MemberSummary, parts: Services, t: Text) -> str:
    distance = "—" if row.mean_edit_distance is None else f"{row.mean_edit_distance:.1f}"
    seconds = row.mean_seconds_to_acceptance
    numbers: list[Any] = [
        row.drafts,
        row.likes,
        row.dislikes,
        row.errors,
        row.accepted,
        row.signed,
        distance,
        "—" if seconds is None else t("seconds", n=seconds),
    ]
    cells = "".join(f'<td class="number">{esc(n)}</td>' for n in numbers)
    return (
        f"<tr><td>{esc(_kind(row.kind, parts, t))}</td><td>{esc(_member(row.member, t))}</td>"
        f"<td>{esc(row.model or t('no_model'))}</td>{cells}</tr>"
    )


def _kind(kind: str, parts: Services, t: Text) -> str:
    """The task's title; its kind where it is not installed any more."""
    task = parts.tasks.get(kind)
    return t.of(task.title) if task is not None else kind


def _member(name: str, t: Text) -> str:
    return t("copied") if name == "copied" else name


def _recent(context: Context, rows: list[FeedbackRow], t: Text) -> str:
    items = "".join(
        f'<li><span class="when">{row.created_at.astimezone():%Y-%m-%d %H:%M}</span> '
        f'<b class="verdict {esc(row.verdict)}">{esc(t("verdict." + row.verdict))}</b> '
        f"{esc(_member(row.member, t))}{_words(row)}</li>"
        for row in rows
    )
    inner = (
        f"<ul class='recent'>{items}</ul>"
        if items
        else f'<p class="hint">{esc(t("feedback.none"))}</p>'
    )
    title = esc(t("feedback.recent"))
    return (
        f'<section class="card" aria-label="{title}"><h3>{title}</h3>'
        f"{patient_banner(context, '', t)}{inner}</section>"
    )


def _words(row: FeedbackRow) -> str:
    quote = f"：<q>{esc(row.quote)}</q>" if row.quote else ""
    correction = f" → <ins>{esc(row.correction)}</ins>" if row.correction else ""
    comment = f" （{esc(row.comment)}）" if row.comment else ""
    return quote + correction + comment
