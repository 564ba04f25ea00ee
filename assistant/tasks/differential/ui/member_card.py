"""One panel member's answer as a card, and the diagnoses that must not be missed above all."""

from __future__ import annotations

from collections.abc import Mapping

from assistant.record.evidence import TextSpan
from assistant.review.fill_in import open_statements
from assistant.tasks.differential.draft import DiagnosisEntry, DifferentialDraft
from assistant.tasks.differential.ui.questions import questions_html
from assistant.tasks.differential.ui.state import CaseWork
from assistant.ui.markup import (
    badge,
    esc,
    evidence_chip,
    model_name,
    notices,
    refusal,
    statement_list,
    verdict_bar,
)
from assistant.ui.session import Shown
from assistant.ui.strings import Text

RECORD = "case"
OPEN_ENTRIES = 2
GROUPS = (
    "supporting",
    "opposing",
    "unexplained",
    "ask",
    "tests",
    "red_flags",
    "management",
    "cautions",
)
TITLES = {"tests": "tests_next"}


def member_card(name: str, model: str, demo_only: bool, work: CaseWork, t: Text) -> str:
    """The card of the member ``name``: waiting, answered, or with why it could not answer."""
    shown = work.shown.get(name)
    if work.state == "idle" and shown is None:
        return ""
    if shown is None or not isinstance(shown.draft, DifferentialDraft):
        waiting = t("member.waiting") if work.busy else t(f"state.{work.state}")
        turning = '<span class="turning" aria-hidden="true"></span>' if work.busy else ""
        return (
            f'<article class="card member waiting" aria-label="{esc(name)}">'
            f"<header><h3>{esc(name)}</h3>{model_name(model, demo_only, t)}</header>"
            f'<p class="hint" role="status">{turning}{esc(waiting)}</p></article>'
        )
    return _answered(name, shown, shown.draft, work, t)


def _answered(name: str, shown: Shown, draft: DifferentialDraft, work: CaseWork, t: Text) -> str:
    prefix = shown.draft_id
    still_open = shown.open()
    count = (
        badge(f"⚠ {t('unsupported.count', n=len(still_open))}", "warn")
        if still_open
        else (badge(t("fill.ready"), "good") if draft.diagnoses else "")
    )
    entries = "".join(
        _entry(entry, shown, t, prefix, opened=n < OPEN_ENTRIES)
        for n, entry in enumerate(draft.diagnoses)
    )
    pending_critical = "".join(
        _entry(entry, shown, t, prefix, opened=True)
        for entry in draft.critical
        if any(s.status == "unsupported" for s in entry.statements())
    )
    second = ""
    if draft.second_problem is not None:
        entry = _entry(draft.second_problem, shown, t, prefix, opened=False, rank="+")
        second = f'<h5>{esc(t("second"))}</h5><ol class="entries second">{entry}</ol>'
    rare = _rare(draft, shown, t, prefix)
    body = entries or f'<p class="hint">{esc(t("member.none"))}</p>'
    order = ""
    if draft.model and draft.diagnoses:
        order = f'<p class="hint order">{esc(t(f"order.{draft.order}"))}</p>'
    questions = "" if draft.model else questions_html(draft, work, t)
    bar = verdict_bar(shown, t, fill=bool(draft.diagnoses))
    return (
        f'<article class="card member" aria-label="{esc(name)}"><header><h3>{esc(name)}</h3>'
        f"{model_name(draft.model, draft.demo_only, t)}"
        f'<span class="seconds">{esc(t("seconds", n=draft.seconds))}</span>{count}</header>'
        f"{notices(t('warnings'), draft.warnings, 'warn')}"
        f"{order}{bar}{refusal(shown, t, prefix)}"
        f'<ol class="entries">{body}{pending_critical}</ol>{second}{rare}{questions}</article>'
    )


def _entry(
    entry: DiagnosisEntry, shown: Shown, t: Text, prefix: str, *, opened: bool, rank: str = ""
) -> str:
    unresolved = len(open_statements(entry.statements(), shown.resolutions))
    marks = (
        (badge(t("must_not_miss"), "critical") if entry.must_not_miss else "")
        + (badge(t("own"), "own") if entry.own else "")
        + ("" if entry.in_knowledge else badge(t("not_in_knowledge"), "own"))
        + (badge(f"⚠ {unresolved}", "warn") if unresolved else "")
    )
    return (
        f'<li><details data-key="{esc(prefix)}-{entry.must_not_miss}-{entry.rank}"'
        f"{' open' if opened or unresolved else ''}>"
        f'<summary><span class="rank">{rank or entry.rank}</span>'
        f'<b class="diagnosis">{esc(_shown_name(entry, shown))}</b>'
        f"{_code(entry, t)}{_probability(entry, t)}{marks}</summary>"
        f"{_groups(entry, shown, t, prefix)}</details></li>"
    )


