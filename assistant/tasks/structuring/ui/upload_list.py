"""Where files are chosen, with those that were read and those that were refused."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.tasks.structuring.input import SUFFIXES
from assistant.tasks.structuring.ui.upload import Upload
from assistant.ui.markup import button, esc
from assistant.ui.strings import Text


def upload_html(uploads: Sequence[Upload], problems: Sequence[str], limit: int, t: Text) -> str:
    """The input, which sends at most ``limit`` bytes at once, and what became of the files."""
    accepted = ",".join(SUFFIXES)
    items = "".join(
        f"<li><b>{esc(upload.name)}</b> "
        f'<span class="hint">{esc(t("notes.files.count", n=len(upload.notes)))}</span></li>'
        for upload in uploads
    )
    remove = button(t("notes.files.remove"), "remove", css="quiet") if uploads else ""
    listed = (
        f'<ul class="files">{items}</ul>'
        if uploads
        else f'<p class="hint small">{esc(t("notes.files.hint"))}</p>'
    )
    refused = "".join(f'<p class="notice bad" role="alert">{esc(line)}</p>' for line in problems)
    return (
        f'<div class="upload"><span class="about">{esc(t("notes.files"))}</span>'
        f'<label class="act">{esc(t("notes.files.choose"))}'
        f'<input type="file" multiple accept="{accepted}" data-limit="{limit}"></label>{remove}'
        f"{listed}{refused}</div>"
    )
