"""HTML and XHTML as plain text: what a reader of the page would see, a line a block."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from assistant.interop.fhir.element import printable

_BLOCK_NAMES = """
address article aside blockquote br caption dd div dl dt fieldset figure footer form h1 h2 h3 h4 h5
h6 header hr li main ol p pre section table tbody thead tr ul
"""
_BLOCKS = frozenset(_BLOCK_NAMES.split())
_CELLS = frozenset({"td", "th"})
_UNSEEN = frozenset({"head", "script", "style", "template", "title"})
_SPACES = re.compile(r"[ \t\n\f\u00a0]+")
_LINES = re.compile(r" *\n[ \n]*")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._unseen = 0
        self._struck = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag in ("del", "s", "strike"):
            # Struck-through text was taken back by who wrote it.
            self._struck += 1
        elif tag in _BLOCKS:
            self.parts.append("\n")
        elif tag in _CELLS:
            self.parts.append(" ")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif tag in ("del", "s", "strike"):
            self._struck = max(0, self._struck - 1)
        elif tag in _BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen and not self._struck:
            self.parts.append(_SPACES.sub(" ", data))


def text_of(markup: str) -> str:
    """The text of a page or of a ``div``; struck-through, hidden and script text is left out."""
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    return printable(_LINES.sub("\n", "".join(reader.parts)).strip())
