"""The text of a guideline: Markdown, plain text or HTML, in the encodings that occur."""

from __future__ import annotations

import codecs
import re
from html.parser import HTMLParser
from pathlib import Path

MARKDOWN = (".md", ".markdown")
PLAIN = (".txt",)
HTML = (".html", ".htm", ".xhtml")
READ = (*MARKDOWN, *PLAIN, *HTML)

_TO_DO = {
    ".pdf": "PDF is not read; save its text as .md or .txt",
    ".docx": "Word is not read; save it as .txt or .html",
    ".doc": "Word is not read; save it as .txt or .html",
    ".wps": "WPS is not read; save it as .txt or .html",
    ".rtf": "RTF is not read; save it as .txt or .html",
    ".odt": "OpenDocument is not read; save it as .txt or .html",
}
_OTHERWISE = "not a kind of file that is read; save it as .md, .txt or .html"
_BYTE_ORDER_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# UTF-8 with a damaged place is told from another encoding by how little of it is damaged.
_MOST_DAMAGED = 0.02


class GuidelineUnreadable(Exception):
    """The file is left out; the message says why and what to do."""


def read_guideline(path: Path) -> str:
    """The text, with headings as Markdown has them.

    Raises:
        GuidelineUnreadable: it is no such file, or holds no text.
    """
    suffix = path.suffix.lower()
    if suffix not in READ:
        raise GuidelineUnreadable(_TO_DO.get(suffix, _OTHERWISE))
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise GuidelineUnreadable(f"cannot be read: {error.strerror or error}") from error
    text = _decoded(raw)
    if suffix in HTML:
        text = plain_text(text)
    if not text.strip():
        raise GuidelineUnreadable("holds no text")
    return text


def plain_text(html: str) -> str:
    """The text of an HTML page, its headings as those of Markdown, its tables line by line."""
    page = _Page()
    page.feed(html)
    page.close()
    lines = (" ".join(line.split()) for line in "".join(page.pieces).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _decoded(raw: bytes) -> str:
    """UTF-16 where its mark says so, else UTF-8, else GB 18030."""
    if raw.startswith(_BYTE_ORDER_MARKS):
        encodings = ["utf-16"]
    else:
        damaged = raw.decode("utf-8", errors="replace")
        beyond_ascii = sum(character > "\x7f" for character in damaged)
        if damaged.count("\ufffd") <= beyond_ascii * _MOST_DAMAGED:
            return _checked(damaged.removeprefix("\ufeff"))
        encodings = ["gb18030"]
    for encoding in encodings:
        try:
            return _checked(raw.decode(encoding))
        except UnicodeDecodeError:
            continue
    raise GuidelineUnreadable("is text neither in UTF-8, UTF-16 nor GB 18030; save it in UTF-8")


def _checked(text: str) -> str:
    if "\0" in text:
        raise GuidelineUnreadable("holds no text")
    return text


class _Page(HTMLParser):
    """Gathers the text of a page."""

    SILENT = frozenset(("script", "style", "head", "template", "noscript", "svg"))
    BLOCKS = frozenset(
        {"p", "div", "br", "hr", "pre", "blockquote", "table", "tr", "ul", "ol", "dl", "dt", "dd"}
        | {"section", "article", "header", "footer", "main", "aside", "figure", "figcaption"}
    )

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("body", "h1"):
            self._silent.clear()  # a head that is not closed must not swallow the page
        if tag in self.SILENT:
            self._silent.append(tag)
        elif heading := re.fullmatch(r"h([1-6])", tag):
            self.pieces.append(f"\n\n{'#' * int(heading[1])} ")
        elif tag == "li":
            self.pieces.append("\n- ")
        elif tag in ("td", "th"):
            self.pieces.append(" | ")
        elif tag in self.BLOCKS:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._silent:
            self._silent = self._silent[: self._silent.index(tag)]
        elif re.fullmatch("h[1-6]", tag):
            self.pieces.append("\n\n")
        elif tag in self.BLOCKS:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            # The line ends of the source are spaces; those of the page come from its tags.
            self.pieces.append(re.sub(r"\s+", " ", data))
