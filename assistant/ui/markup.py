"""HTML that the cards share.  Whatever comes from a record or a model goes through `esc`."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping

from assistant.draft import Statement
from assistant.record.evidence import Evidence
from assistant.review.fill_in import FillIn
from assistant.store import Context
from assistant.ui import evidence_view
from assistant.ui.session import Shown, Signed
from assistant.ui.strings import Text


def esc(text: object) -> str:
    """Text made harmless for element content and quoted attributes.

    A carriage return becomes a character reference, since parsers drop it and offsets would shift.
    """
    return html.escape(str(text), quote=True).replace("\r", "&#13;")


def attributes(values: Mapping[str, object]) -> str:
    """``{"data-do": "fill"}`` as `` data-do="fill"``; None and False are left out."""
    return "".join(
        f" {name}" if value is True else f' {name}="{esc(value)}"'
        for name, value in values.items()
        if value is not None and value is not False
    )


def button(label: str, do: str, *, css: str = "", **data: object) -> str:
    """A button that sends ``do`` and its ``data`` to the card's handler, or acts in the page."""
    values = {f"data-{name.replace('_', '-')}": value for name, value in data.items()}
    extra = attributes({"class": f"act {css}".strip(), "data-do": do, **values})
    return f'<button type="button"{extra}>{esc(label)}</button>'


def badge(label: str, css: str) -> str:
    """A small label."""
    return f'<span class="badge {css}">{esc(label)}</span>'


def model_name(model: str, demo_only: bool, t: Text) -> str:
    """The model that wrote a draft, with 仅供演示 where that is all it is for."""
    name = f'<span class="model">{esc(model or t("no_model"))}</span>'
    return name + (badge(t("demo_only"), "demo") if demo_only else "")


def evidence_chip(
    evidence: Evidence,
    number: int,
    record: str,
    t: Text,
    *,
    context: Context | None = None,
    label: str = "",
) -> str:
    """A button that opens the evidence, see `assistant.ui.evidence_view`.

    It reads ``label``, or the kind of evidence and its number.
    """
    kind, place = evidence_view.kind(evidence, t), evidence_view.place(evidence, t)
    values = attributes(
        {
            "class": f"chip {evidence_view.style(evidence)}",
            "data-do": "evidence",
            "data-quote": evidence.quote,
            "data-place": f"{kind}{' · ' if place else ''}{place}",
            "data-missing": t("evidence.missing"),
            "title": evidence.quote,
            "aria-label": f"{t('evidence.show')}：{label or f'{kind}{number}'} {place}",
            **evidence_view.target(evidence, record, context),
        }
    )
    return f'<button type="button"{values}>{esc(label or f"{kind}{number}")}</button>'


def statement_item(
    statement: Statement, shown: Shown, t: Text, *, record: str, prefix: str, locked: bool = False
) -> str:
    """One statement with its evidence, its problems and what may be done about it."""
    resolution = shown.resolutions.get(statement.id)
    state = resolution.action if resolution and resolution.action != "restored" else ""
    unsupported = statement.status == "unsupported"
    text = statement.text
    if resolution is not None and resolution.action == "edited" and resolution.text:
        text = resolution.text
    css = "statement " + (state or ("unsupported" if unsupported else "supported"))
    chips = "".join(
        evidence_chip(e, n, record, t, context=shown.context)
        for n, e in enumerate(statement.evidence, 1)
    )
    flags = ""
    if unsupported and not state:
        flags = badge(f"⚠ {t('unsupported')}", "warn") + _problems(statement, t)
    elif state:
        flags = badge(t(state), f"state {state}")
    item_id = f"{prefix}-{statement.id}"
    actions = "" if locked else _statement_actions(statement, state, text, t)
    return (
        f'<li class="{css}" id="{esc(item_id)}" tabindex="-1" data-focus>'
        f'<span class="said">{esc(text)}</span>{chips}{flags}{actions}</li>'
    )


def _problems(statement: Statement, t: Text) -> str:
    named = [p for p in statement.problems if p.kind != "no_evidence"]
    return "".join(
        f'<span class="problem">{esc(t("problem." + p.kind))}：<q>{esc(p.text)}</q></span>'
        for p in named
    )


def _statement_actions(statement: Statement, state: str, text: str, t: Text) -> str:
    sid = statement.id
    if state:
        undo = button(t("undo"), "resolve", css="quiet", statement=sid, action="restored")
        return f'<span class="actions">{undo}</span>'
    confirm = (
        button(t("confirm"), "resolve", css="confirm", statement=sid, action="confirmed")
        if statement.status == "unsupported"
        else ""
    )
    delete = button(t("delete"), "resolve", css="delete", statement=sid, action="deleted")
    save = button(t("save"), "resolve", css="confirm", statement=sid, action="edited")
    edit = (
        f'<details class="edit" data-key="edit-{esc(sid)}" data-form>'
        f'<summary class="act quiet">{esc(t("edit"))}</summary>'
        f'<textarea name="text" rows="2" aria-label="{esc(t("edit.label"))}" '
        f'data-version="{esc(text)}">{esc(text)}</textarea>{save}</details>'
    )
    return f'<span class="actions">{confirm}{delete}{edit}</span>'


