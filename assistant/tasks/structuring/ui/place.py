"""The way from what was found back to the words of the note."""

from __future__ import annotations

from assistant.ui.markup import attributes, esc
from assistant.ui.strings import Text

RECORD = "notes"
"""The name of the record that the page's places point into."""


def address(note_id: str, start: int, end: int) -> str:
    """Where the words are, as the page's script reads it; ids of notes hold no space."""
    return f"{note_id} {start} {end}"


def place_button(label: str, where: str, *, css: str = "", title: str = "") -> str:
    """A button that scrolls the note to the words at `address` ``where``."""
    values = attributes(
        {
            "class": f"to {css}".strip(),
            "data-to": where,
            "title": title or None,
        }
    )
    return f'<button type="button"{values}>{esc(label)}</button>'


def folded_rows(rows: list[str], wrap: tuple[str, str], key: str, t: Text, step: int = 200) -> str:
    """``rows`` inside ``wrap``, the first ``step`` open, the others in folded parts of the page.

    What is folded is not laid out, so that a long note stays quick.
    """
    opened, closed = wrap
    parts = [f"{opened}{''.join(rows[:step])}{closed}"]
    for start in range(step, len(rows), step):
        part = rows[start : start + step]
        label = f"{t('more.rows', n=len(part))} ({start + 1}–{start + len(part)})"
        parts.append(
            f'<details class="rest" data-key="{esc(key)}-{start}"><summary>{esc(label)}</summary>'
            f"{opened}{''.join(part)}{closed}</details>"
        )
    return "".join(parts)
