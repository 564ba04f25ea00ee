"""Guidelines and other texts in a folder, cut into passages by heading."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from knowledge.sources.fact import Fact, Passage, Source, SourceError, file_digest
from knowledge.sources.guideline_text import GuidelineUnreadable, read_guideline

_log = logging.getLogger("bedside.knowledge.guidelines")

PASSAGE_CHARACTERS = 400
_LOOKS = (
    ".css",
    ".js",
    ".png",
    ".jpg",
    ".jpeg",
    ".gif",
    ".svg",
    ".webp",
    ".ico",
    ".woff",
    ".woff2",
)
_HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*#*\s*")
_SENTENCE = re.compile(r"(?<=[。！？；!?;\n])")


@dataclass(frozen=True)
class _Section:
    path: tuple[str, ...]
    text: str


class Guidelines:
    """Reads every Markdown, text and HTML file below a folder; what is left out it names."""

    def __init__(self, folder: Path, name: str | None = None, licence: str = "not stated") -> None:
        self._folder = Path(folder)
        self._name = name or self._folder.name
        self._licence = licence

    @property
    def files(self) -> list[Path]:
        """The files that are read, in a fixed order.

        Raises:
            SourceError: the folder is missing or holds nothing that can be read.
        """
        return list(self._texts)

    @property
    def left_out(self) -> list[str]:
        """The files that are not read, each with the reason and what to do.

        Raises:
            SourceError: as for `files`.
        """
        return self._read[1]

    @property
    def _texts(self) -> dict[Path, str]:
        return self._read[0]

    @cached_property
    def _read(self) -> tuple[dict[Path, str], list[str]]:
        if not self._folder.is_dir():
            raise SourceError(f"{self._folder} is not a folder.")
        texts: dict[Path, str] = {}
        left_out: list[str] = []
        for path in sorted(filter(self._is_document, self._folder.rglob("*"))):
            try:
                texts[path] = read_guideline(path)
            except GuidelineUnreadable as reason:
                left_out.append(f"{self._key(path)}: {reason}.")
        if not texts:
            reasons = " ".join(left_out) or "It is empty."
            raise SourceError(
                f"{self._folder} holds no Markdown (.md), text (.txt) or HTML (.html) file that "
                f"can be read. {reasons}"
            )
        for line in left_out:
            _log.warning("left out: %s", line)
        return texts, left_out

    def _is_document(self, path: Path) -> bool:
        """Whether a file is meant to be read: neither hidden nor part of a page's looks."""
        hidden = any(part.startswith((".", "~$")) for part in path.relative_to(self._folder).parts)
        return path.is_file() and not hidden and path.suffix.lower() not in _LOOKS

    def _key(self, path: Path) -> str:
        return path.relative_to(self._folder).as_posix()

    @cached_property
    def source(self) -> Source:
        """Provenance; the version is the beginning of a SHA-256 over all files."""
        return Source(self._name, file_digest(self.files)[:12], self._licence)

    def facts(self) -> Iterator[Fact]:
        """None: guidelines are text."""
        return iter(())

    def passages(self) -> Iterator[Passage]:
        """Passages of at most about `PASSAGE_CHARACTERS`, never across a heading."""
        for path, text in self._texts.items():
            key = self._key(path)
            for section in _sections(text, path.stem):
                for number, piece in enumerate(_pieces(section.text)):
                    place = "/".join((key, *section.path, str(number)))
                    digest = hashlib.sha256(place.encode()).hexdigest()[:16]
                    yield Passage(
                        id=f"guideline-{digest}",
                        subject=section.path[0],
                        title=" › ".join(section.path),
                        text=piece,
                        source=self.source.name,
                        version=self.source.version,
                        key=place,
                        kind="guideline",
                    )


def _sections(text: str, stem: str) -> Iterator[_Section]:
    path: list[tuple[int, str]] = []
    lines: list[str] = []
    fenced = False

    def section() -> _Section:
        return _Section(tuple(title for _, title in path) or (stem,), "\n".join(lines).strip())

    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            fenced = not fenced
        heading = None if fenced else _HEADING.fullmatch(line)
        if heading is None:
            lines.append(line)
            continue
        if (current := section()).text:
            yield current
        lines.clear()
        level = len(heading.group(1))
        path = [entry for entry in path if entry[0] < level]
        path.append((level, heading.group(2) or stem))
    if (current := section()).text:
        yield current


def _pieces(text: str) -> Iterator[str]:
    """``text`` cut at sentence ends into pieces of at most `PASSAGE_CHARACTERS`."""
    piece = ""
    for sentence in _SENTENCE.split(text):
        while len(sentence) > PASSAGE_CHARACTERS:
            room = PASSAGE_CHARACTERS - len(piece)
            yield (piece + sentence[:room]).strip()
            piece, sentence = "", sentence[room:]
        if len(piece) + len(sentence) > PASSAGE_CHARACTERS and piece.strip():
            yield piece.strip()
            piece = ""
        piece += sentence
    if piece.strip():
        yield piece.strip()
