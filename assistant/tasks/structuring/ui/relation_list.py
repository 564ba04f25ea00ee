"""The relations of the notes: the picture, and the same as a list."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.tasks.structuring.entity import Argument, Mention, Relation, StructuredNote
from assistant.tasks.structuring.ui.note_text import note_title
from assistant.tasks.structuring.ui.place import address, folded_rows, place_button
from assistant.tasks.structuring.ui.relation_graph import graph_html
from assistant.ui.markup import esc
from assistant.ui.strings import Text

LONGEST_QUOTE = 60
LONGEST_TITLE = 300


def relations_html(notes: Sequence[StructuredNote], t: Text) -> str:
    """Graph and list of every note that has relations."""
    shown = [note for note in notes if note.relations]
    if not shown:
        return f'<p class="hint idle">{esc(t("relations.none"))}</p>'
    return "".join(_note(note, t) for note in shown)


def _note(note: StructuredNote, t: Text) -> str:
    title = note_title(note)
    lists = "".join(
        _list(note, kind, [r for r in note.relations if r.kind == kind], t)
        for kind in ("triple", "attribute")
    )
    return (
        f'<section aria-label="{esc(title)}"><h4>{esc(title)}</h4>{graph_html(note, t)}{lists}'
        "</section>"
    )


def _list(note: StructuredNote, kind: str, relations: Sequence[Relation], t: Text) -> str:
    if not relations:
        return ""
    rows = [_row(note.note_id, relation, t) for relation in relations]
    heading = t(f"relations.{kind}", n=len(relations))
    body = folded_rows(rows, ('<ul class="relations">', "</ul>"), f"{kind}-{note.note_id}", t, 100)
    return f"<h5>{esc(heading)}</h5>{body}"


def _row(note_id: str, relation: Relation, t: Text) -> str:
    evidence = relation.evidence
    shown = _shortened(evidence)
    whole = f"{t('relations.evidence')}：{evidence.text[:LONGEST_TITLE]}" if "…" in shown else ""
    quote = place_button(shown, _place(note_id, evidence), css="quote", title=whole)
    return (
        f'<li><span class="triple">{_end(note_id, relation.subject, t)}'
        f'<span class="predicate">{esc(relation.predicate)}</span>'
        f"{_end(note_id, relation.object, t)}</span>{quote}</li>"
    )


def _end(note_id: str, end: Argument, t: Text) -> str:
    title = f"{t(f'type.{end.type}')}：{end.text}"
    return place_button(end.text, _place(note_id, end), css=f"node-word t-{end.type}", title=title)


def _place(note_id: str, words: Mention) -> str:
    return address(note_id, words.start, words.end)


def _shortened(evidence: Mention) -> str:
    text = " ".join(evidence.text.split())
    return text if len(text) <= LONGEST_QUOTE else f"{text[: LONGEST_QUOTE - 1]}…"
