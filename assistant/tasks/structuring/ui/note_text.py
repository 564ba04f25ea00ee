"""The notes with their entities marked: every span shows, nested and crossing ones too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from assistant.tasks.structuring.entity import Entity, StructuredNote
from assistant.tasks.structuring.request import NoteToStructure
from assistant.tasks.structuring.span import EntityType
from assistant.tasks.structuring.ui import assertion
from assistant.tasks.structuring.ui.place import RECORD
from assistant.ui.markup import attributes, esc
from assistant.ui.strings import Text

MOST_LINES = 3
"""Spans around a span are told apart up to this depth."""


@dataclass
class Piece:
    """A part of an entity that lies wholly inside the pieces around it.

    ``levels`` counts the pieces nested in it; ``first`` tells that the entity begins here.
    """

    entity: Entity
    start: int
    end: int
    first: bool
    parent: int | None
    levels: int = 0


def pieces(entities: Sequence[Entity], length: int) -> list[Piece]:
    """The entities as properly nested pieces, in the order in which they open.

    Where two cross, the later one is cut at the end of the earlier one.
    """
    waiting = [
        (e.start, -min(e.end, length), number, True)
        for number, e in enumerate(entities)
        if e.start < length
    ]
    heapify(waiting)
    found: list[Piece] = []
    around: list[int] = []
    while waiting:
        start, negative, number, first = heappop(waiting)
        end = -negative
        while around and found[around[-1]].end <= start:
            around.pop()
        if around and end > (limit := found[around[-1]].end):
            heappush(waiting, (limit, -end, number, False))
            end = limit
        found.append(Piece(entities[number], start, end, first, around[-1] if around else None))
        around.append(len(found) - 1)
    for piece in reversed(found):
        if piece.parent is not None:
            outer = found[piece.parent]
            outer.levels = max(outer.levels, piece.levels + 1)
    return found


def marked(text: str, entities: Sequence[Entity], t: Text) -> str:
    """The escaped text with its entities marked; the text nodes are the text, letter by letter."""
    out: list[str] = []
    open_ends: list[int] = []
    at = 0

    def write_until(position: int) -> None:
        nonlocal at
        while open_ends and open_ends[-1] <= position:
            end = open_ends.pop()
            out.append(f"{_plain(text[at:end])}</span>")
            at = end
        out.append(_plain(text[at:position]))
        at = position

    for piece in pieces(entities, len(text)):
        write_until(piece.start)
        out.append(_opening(piece, t))
        open_ends.append(piece.end)
    write_until(len(text))
    return "".join(out)


def _plain(text: str) -> str:
    # Parsers drop the null character, and every offset after it would shift.
    return esc(text.replace("\0", "\ufffd"))


def _opening(piece: Piece, t: Text) -> str:
    entity = piece.entity
    kinds = assertion.kinds(entity)
    css = ["en", f"t-{entity.type.value}", *kinds]
    if piece.levels:
        css.append(f"over{min(piece.levels, MOST_LINES)}")
    values = attributes(
        {
            "class": " ".join(css),
            "data-e": entity.id,
            "data-mark": (assertion.mark(entity, t) or None) if piece.first else None,
            "role": "note" if piece.first else None,
            "title": assertion.summary(entity, t),
        }
    )
    return f"<span{values}>"


def legend_html(notes: Sequence[StructuredNote], t: Text) -> str:
    """A button for each type that occurs, which hides or shows it, and what the marks mean."""
    entities = [e for note in notes for e in note.entities]
    count = Counter(e.type for e in entities)
    buttons = "".join(
        f'<button type="button" class="type t-{kind.value}" data-toggle="{kind.value}" '
        f'aria-pressed="true"><span class="swatch" aria-hidden="true"></span>'
        f'{esc(t(f"type.{kind.value}"))} <span class="count">{count[kind]}</span></button>'
        for kind in EntityType
        if count[kind]
    )
    if not buttons:
        return ""
    occurring = {kind for e in entities for kind in assertion.kinds(e)}
    looks = "".join(
        f'<span class="en look {kind}" data-mark="{esc(t(f"mark.{kind}"))}">'
        f"{esc(t(f'said.{kind}'))}</span>"
        for kind in (
            "absent",
            "reassuring",
            "uncertain",
            "past",
            "hypothetical",
            "family",
            "allergen",
        )
        if kind in occurring
    )
    return (
        f'<div class="types"><div role="group" aria-label="{esc(t("legend.types"))}">{buttons}'
        f"</div>{f'<p>{looks}</p>' if looks else ''}</div>"
    )


def notes_html(texts: Sequence[NoteToStructure], notes: Sequence[StructuredNote], t: Text) -> str:
    """All notes with the legend above them."""
    if not texts:
        return f'<p class="hint">{esc(t("notes.none_yet"))}</p>'
    found = {note.note_id: note.entities for note in notes}
    body = "".join(_note(note, found.get(note.id, []), t) for note in texts)
    return f'<div class="record" data-record-name="{RECORD}">{legend_html(notes, t)}{body}</div>'


def note_title(note: NoteToStructure | StructuredNote) -> str:
    """The title, else the id."""
    return note.title or (note.id if isinstance(note, NoteToStructure) else note.note_id)


def _note(note: NoteToStructure, entities: Sequence[Entity], t: Text) -> str:
    written = note.written_at.strftime("%Y-%m-%d %H:%M") if note.written_at else ""
    count = t("structured.entities", n=len(entities))
    return (
        f'<details class="note" data-key="structured-{esc(note.id)}" open>'
        f'<summary><b>{esc(note_title(note))}</b> <span class="when">{esc(written)}</span>'
        f'<span class="when">{esc(count)}</span></summary>'
        f'<div class="note-text marked" data-note-name="{esc(note.id)}" tabindex="-1">'
        f"{marked(note.text, entities, t)}</div></details>"
    )
