"""The table of a template's features; each cell leads to the words that it comes from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from assistant.tasks.structuring.export import quantity
from assistant.tasks.structuring.features import Cell, FeatureTable, Row
from assistant.tasks.structuring.ui.assertion import flagged
from assistant.tasks.structuring.ui.place import address, place_button
from assistant.ui.markup import esc
from assistant.ui.strings import Text


def features_html(table: FeatureTable | None, titles: Mapping[str, str], t: Text) -> str:
    """One column a row of the table: features are many and rows few; "" without a template.

    Features that no row has are left out, and rows without any.
    """
    if table is None:
        return ""
    filled = [row for row in table.rows if any(c.value is not None for c in row.cells.values())]
    if not filled:
        return f'<p class="hint idle">{esc(t("features.none"))}</p>'
    filled_columns = [
        n for n in table.columns if any(row.cells[n].value is not None for row in filled)
    ]
    lesions = Counter(row.note_id for row in filled)
    heads = "".join(_head(row, titles, t, numbered=lesions[row.note_id] > 1) for row in filled)
    rows = "".join(
        f'<tr><th scope="row">{esc(table.titles.get(name, name))}</th>'
        + "".join(_cell(row.note_id, row.cells[name], t) for row in filled)
        + "</tr>"
        for name in filled_columns
    )
    return (
        f'<div class="wide-table"><table class="features"><thead><tr><td></td>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _head(row: Row, titles: Mapping[str, str], t: Text, *, numbered: bool) -> str:
    number = f' <span class="hint">{esc(t("features.row", n=row.row))}</span>' if numbered else ""
    return f'<th scope="col">{esc(titles.get(row.note_id, row.note_id))}{number}</th>'


def _cell(note_id: str, cell: Cell, t: Text) -> str:
    if cell.value is None:
        return '<td class="empty">—</td>'
    value = flagged(quantity(cell), cell.flag, t)
    if cell.reference:
        value += f" ({t('reference', range=cell.reference)})"
    if not cell.evidence:
        return f"<td>{esc(value)}</td>"
    first, *others = cell.evidence
    main = place_button(value, address(note_id, first.start, first.end), title=f"{first.text}")
    more = "".join(
        place_button(str(n), address(note_id, m.start, m.end), css="mention", title=m.text)
        for n, m in enumerate(others, 2)
    )
    return f'<td class="value {cell.flag or ""}">{main}{more}</td>'
