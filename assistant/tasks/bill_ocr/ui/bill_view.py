"""A bill on the page: the picture with its boxes, its fields and items as inputs, the checks.

``assets/bills.js`` draws the boxes, lights a field's box and a box's field, and goes from doubt to
doubt.
"""

from __future__ import annotations

from collections.abc import Sequence

from assistant.store import Context
from assistant.tasks.bill_ocr.claim import COLUMNS
from assistant.tasks.bill_ocr.document import (
    RESULT_COLUMNS,
    BillDocument,
    Cell,
    Check,
    DocumentKind,
    Item,
)
from assistant.tasks.bill_ocr.ui.documents import EXPORTS
from assistant.tasks.bill_ocr.ui.state import BillState
from assistant.tasks.bill_ocr.ui.strings import check_name, name_of
from assistant.ui.evidence_view import PICTURES
from assistant.ui.markup import attributes, badge, button, esc, notices
from assistant.ui.strings import Text

FORMS = {"json": "json", "csv": "csv", "fhir": "fhir.json"}
_WIDTHS = (
    dict.fromkeys(("quantity", "class", "flag"), "narrow")
    | dict.fromkeys(("unit", "code"), "word")
    | dict.fromkeys(("unit_price", "amount", "value", "limit_price"), "figure")
)
_MOST_READINGS = 3
_LENS = '<canvas class="bill-lens" hidden aria-hidden="true"></canvas>'
"""Where the print of the cell in hand is shown large."""


def bill_html(state: BillState, t: Text) -> str:
    """The card; "" without a bill."""
    bill, context = state.bill, state.context
    if bill is None or context is None:
        return ""
    document = bill.document
    warnings = notices(t("warnings"), dict.fromkeys(document.warnings), "warn")
    values = attributes(
        {
            "class": "card bill",
            "data-card": "bill",
            "data-bill": bill.id,
            "data-version": bill.version,
            "data-patient": context.patient_id,
            "data-encounter": context.encounter_id,
            "data-problem": state.problem or None,
            "aria-label": t("bill.title"),
        }
    )
    problem = (
        f'<p class="notice bad" role="alert">{esc(state.problem)} {esc(t("bill.unsaved"))}</p>'
        if state.problem
        else ""
    )
    said = f'<p class="hint" role="status">{esc(state.said)}</p>' if state.said else ""
    return (
        f"<section{values}>{_head(state, t)}{problem}{said}{warnings}"
        f'<div class="bill-split"><div class="bill-pages scrolls">{_LENS}'
        f"{_pages(bill.attachments, document.pages, t)}</div>"
        f'<div class="bill-cells scrolls">{_fields(document, t)}{_items(document, t)}'
        f"{_checks(document.checks, t)}</div></div>{_foot(state, context, t)}</section>"
    )


def _head(state: BillState, t: Text) -> str:
    bill = state.bill
    assert bill is not None
    count = len(bill.doubts)
    doubts = (
        badge(t("bill.doubts", n=count), "warn") if count else badge(t("bill.no_doubts"), "good")
    )
    accepted = badge(t("bill.accepted", who=bill.accepted_by), "plain") if bill.accepted_by else ""
    several = len(state.bills) > 1
    turn = (
        button(t("bill.previous"), "turn", css="quiet", step=-1)
        + f'<span class="hint">{esc(t("bill.of", n=state.at + 1, all=len(state.bills)))}</span>'
        + button(t("bill.next"), "turn", css="quiet", step=1)
        if several
        else ""
    )
    return (
        f"<header><h3>{esc(t('bill.kind.' + bill.document.kind.value))}</h3>{doubts}{accepted}"
        f'<span class="hint">{esc(t("bill.version", n=bill.version))}</span>{turn}</header>'
    )


def _pages(attachments: Sequence[str], numbers: Sequence[int], t: Text) -> str:
    """Pages without a kept picture are left out."""
    return "".join(
        f'<figure class="bill-page" data-page="{number}" data-picture="{PICTURES}/{esc(id_)}" '
        f'data-missing="{esc(t("bill.picture.missing"))}" '
        f'aria-label="{esc(t("bill.picture"))} {number}"></figure>'
        for number, id_ in zip(numbers, attachments, strict=False)
    )


def _fields(document: BillDocument, t: Text) -> str:
    rows = "".join(
        f'<div class="field{" doubtful" if cell.doubt else ""}"><label>'
        f"<span>{esc(name_of(name, t.language))}</span>"
        f"{_input(f'fields.{name}', cell, name_of(name, t.language))}</label>{_why(cell, t)}</div>"
        for name, cell in document.fields.items()
    )
    return f'<h4>{esc(t("bill.fields"))}</h4><div class="bill-fields">{rows}</div>'


