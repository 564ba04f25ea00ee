"""The discharge record as cards: what is copied, then one card for each section."""

from __future__ import annotations

import json

from assistant.draft import NOT_RECORDED
from assistant.tasks.discharge.draft import SECTION_ZH, DischargeHeader, SectionDraft, SectionName
from assistant.tasks.discharge.ui.state import StayWork
from assistant.tasks.patient_version.source import RECORD as NOTE
from assistant.ui.markup import (
    badge,
    button,
    esc,
    evidence_chip,
    filled_form,
    model_name,
    notices,
    refusal,
    statement_list,
    verdict_bar,
)
from assistant.ui.session import Shown
from assistant.ui.strings import Text

RECORD = "stay"
WHOLE = "whole-record"
"""The name of the filled-in record, for places in it."""
TO_BE_WRITTEN = "（草稿无内容，请医师书写）"


def header_html(header: DischargeHeader | None, t: Text) -> str:
    """Identity, dates, admission diagnoses and what is pending."""
    if header is None:
        return ""
    rows = [
        (t("patient.name"), header.patient_name),
        (t("patient.sex"), header.sex),
        (t("patient.age"), header.age),
        (t("header.department"), header.department),
        (t("header.admitted_on"), header.admitted_on),
        (t("header.discharged_on"), header.discharged_on),
        (t("header.days"), header.days_in_hospital),
        (t("header.admission_diagnoses"), "；".join(header.admission_diagnoses)),
    ]
    cells = "".join(
        f'<div{_wide(n)}><dt>{esc(label)}</dt><dd class="{_css(value)}">{esc(value)}</dd></div>'
        for n, (label, value) in enumerate(rows)
    )
    pending = notices(t("header.pending"), header.pending_results, "warn")
    return (
        f'<section class="card header" aria-label="{esc(t("header.title"))}">'
        f"<header><h3>{esc(t('header.title'))}</h3></header><dl>{cells}</dl>{pending}</section>"
    )


def _wide(position: int) -> str:
    return ' class="wide"' if position == 7 else ""


def _css(value: str) -> str:
    return "absent-value" if value == NOT_RECORDED else "value"


def section_card(section: SectionName, work: StayWork, t: Text) -> str:
    """One section: waiting, being written, or written and checked."""
    if work.state == "idle" and section not in work.shown:
        return ""
    title = SECTION_ZH[section]
    shown = work.shown.get(section)
    if shown is None or not isinstance(shown.draft, SectionDraft):
        return _unwritten(title, work.partial.get(section, ""), work, t)
    return _written(title, shown, shown.draft, t)


def _unwritten(title: str, partial: str, work: StayWork, t: Text) -> str:
    if partial:
        state = (
            f"{badge(t('section.unchecked'), 'plain')}"
            f'<span class="hint"><span class="turning" aria-hidden="true"></span>'
            f"{esc(t('section.writing'))}</span>"
        )
        body = f'<p class="partial" aria-live="polite">{esc(partial)}</p>'
        css = "writing"
    else:
        waiting = t("section.waiting") if work.busy else t(f"state.{work.state}")
        state, body, css = f'<span class="hint">{esc(waiting)}</span>', "", "waiting"
    return (
        f'<article class="card section {css}" aria-label="{esc(title)}">'
        f"<header><h3>{esc(title)}</h3>{state}</header>{body}</article>"
    )


def _written(title: str, shown: Shown, draft: SectionDraft, t: Text) -> str:
    prefix = shown.draft_id
    still_open = shown.open()
    name = (
        f"{model_name(draft.model, draft.demo_only, t)}"
        f'<span class="seconds">{esc(t("seconds", n=draft.seconds))}</span>'
        if draft.model
        else f'<span class="model">{esc(t("copied"))}</span>'
    )
    count = ""
    if still_open:
        count = badge(f"⚠ {t('unsupported.count', n=len(still_open))}", "warn")
    elif not shown.nothing_left:
        count = badge(t("fill.ready"), "good")
    statements = statement_list("", draft.statements, shown, t, record=RECORD, prefix=prefix)
    offered = _offered(shown, draft, t)
    if not draft.statements:
        statements = f'<p class="notice warn">{esc(t("section.empty"))}</p>'
    filled = ""
    if shown.filled is not None:
        fields = json.dumps(shown.filled.model_dump(), ensure_ascii=False, indent=1)
        left_out = notices(t("omissions.open"), shown.filled.omissions, "warn")
        filled = left_out + filled_form(
            shown.filled, shown.signed, fields, t, f"fill-{draft.section}"
        )
    return (
        f'<article class="card section" aria-label="{esc(title)}"><header><h3>{esc(title)}</h3>'
        f"{name}{count}</header>"
        f"{notices(t('warnings'), draft.warnings, 'warn')}"
        f"{notices(NOT_RECORDED, draft.missing, 'quiet')}{statements}{offered}"
        f"{verdict_bar(shown, t, fill=not shown.nothing_left)}{refusal(shown, t, prefix)}{filled}"
        "</article>"
    )