def statement_list(
    title: str, statements: Iterable[Statement], shown: Shown, t: Text, **options: object
) -> str:
    """A titled list; nothing where there are no statements."""
    items = "".join(statement_item(s, shown, t, **options) for s in statements)  # type: ignore[arg-type]
    if not items:
        return ""
    heading = f"<h5>{esc(title)}</h5>" if title else ""
    return f'{heading}<ul class="statements">{items}</ul>'


def verdict_bar(shown: Shown, t: Text, *, fill: bool = True) -> str:
    """有用 / 无用 / 识别错误 / 一键回填 for one draft, with what has been noted already."""
    votes = "".join(_vote(verdict, shown.verdict == verdict, t) for verdict in ("like", "dislike"))
    noted = []
    if shown.verdict in ("like", "dislike"):
        noted.append(t(f"{shown.verdict}d"))
    if shown.reports:
        noted.append(t("reported", n=shown.reports))
    status = f'<p class="noted" role="status">{esc(" · ".join(noted))}</p>' if noted else ""
    fill_button = button(t("fill"), "fill", css="primary") if fill else ""
    return f'<div class="verdicts">{votes}{fill_button}{_report_form(shown, t)}</div>{status}'


def _vote(verdict: str, pressed: bool, t: Text) -> str:
    values = attributes(
        {
            "class": f"act vote {verdict}",
            "data-do": "verdict",
            "data-verdict": verdict,
            "aria-pressed": "true" if pressed else "false",
        }
    )
    return f'<button type="button"{values}>{esc(t(verdict))}</button>'


def _report_form(shown: Shown, t: Text) -> str:
    fields = "".join(
        f'<label>{esc(t("report." + name))}<textarea name="{name}" rows="{rows}" '
        f'data-version="{shown.reports}"></textarea></label>'
        for name, rows in (("quote", 2), ("comment", 1), ("correction", 1))
    )
    send = button(t("report.send"), "report", css="delete")
    return (
        f'<details class="report" data-key="report-{shown.reports}" data-form data-takes-selection>'
        f'<summary class="act quiet">{esc(t("report"))}</summary>{fields}{send}</details>'
    )


def refusal(shown: Shown, t: Text, prefix: str) -> str:
    """Why the fill-in was refused, with a way to each statement."""
    if shown.problem:
        return f'<p class="notice bad" role="alert">{esc(shown.problem)}</p>'
    still_open = [s for s in shown.refused if s in shown.open()]
    if not still_open:
        return ""
    links = "".join(
        f"<li>{button(s.text, 'goto', css='link', target=f'{prefix}-{s.id}')}</li>"
        for s in still_open
    )
    return (
        f'<div class="notice bad" role="alert">{esc(t("fill.refused", n=len(still_open)))}'
        f"<ol>{links}</ol></div>"
    )


def filled_form(filled: FillIn, signed: Signed | None, fields_json: str, t: Text, key: str) -> str:
    """The text to copy, editable, with its JSON and the way to hand the signed text back."""
    area = f"{key}-text"
    done = _signed(signed, t) if signed is not None else ""
    if filled.stale:
        done += f'<p class="notice warn" role="alert">{esc(t("overtaken"))}</p>'
    rows = min(22, max(3, filled.text.count("\n") + 2 + len(filled.text) // 60))
    return (
        f'<div class="filled" data-form><p class="hint">{esc(t("fill.edit"))}</p>'
        f'<textarea name="final" id="{esc(area)}" rows="{rows}" aria-label="{esc(t("fill.title"))}"'
        f' data-version="{esc(filled.text)}">{esc(filled.text)}</textarea>'
        f'<div class="verdicts">'
        f"{button(t('copy'), 'copy', css='primary', target=area, done=t('copy.done'))}"
        f"{button(t('sign'), 'sign', css='quiet')}</div>{done}"
        f'<details data-key="json-{esc(key)}"><summary>{esc(t("json"))}</summary>'
        f'<pre id="{esc(key)}-json">{esc(fields_json)}</pre>'
        f"{button(t('copy_json'), 'copy', target=f'{key}-json', done=t('copy.done'))}</details>"
        f'<p class="disclaimer">{esc(t("disclaimer"))}</p></div>'
    )


def _signed(signed: Signed, t: Text) -> str:
    """That the text is kept, with those of its figures that were measured."""
    distance, seconds = signed
    said = (
        t("signed")
        + ("" if distance is None else t("signed.distance", d=distance))
        + ("" if seconds is None else t("signed.seconds", s=seconds))
    )
    return f'<p class="notice good" role="status">{esc(said)}</p>'


def notices(title: str, texts: Iterable[str], css: str) -> str:
    """Warnings or missing items in one line each."""
    items = "".join(f"<li>{esc(text)}</li>" for text in texts)
    return f'<div class="notice {css}"><b>{esc(title)}</b><ul>{items}</ul></div>' if items else ""