def _items(document: BillDocument, t: Text) -> str:
    laboratory = document.kind is DocumentKind.LABORATORY_SHEET
    columns = item_columns(document.items, RESULT_COLUMNS if laboratory else COLUMNS)
    if not columns:
        return ""
    head = "".join(f"<th>{esc(name_of(column, t.language))}</th>" for column in columns)
    body = "".join(_row(item, number, columns, t) for number, item in enumerate(document.items))
    add = button(t("bill.row.add"), "add-row", css="quiet")
    return (
        f"<h4>{esc(t('bill.items'))}</h4>"
        f'<table class="bill-items"><thead><tr>{head}<th></th></tr></thead>'
        f"<tbody>{body}</tbody></table>{add}"
    )


def item_columns(items: Sequence[Item], known: Sequence[str]) -> list[str]:
    """The columns that any item has, in their order, others at the end."""
    seen = {column for item in items for column in item}
    return [c for c in known if c in seen] + sorted(seen - set(known))


def _row(item: Item, number: int, columns: Sequence[str], t: Text) -> str:
    cells = ""
    for column in columns:
        cell = item.get(column) or Cell(value="")
        css = " ".join(
            name
            for name, holds in (("doubtful", cell.doubt), (_WIDTHS.get(column), column in _WIDTHS))
            if name and holds
        )
        label = f"{name_of(column, t.language)} {number + 1}"
        inside = _input(f"items.{number}.{column}", cell, label) + _why(cell, t)
        cells += f'<td class="{css}">{inside}</td>'
    remove = button("×", "remove-row", css="quiet", path=f"items.{number}")
    title = esc(t("bill.row.remove"))
    remove = remove.replace("<button", f'<button title="{title}" aria-label="{title}"', 1)
    return f"<tr>{cells}<td>{remove}</td></tr>"


def _input(path: str, cell: Cell, label: str) -> str:
    box = cell.box
    values = attributes(
        {
            "type": "text",
            "class": "cell",
            "value": cell.value,
            "data-path": path,
            "data-original": cell.value,
            "data-page": cell.page,
            "data-box": f"{box.x} {box.y} {box.width} {box.height}" if box else None,
            "data-doubt": cell.doubt or None,
            "aria-label": label,
            "aria-invalid": "true" if cell.doubt else None,
            "title": cell.doubt or None,
            "autocomplete": "off",
            "spellcheck": "false",
        }
    )
    return f"<input{values}>"


def _why(cell: Cell, t: Text) -> str:
    """Why a cell is doubted, and what else was read at its place."""
    if not cell.doubt:
        return ""
    others = "" if cell.corrected else "、".join(cell.readings[:_MOST_READINGS])
    also = f" {t('bill.also_read', values=others)}" if others else ""
    return f'<small class="why">{esc(cell.doubt)}{esc(also)}</small>'


def _checks(checks: Sequence[Check], t: Text) -> str:
    if not checks:
        return ""
    lines = "".join(
        f'<li class="{"passed" if check.passed else "failed"}">'
        f"<b>{esc(t('bill.checks.passed' if check.passed else 'bill.checks.failed'))}</b> "
        f"{esc(check.message or check_name(check.name, t.language))} {esc(check.suggestion)}</li>"
        for check in sorted(checks, key=lambda check: check.passed)
    )
    return f'<h4>{esc(t("bill.checks"))}</h4><ul class="bill-checks">{lines}</ul>'


def _foot(state: BillState, context: Context, t: Text) -> str:
    bill = state.bill
    assert bill is not None
    downloads = "".join(
        "<button"
        + attributes(
            {
                "type": "button",
                "class": "act quiet",
                "data-do": "download",
                "data-from": f"{EXPORTS}/{bill.id}/{form}",
                "data-patient": context.patient_id,
                "data-encounter": context.encounter_id or None,
                "data-name": f"{context.patient_id}.{suffix}",
                "data-failed": t("bill.export.failed"),
            }
        )
        + f">{form.upper()}</button>"
        for form, suffix in FORMS.items()
    )
    return (
        f'<footer class="bill-foot">{button(t("bill.save"), "save-bill")}'
        f"{button(t('bill.accept'), 'accept-bill', css='primary')}"
        f'<span class="exports" role="group" aria-label="{esc(t("bill.export"))}">'
        f'<span class="hint">{esc(t("bill.export"))}</span>{downloads}</span>'
        f'<p class="hint small">{esc(t("bill.keys"))}</p>'
        f'<p class="disclaimer">{esc(t("disclaimer"))}</p></footer>'
    )
