"""The archive on the page, and the files that wait to be read."""

from __future__ import annotations

from assistant.tasks.bill_ocr.routes import ArchivedBill
from assistant.tasks.bill_ocr.ui.state import BillState
from assistant.tasks.bill_ocr.uploading import SUFFIXES
from assistant.ui.markup import badge, button, esc
from assistant.ui.strings import Text

_ASKED = ("hospital", "item", "text", "low", "high")


def files_html(state: BillState, t: Text) -> str:
    """Where files are chosen, and what became of them."""
    accepted = ",".join(SUFFIXES)
    listed = (
        f'<ol class="files"><li><b>{esc(state.file)}</b> '
        f'<span class="hint">{len(state.pages)}</span></li></ol>'
        f"{button(t('bill.files.remove'), 'remove', css='quiet')}"
        if state.pages
        else f'<p class="hint small">{esc(t("bill.files.hint"))}</p>'
    )
    refused = "".join(f'<p class="notice bad" role="alert">{esc(x)}</p>' for x in state.refused)
    return (
        f'<div class="upload bills-upload"><span class="about">{esc(t("bill.files"))}</span>'
        f'<label class="act">{esc(t("bill.choose"))}<input type="file" multiple '
        f'accept="{accepted}" data-failed="{esc(t("bill.files.failed"))}"></label>'
        f"{listed}{refused}</div>"
    )


def archive_html(state: BillState, t: Text) -> str:
    """The form, and what was found."""
    inputs = "".join(
        f"<label>{esc(t(f'bill.archive.{name}'))}"
        f'<input name="{name}" maxlength="100" autocomplete="off"></label>'
        for name in _ASKED
    )
    problem = (
        f'<p class="notice bad" role="alert">{esc(state.archive_problem)}</p>'
        if state.archive_problem
        else ""
    )
    return (
        f'<details class="bill-archive" data-key="bill-archive"{" open" if state.found else ""}>'
        f"<summary>{esc(t('bill.archive'))}</summary>"
        f'<div class="archive-form" data-form>{inputs}'
        f"{button(t('bill.archive.search'), 'search-bills')}</div>{problem}"
        f"{_found(state, t)}</details>"
    )


def _found(state: BillState, t: Text) -> str:
    if state.found is None:
        return ""
    if not state.found:
        return f'<p class="hint">{esc(t("bill.archive.none"))}</p>'
    return f'<ol class="archive-found">{"".join(_line(b, t) for b in state.found)}</ol>'


def _line(bill: ArchivedBill, t: Text) -> str:
    label = f"{bill.issued_on or bill.created_at.astimezone().date()} {bill.hospital}".strip()
    said = " · ".join(
        part
        for part in (t(f"bill.kind.{bill.kind}"), bill.number, bill.total and f"¥{bill.total}")
        if part
    )
    mark = badge("✓", "good") if bill.accepted else ""
    return (
        f"<li>{button(label, 'open-bill', css='quiet', bill=bill.id)}"
        f'<span class="hint">{esc(said)}</span>{mark}</li>'
    )