def _offered(shown: Shown, draft: SectionDraft, t: Text) -> str:
    """What the record has beside the text, each with its place and a button that inserts it."""
    items = ""
    for statement in draft.offered:
        done = shown.resolutions.get(statement.id)
        inserted = done is not None and done.action in ("confirmed", "edited")
        chips = "".join(
            evidence_chip(e, n, RECORD, t, context=shown.context)
            for n, e in enumerate(statement.evidence, 1)
        )
        label, action = ("undo", "restored") if inserted else ("omissions.insert", "confirmed")
        act = button(t(label), "resolve", css="quiet", statement=statement.id, action=action)
        flag = badge(t("omissions.inserted"), "good") if inserted else ""
        items += (
            f'<li class="statement offered" id="{esc(f"{shown.draft_id}-{statement.id}")}">'
            f'<span class="said">{esc(statement.text)}</span>{chips}{flag}'
            f'<span class="actions">{act}</span></li>'
        )
    if not items:
        return ""
    summary = f"<summary>{esc(t('omissions.offered', n=len(draft.offered)))}</summary>"
    return (
        f'<details class="offered" data-key="offered-{esc(draft.section)}">{summary}'
        f'<ul class="statements">{items}</ul></details>'
    )


def whole_record(work: StayWork) -> str | None:
    """The text of the whole 出院记录; None until every section is filled in.

    A section in which nothing stands is left for the doctor to write.
    """
    texts: dict[str, str] = {}
    for section in SECTION_ZH:
        shown = work.shown.get(section)
        if shown is None or (shown.filled is None and not shown.nothing_left):
            return None
        texts[section] = shown.filled.text if shown.filled is not None else TO_BE_WRITTEN
    if work.header is None:
        return None
    h = work.header
    lines = [
        "出院记录",
        f"姓名：{h.patient_name}　性别：{h.sex}　年龄：{h.age}　科室：{h.department}",
        f"入院日期：{h.admitted_on}　出院日期：{h.discharged_on}　住院天数：{h.days_in_hospital}",
        f"入院诊断：{'；'.join(h.admission_diagnoses)}",
        *(f"{SECTION_ZH[s]}：{_block(texts[s])}" for s in SECTION_ZH),
    ]
    if h.pending_results:
        lines.append(f"尚未回报的结果：{'、'.join(h.pending_results)}")
    lines.append("医师签名：")
    return "\n".join(lines)


def _block(text: str) -> str:
    return "\n" + text if "\n" in text else text


def whole_html(work: StayWork, t: Text) -> str:
    """The whole record ready to copy, or how many sections are still to be filled in."""
    if work.header is None or not work.shown:
        return ""
    text = whole_record(work)
    done = sum(s.filled is not None for s in work.shown.values())
    signature = (
        f'<p class="signature"><span>{esc(t("header.signature"))}：</span>'
        f'<span class="line" aria-hidden="true"></span></p>'
    )
    if text is None:
        body = f'<p class="hint">{esc(t("whole.wait", n=done))}</p>{signature}'
    else:
        body = (
            f'<div data-record-name="{WHOLE}"><pre id="whole-text" class="whole" '
            f'data-note-name="{NOTE}" tabindex="-1">{esc(text)}</pre></div>'
            f'<button type="button" class="act primary" data-do="copy" data-target="whole-text" '
            f'data-done="{esc(t("copy.done"))}">{esc(t("copy"))}</button>'
            f'<p class="disclaimer">{esc(t("disclaimer"))}</p>'
        )
    return (
        f'<section class="card whole" aria-label="{esc(t("whole"))}"><header>'
        f"<h3>{esc(t('whole'))}</h3></header>{body}</section>"
    )
