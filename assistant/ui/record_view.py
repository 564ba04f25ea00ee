"""The record as text whose offsets can be pointed at, with what was found in it underlined."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.record.note import Note
from assistant.ui.markup import esc
from assistant.ui.strings import Text
from knowledge.text.finding import Finding


def marked(text: str, findings: Sequence[Finding]) -> str:
    """The escaped text with its findings marked, by kind; overlaps go to the longer one."""
    pieces: list[str] = []
    at = 0
    ordered = sorted(findings, key=lambda f: (f.span.start, -f.span.end))
    for finding in ordered:
        start, end = finding.span.start, finding.span.end
        if start < at or end > len(text) or not (finding.counts_for or finding.counts_against):
            continue
        pieces.append(esc(text[at:start]))
        pieces.append(f'<span class="{_kind(finding)}">{esc(text[start:end])}</span>')
        at = end
    pieces.append(esc(text[at:]))
    return "".join(pieces)


def _kind(finding: Finding) -> str:
    if not finding.is_certain:
        return "uncertain"
    return "present" if finding.counts_for else "absent"


def record_html(
    notes: Sequence[Note], findings: Sequence[Finding], record: str, t: Text, *, folded: bool
) -> str:
    """All notes under the name ``record``; folded notes are closed until they are pointed at."""
    if not notes:
        empty = t("encounter.empty" if folded else "record.empty")
        return f'<p class="hint">{esc(empty)}</p>'
    kinds = "".join(
        f'<span class="{kind}">{esc(t("legend." + kind))}</span>'
        for kind in ("present", "uncertain", "absent")
    )
    legend = f'<p class="legend">{kinds}</p>' if findings else ""
    body = "".join(_note(note, findings, folded and n > 0) for n, note in enumerate(notes))
    return f'<div class="record" data-record-name="{esc(record)}">{legend}{body}</div>'


def _note(note: Note, findings: Sequence[Finding], closed: bool) -> str:
    here = [f for f in findings if f.span.note_id == note.id]
    when = note.written_at.strftime("%Y-%m-%d %H:%M") if note.written_at else ""
    about = " · ".join(part for part in (when, note.author) if part)
    key = esc(f"note-{note.id}")
    return (
        f'<details class="note" data-key="{key}"{"" if closed else " open"}>'
        f'<summary><b>{esc(note.title or note.id)}</b> <span class="when">{esc(about)}</span>'
        f'</summary><div class="note-text" data-note-name="{esc(note.id)}" tabindex="-1">'
        f"{marked(note.text, here)}</div></details>"
    )
