"""The page 病历搜索: words, a form or a query; the query is shown before it runs; a table."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import gradio as gr

from assistant.api.context import Actor, Services
from assistant.record_index.access import Caller, caller_of, check_query
from assistant.record_index.cohort import as_csv, as_group, cohort
from assistant.record_index.errors import NotAllowed, SearchRefused
from assistant.record_index.evidence import Evidence
from assistant.record_index.form import SearchForm
from assistant.record_index.language import parse
from assistant.record_index.search import Found, Row, search
from assistant.record_index.shown import deidentified
from assistant.record_index.words import translate
from assistant.store.context import bound
from assistant.ui.frame import Frame
from assistant.ui.markup import esc
from assistant.ui.session import Session, identify
from assistant.ui.strings import Text

SHOWN = 50
"""Rows of the page."""

_MOST_TAKEN = 2_000
"""Rows of a file that the page makes; larger cohorts are for the command and the API."""

_QUIET: dict[str, Any] = {
    "show_progress": "hidden",
    "concurrency_limit": None,
    "api_visibility": "private",
}


def build(frame: Frame) -> None:
    """Lay the page out and connect it."""
    with gr.Column(elem_classes="sheet wide"):
        words = _box(frame, "words", "search-words")
        with gr.Row(elem_classes="tight"):
            has = _box(frame, "has", "search-has")
            none = _box(frame, "none", "search-none")
            begin = _box(frame, "begin", "search-begin")
            end = _box(frame, "end", "search-end")
        with gr.Row(elem_classes="run"):
            make = _button(frame, "translate", "search-translate")
        query = _box(frame, "query", "search-query")
        with gr.Row(elem_classes="run"):
            run = _button(frame, "run", "search-run", primary=True)
            take = _button(frame, "take", "search-take")
        shown = gr.HTML(
            elem_classes=["panel"], elem_id="search-found", apply_default_css=False, padding=False
        )
    _connect(frame, [words, has, none, begin, end], query, (make, run, take), shown)


def _box(frame: Frame, name: str, elem_id: str) -> gr.Textbox:
    t = frame.first.text
    key = f"search.{name}"
    box = gr.Textbox(
        label=t(key), placeholder=t(f"{key}.hint"), max_lines=1, min_width=120, elem_id=elem_id
    )
    frame.labelled(box, key, placeholder=f"{key}.hint")
    return box


def _button(frame: Frame, name: str, elem_id: str, *, primary: bool = False) -> gr.Button:
    key = f"search.{name}"
    button = gr.Button(
        frame.first.text(key),
        variant="primary" if primary else "secondary",
        size="sm",
        elem_id=elem_id,
    )
    frame.labelled(button, key, "value")
    return button


def _connect(
    frame: Frame,
    asked: list[gr.Textbox],
    query: gr.Textbox,
    buttons: tuple[gr.Button, gr.Button, gr.Button],
    shown: gr.HTML,
) -> None:
    parts = frame.parts
    make, run, take = buttons

    async def translated(
        session: Session,
        words: str,
        has: str,
        none: str,
        begin: str,
        end: str,
        request: gr.Request,
    ) -> list[Any]:
        identify(session, request)
        try:
            return [made_query(words, has, none, begin, end), ""]
        except SearchRefused as error:
            return [gr.skip(), _notice(str(error))]

    async def searched(session: Session, text: str, request: gr.Request) -> str:
        actor = identify(session, request)
        return await asyncio.to_thread(found_html, parts, actor, text or "", session.text)

    async def taken(session: Session, text: str, request: gr.Request) -> str:
        actor = identify(session, request)
        return await asyncio.to_thread(files_html, parts, actor, text or "", session.text)

    make.click(translated, [frame.session, *asked], [query, shown], **_QUIET)
    gr.on([run.click, query.submit], searched, [frame.session, query], shown, **_QUIET)
    asked[0].submit(translated, [frame.session, *asked], [query, shown], **_QUIET)
    take.click(taken, [frame.session, query], shown, **_QUIET)


def made_query(words: str, has: str, none: str, begin: str, end: str) -> str:
    """The query of words, of the form, or of both.  Raises `SearchRefused`."""
    wanted = [translate(words)] if (words or "").strip() else []
    terms = _terms(has)
    values = {"all_of": [*wanted, *terms], "none_of": _terms(none)}
    try:
        form = SearchForm.model_validate(
            values | {"begin": (begin or "").strip() or None, "end": (end or "").strip() or None}
        )
    except ValueError:
        raise SearchRefused("日期请写成 2025-01-01。(Days are like 2025-01-01.)") from None
    made = form.query()
    if wanted and made == f"({wanted[0]})":
        made = wanted[0]
    parse(made)
    return made


def _terms(text: str) -> list[str]:
    """Terms between commas of any kind."""
    for comma in "，、；;":
        text = (text or "").replace(comma, ",")
    return [term.strip() for term in text.split(",") if term.strip()]


def found_html(parts: Services, actor: Actor, query: str, t: Text) -> str:
    """What a query finds, de-identified, or the sentence that says why not."""
    try:
        caller = _caller(parts, actor, query)
        found = search(parts.store, caller, query, limit=SHOWN)
    except SearchRefused as error:
        return _notice(str(error))
    return _found(deidentified(parts.store, found), t)


def files_html(parts: Services, actor: Actor, query: str, t: Text) -> str:
    """The cohort as links to a CSV file and a FHIR Group, de-identified."""
    try:
        caller = _caller(parts, actor, query)
        whole = cohort(parts.store, caller, query, most=_MOST_TAKEN)
    except SearchRefused as error:
        return _notice(str(error))
    group = json.dumps(as_group(whole), ensure_ascii=False)
    links = _link("cohort.csv", "text/csv", f"\ufeff{as_csv(whole)}")
    links += _link("cohort-group.json", "application/fhir+json", group)
    return f'<section class="card"><p>{esc(t("search.files", n=whole.total))} {links}</p></section>'


def _caller(parts: Services, actor: Actor, query: str) -> Caller:
    if bound() is not None:
        raise NotAllowed(
            "本会话只针对一名患者，不能搜索他人的病历。(This session is for one patient.)"
        )
    caller = caller_of(parts.store, actor.id, actor.role)
    check_query(caller, parse(query), identified=False)
    return caller


def _link(name: str, media_type: str, content: str) -> str:
    data = base64.b64encode(content.encode()).decode()
    return f'<a download="{name}" href="data:{media_type};base64,{data}">{name}</a> '


def _notice(sentence: str) -> str:
    return f'<p class="notice bad" role="alert">{esc(sentence)}</p>'


def _found(found: Found, t: Text) -> str:
    notices = "".join(f'<p class="notice">{esc(notice)}</p>' for notice in found.notices)
    heads = "".join(
        f'<th scope="col">{esc(t(f"search.column.{name}"))}</th>'
        for name in ("patient", "condition", "date", "value", "words")
    )
    rows = "".join(_rows(row) for row in found.rows)
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    total = esc(t("search.total", n=found.total, shown=len(found.rows)))
    body = f'<div class="wide-table">{table}</div>' if found.rows else ""
    return f'{notices}<section class="card"><h3>{total}</h3>{body}</section>'


def _rows(row: Row) -> str:
    if not row.evidence:
        return f'<tr><td>{esc(row.patient_id)}</td><td colspan="4">{esc(row.last_day)}</td></tr>'
    return "".join(_line(row, one) for one in row.evidence)


def _line(row: Row, one: Evidence) -> str:
    words = f"{esc(one.before)}<mark>{esc(one.text)}</mark>{esc(one.after)}"
    said = f"{one.standing} {one.value}{one.unit}".strip()
    place = f"{one.note_id} {one.start}–{one.end}"
    cells = "".join(
        f"<td>{esc(cell)}</td>" for cell in (row.patient_id, one.condition, one.on_date, said)
    )
    return f'<tr>{cells}<td title="{esc(place)}">{words}</td></tr>'
