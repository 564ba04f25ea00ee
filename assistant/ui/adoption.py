"""The page 使用情况: how much it is used, by month, department, task and model."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import gradio as gr
from fastapi import APIRouter, FastAPI, Request
from starlette.responses import Response

from assistant.api.adoption import as_csv
from assistant.api.context import Services
from assistant.store.adoption import Adoption, AdoptionRow, adoption
from assistant.ui.frame import Frame
from assistant.ui.host import Host
from assistant.ui.markup import esc
from assistant.ui.session import Session, identify
from assistant.ui.strings import STRINGS, Text

EXPORT = "pages/adoption/export.csv"
TEXTS = ("month", "department", "task", "model")
NUMBERS = ("drafts", "opened", "filled_in", "edited", "signed", "liked", "disliked", "reported")


def serve(app: FastAPI, host: Host, parts: Services) -> None:
    """Add the export, for whoever is signed in; call it before Gradio is mounted."""
    router = APIRouter(include_in_schema=False)

    @router.get(f"/{EXPORT}")
    async def export(request: Request) -> Response:
        await host.anyone(request)
        figures = await asyncio.to_thread(adoption, parts.store.database)
        headers = {"Content-Disposition": 'attachment; filename="bedside-adoption.csv"'}
        return Response(as_csv(figures), media_type="text/csv; charset=utf-8", headers=headers)

    app.include_router(router)


def build(frame: Frame) -> None:
    """Lay the page out and connect it."""
    with gr.Column(elem_classes="sheet wide"):
        shown = gr.HTML(
            elem_classes=["panel"], elem_id="adoption", apply_default_css=False, padding=False
        )

    async def look(session: Session, request: gr.Request) -> str:
        identify(session, request)
        figures = await asyncio.to_thread(adoption, frame.parts.store.database)
        return page(figures, frame.parts, session.text)

    frame.on_tab("adoption", look, shown)


def page(told: Adoption, parts: Services, t: Text) -> str:
    """The page's HTML."""
    if told.rate is None:
        return f'<section class="card"><p class="hint">{esc(t("adoption.none"))}</p></section>'
    said = t("adoption.rate", rate=f"{told.rate:.1%}", used=told.used, eligible=told.eligible)
    alerts = _table(
        ("month",),
        ("shown", "accepted", "overridden"),
        [asdict(row) for row in told.alerts],
        t,
    )
    stays = _table(
        ("month", "department"), ("eligible", "used"), [asdict(row) for row in told.stays], t
    )
    return (
        f'<section class="card"><h3>{esc(t("page.adoption"))}</h3><p id="adoption-rate"><b>'
        f"{esc(said)}</b></p><p class='hint'>{esc(t('adoption.meaning'))}</p>"
        f'<p><a href="{EXPORT}" download>{esc(t("adoption.export"))}</a></p></section>'
        + _section(t("adoption.stays"), stays)
        + _section(
            t("adoption.drafts_title"),
            _table(TEXTS, NUMBERS, [_named(row, parts, t) for row in told.drafts], t),
        )
        + _section(t("adoption.alerts"), alerts)
        + _section(t("adoption.rules"), _rules(told, parts, t))
    )


def _rules(told: Adoption, parts: Services, t: Text) -> str:
    """Which rules are overridden, and why."""
    from assistant.alerts.rule import RulesInvalid, rules_of

    try:
        known = rules_of(parts.settings.home)
    except RulesInvalid:
        known = {}
    rows = [
        asdict(row)
        | {
            "rule": known[row.rule].title if row.rule in known else row.rule,
            "reasons": "、".join(
                f"{_reason(code, t)} {count}"
                for code, count in sorted(row.reasons.items(), key=lambda one: -one[1])
            ),
        }
        for row in told.rules
    ]
    return _table(("rule", "reasons"), ("shown", "accepted", "overridden"), rows, t)


def _reason(code: str, t: Text) -> str:
    key = f"reason.{code}"
    return t(key) if key in STRINGS else code


def _section(title: str, inner: str) -> str:
    return f'<section class="card" aria-label="{esc(title)}"><h3>{esc(title)}</h3>{inner}</section>'


def _named(row: AdoptionRow, parts: Services, t: Text) -> dict[str, Any]:
    """The row with the titles of its task."""
    task = parts.tasks.get(row.task)
    named = {
        "task": t.of(task.title) if task is not None else row.task,
        "model": row.model or t("no_model"),
    }
    return asdict(row) | named


def _table(
    texts: Sequence[str], numbers: Sequence[str], rows: Sequence[dict[str, Any]], t: Text
) -> str:
    if not rows:
        return f'<p class="hint">{esc(t("adoption.none"))}</p>'
    heads = "".join(f'<th scope="col">{esc(t("adoption." + key))}</th>' for key in texts)
    heads += "".join(
        f'<th scope="col" class="number">{esc(t("adoption." + key))}</th>' for key in numbers
    )
    body = ""
    for row in rows:
        cells = "".join(f"<td>{esc(row[key] or '—')}</td>" for key in texts)
        cells += "".join(f'<td class="number">{esc(row[key])}</td>' for key in numbers)
        body += f"<tr>{cells}</tr>"
    return (
        f'<div class="wide-table"><table><thead><tr>{heads}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )
