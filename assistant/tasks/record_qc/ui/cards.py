"""The notes with their marks, and the findings as a list."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.record.evidence import TextSpan
from assistant.record.note import Note
from assistant.tasks.record_qc.draft import QcFinding, QcReport
from assistant.tasks.record_qc.ui.state import Opinion, QcWork
from assistant.ui.markup import attributes, badge, button, esc, evidence_chip
from assistant.ui.session import Shown
from assistant.ui.strings import Text

RECORD = "qc"
_BADGES = {"critical": "bad", "warning": "warn", "info": "plain"}
_MOST_CHIPS = 4


def notes_html(notes: Sequence[Note], findings: Sequence[QcFinding], t: Text) -> str:
    """All notes under one name, the places of the findings marked; folded where none is marked."""
    if not notes:
        return f'<p class="hint">{esc(t("qc.idle"))}</p>'
    body = "".join(_note(note, findings, n == 0) for n, note in enumerate(notes))
    return f'<div class="record" data-record-name="{RECORD}">{body}</div>'


def _note(note: Note, findings: Sequence[QcFinding], is_first: bool) -> str:
    places = [
        (place.start, place.end, finding)
        for finding in findings
        for place in finding.evidence
        if isinstance(place, TextSpan)
        and place.note_id == note.id
        and place.end - place.start <= len(note.text) * 0.8
    ]
    when = note.written_at.strftime("%Y-%m-%d %H:%M") if note.written_at else ""
    about = " · ".join(part for part in (when, note.author) if part)
    opened = " open" if is_first or places else ""
    count = badge(str(len(places)), "warn") if places else ""
    return (
        f'<details class="note" data-key="{esc(f"qc-note-{note.id}")}"{opened}>'
        f"<summary><b>{esc(note.title or note.id)}</b> "
        f'<span class="when">{esc(about)}</span>{count}</summary>'
        f'<div class="note-text" data-note-name="{esc(note.id)}" tabindex="-1">'
        f"{marked(note.text, places)}</div></details>"
    )


def marked(text: str, places: Sequence[tuple[int, int, QcFinding]]) -> str:
    """The escaped text, each place marked by the severity of its finding; of two that cross, the
    first that begins, of two that begin together the longer."""
    pieces: list[str] = []
    at = 0
    for start, end, finding in sorted(places, key=lambda p: (p[0], -p[1])):
        if start < at or end > len(text):
            continue
        pieces.append(esc(text[at:start]))
        said = attributes(
            {"class": f"qc-mark {finding.severity}", "title": f"{finding.title}：{finding.message}"}
        )
        pieces.append(f"<mark{said}>{esc(text[start:end])}</mark>")
        at = end
    pieces.append(esc(text[at:]))
    return "".join(pieces)


def report_html(work: QcWork, t: Text) -> str:
    """The score and the findings; nothing before there is a report."""
    found = work.report
    if found is None:
        return ""
    shown, report = found
    items = "".join(_finding(f, shown, work.opinions.get(f.id), t) for f in report.findings)
    body = f'<ol class="qc-list">{items}</ol>' if items else f"<p>{esc(t('qc.none'))}</p>"
    problem = f'<p class="notice bad" role="alert">{esc(work.problem)}</p>' if work.problem else ""
    return (
        f'<article class="card qc-report" aria-label="{esc(t("qc.report"))}"><header>'
        f"<h3>{esc(t('qc.report'))}</h3>{_score(report, t)}</header>{problem}{body}"
        f'<p class="hint">{esc(t("qc.rules", name=report.rules))}</p>'
        f'<p class="disclaimer">{esc(t("disclaimer"))}</p></article>'
    )


def _score(report: QcReport, t: Text) -> str:
    css = {"甲": "good", "乙": "warn", "丙": "bad"}[report.grade]
    score = badge(t("qc.score", n=f"{report.score:g}", grade=report.grade), css)
    return score + badge(t("qc.count", n=len(report.findings)), "plain")


def _finding(finding: QcFinding, shown: Shown, opinion: Opinion | None, t: Text) -> str:
    chips = "".join(
        evidence_chip(place, n, RECORD, t, context=shown.context)
        for n, place in enumerate(finding.evidence[:_MOST_CHIPS], 1)
    )
    severity = badge(t(f"qc.{finding.severity}"), _BADGES[finding.severity])
    origin = badge(t(f"qc.{finding.origin}"), "plain")
    points = f'<span class="hint">{esc(t("qc.points", n=f"{finding.points:g}"))}</span>'
    settle = f'<p class="settle">{esc(t("qc.settle"))}：{esc(finding.settle)}</p>'
    css = "qc-finding" + (f" {opinion.verdict}" if opinion else "")
    return (
        f'<li class="{css}" id="{esc(f"qc-{shown.draft_id}-{finding.id}")}" tabindex="-1" '
        f'data-focus data-kind="{esc(finding.kind)}">'
        f"{severity}<b>{esc(finding.title)}</b>{origin}{points}"
        f'<p class="said">{esc(finding.message)}</p>{chips}{settle}{_verdict(finding, opinion, t)}'
        "</li>"
    )


def _verdict(finding: QcFinding, opinion: Opinion | None, t: Text) -> str:
    said = ""
    if opinion is not None:
        words = (
            t("qc.accepted")
            if opinion.verdict == "accepted"
            else t("qc.dismissed", why=opinion.reason)
        )
        said = f'<span class="qc-verdict" role="status">{esc(words)}</span>'
    accept = button(t("qc.accept"), "accept", css="confirm", finding=finding.id)
    dismiss = button(t("qc.dismiss"), "dismiss", css="delete", finding=finding.id)
    return (
        f'<span class="actions">{accept}</span><details class="edit" '
        f'data-key="{esc(f"qc-why-{finding.id}")}" data-form>'
        f'<summary class="act quiet">{esc(t("qc.dismiss"))}…</summary>'
        f'<input type="text" name="reason" maxlength="500" aria-label="{esc(t("qc.reason"))}" '
        f'placeholder="{esc(t("qc.reason"))}">{dismiss}</details>{said}'
    )
