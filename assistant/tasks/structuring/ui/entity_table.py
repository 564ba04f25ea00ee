"""The entities of the notes as tables."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.tasks.structuring.entity import Coding, Entity, StructuredNote
from assistant.tasks.structuring.ui import assertion
from assistant.tasks.structuring.ui.note_text import note_title
from assistant.tasks.structuring.ui.place import address, folded_rows, place_button
from assistant.ui.markup import esc
from assistant.ui.strings import Text

COLUMNS = ("type", "text", "said", "value", "time", "codes")


def entities_html(notes: Sequence[StructuredNote], t: Text) -> str:
    """A table a note; nothing for a note without entities."""
    return "".join(_table(note, t) for note in notes if note.entities)


def _table(note: StructuredNote, t: Text) -> str:
    heads = "".join(f'<th scope="col">{esc(t(f"column.{name}"))}</th>' for name in COLUMNS)
    opening = (
        f'<div class="wide-table"><table class="entities"><thead><tr>{heads}</tr></thead><tbody>'
    )
    rows = [_row(note, entity, t) for entity in note.entities]
    table = folded_rows(rows, (opening, "</tbody></table></div>"), f"rows-{note.note_id}", t)
    title = f"{note_title(note)} · {t('structured.entities', n=len(note.entities))}"
    return f'<section aria-label="{esc(title)}"><h4>{esc(title)}</h4>{table}</section>'


def _row(note: StructuredNote, entity: Entity, t: Text) -> str:
    said = "".join(
        f'<span class="said-word {kind}">{esc(word)}</span>'
        for kind, word in zip(
            [*assertion.kinds(entity), "side"], assertion.words(entity, t), strict=False
        )
    )
    where = address(note.note_id, entity.start, entity.end)
    value = esc(assertion.result(entity, t))
    if entity.reference:
        value += f' <span class="hint">{esc(t("reference", range=entity.reference))}</span>'
    return (
        f'<tr class="of-type t-{entity.type.value}" data-to="{esc(where)}">'
        f'<td><span class="swatch" aria-hidden="true"></span>'
        f"{esc(t(f'type.{entity.type.value}'))}</td>"
        f"<td>{place_button(entity.text, where)}</td><td>{said}</td>"
        f'<td class="value {entity.flag or ""}">{value}</td>'
        f"<td>{esc(assertion.when(entity))}</td>"
        f"<td>{''.join(map(code_html, entity.codes))}</td></tr>"
    )


def code_html(code: Coding) -> str:
    """A standard term with how sure its match is."""
    number = f'<span class="code">{esc(code.code)}</span> ' if code.code else ""
    return (
        f'<span class="term">{number}{esc(code.name)} '
        f'<span class="score">{code.score:.2f}</span></span>'
    )