def _rare(draft: DifferentialDraft, shown: Shown, t: Text, prefix: str) -> str:
    """罕见病提示, under a heading of its own: it is no part of the order above."""
    if not draft.rare:
        return ""
    entries = "".join(_entry(e, shown, t, f"{prefix}-rare", opened=False) for e in draft.rare)
    return (
        f'<section class="rare" aria-label="{esc(t("rare"))}"><h5>{esc(t("rare"))}</h5>'
        f'<p class="hint">{esc(t("rare.hint"))}</p>'
        f'<ol class="entries rare">{entries}</ol></section>'
    )


def _shown_name(entry: DiagnosisEntry, shown: Shown) -> str:
    """The name, or what the doctor has made of it."""
    resolution = shown.resolutions.get(entry.name_statement.id)
    if resolution is not None and resolution.action == "edited" and resolution.text:
        return resolution.text
    return entry.name


def _probability(entry: DiagnosisEntry, t: Text) -> str:
    """The ranking's share for the diagnosis among all that it knows."""
    if entry.score is None:
        return ""
    title = esc(t("probability.hint"))
    return f'<span class="probability" title="{title}">{100 * entry.score:.0f}%</span>'


def _code(entry: DiagnosisEntry, t: Text) -> str:
    if entry.identifiers:
        return f'<span class="code">{esc("、".join(entry.identifiers))}</span>'
    title = f' title="{esc(entry.icd10_name)}"' if entry.icd10_name else ""
    css = "code" if entry.icd10 else "code none"
    return f'<span class="{css}"{title}>{esc(entry.icd10 or t("no_icd10"))}</span>'


def _groups(entry: DiagnosisEntry, shown: Shown, t: Text, prefix: str, locked: bool = False) -> str:
    name = entry.name_statement
    named = (
        statement_list("", [name], shown, t, record=RECORD, prefix=prefix, locked=locked)
        if name.status == "unsupported"
        else ""
    )
    return named + "".join(
        f'<div class="group {group}">{listed}</div>'
        for group in GROUPS
        if (
            listed := statement_list(
                t(TITLES.get(group, group)),
                getattr(entry, group),
                shown,
                t,
                record=RECORD,
                prefix=prefix,
                locked=locked,
            )
        )
    )


def critical_html(work: CaseWork, t: Text) -> str:
    """不可漏诊, once for all members, from the first draft that names each."""
    drafts = [(s, s.draft) for s in work.shown.values() if isinstance(s.draft, DifferentialDraft)]
    if not drafts:
        return ""
    texts = {note.id: note.text for note in work.case.notes()} if work.case else {}
    ours = {entry.name for _, draft in drafts if not draft.model for entry in draft.critical}
    seen: dict[str, str] = {}
    for shown, draft in drafts:
        for entry in draft.critical:
            if entry.name not in seen:
                # One that only a model thought of is said to be that model's.
                own = "" if entry.name in ours else t("critical.by", name=draft.member)
                seen[entry.name] = _critical_card(entry, shown, texts, t, own)
    inner = (
        f"<ul>{''.join(seen.values())}</ul>"
        if seen
        else f'<p class="hint">{esc(t("critical.none"))}</p>'
    )
    css = "critical" if seen else "critical none"
    return (
        f'<section class="{css}" aria-label="{esc(t("critical"))}">'
        f"<h3>{esc(t('critical'))}</h3>{inner}</section>"
    )


def _critical_card(
    entry: DiagnosisEntry, shown: Shown, texts: Mapping[str, str], t: Text, own: str
) -> str:
    """Short, since several may stand above the members: the words that call for it, then more."""
    words: dict[str, str] = {}
    spans = (e for s in entry.supporting for e in s.evidence if isinstance(e, TextSpan))
    for evidence in spans:
        if evidence.note_id not in texts:
            continue
        word = texts[evidence.note_id][evidence.start : evidence.end]
        words.setdefault(word, evidence_chip(evidence, 0, RECORD, t, label=word))
    groups = _groups(entry, shown, t, f"top-{shown.draft_id}", locked=True)
    return (
        f'<li class="critical-card"><h4>{esc(entry.name)} {_code(entry, t)}'
        f"{badge(own, 'own') if own else ''}</h4>"
        f'<p class="words">{"".join(words.values())}</p>'
        f'<details data-key="critical-{esc(entry.name)}">'
        f"<summary>{esc(t('critical.more'))}</summary>{groups}</details></li>"
    )
