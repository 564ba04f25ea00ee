"""Guidelines and other texts as a folder of Markdown files, cut into passages by heading."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from knowledge.sources.fact import Fact, Passage, Source, SourceError, file_digest

PASSAGE_CHARACTERS = 400
_HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*#*\s*")
_SENTENCE = re.compile(r"(?<=[。！？；!?;\n])")


@dataclass(frozen=True)
class _Section:
    path: tuple[str, ...]
    text: str


class Guidelines:
    """Reads every ``.md`` file below a folder.

    PDF needs text extraction that is not part of this product: a folder that holds PDF files but
    no Markdown is refused with a message that says so.
    """

    def __init__(self, folder: Path, name: str | None = None, licence: str = "not stated") -> None:
        self._folder = Path(folder)
        self._name = name or self._folder.name
        self._licence = licence

    @cached_property
    def files(self) -> list[Path]:
        """The Markdown files, in a fixed order.

        Raises:
            SourceError: the folder is missing or holds no Markdown.
        """
        if not self._folder.is_dir():
            raise SourceError(f"{self._folder} is not a folder.")
        found = sorted(self._folder.rglob("*.md"))
        if not found:
            if any(self._folder.rglob("*.pdf")):
                raise SourceError(
                    f"{self._folder} holds PDF files only. PDF cannot be read; convert the "
                    "guidelines to Markdown (.md) first."
                )
            raise SourceError(f"{self._folder} holds no Markdown (.md) files.")
        return found

    @cached_property
    def source(self) -> Source:
        """Provenance; the version is the beginning of a SHA-256 over all files."""
        return Source(self._name, file_digest(self.files)[:12], self._licence)

    def facts(self) -> Iterator[Fact]:
        """None: guidelines are text."""
        return iter(())

    def passages(self) -> Iterator[Passage]:
        """Passages of at most about `PASSAGE_CHARACTERS`, never across a heading."""
        for path in self.files:
            key = path.relative_to(self._folder).as_posix()
            try:
                text = path.read_text(encoding="utf-8-sig")
            except (OSError, UnicodeDecodeError) as error:
                raise SourceError(f"{key} cannot be read as UTF-8 text: {error}.") from error
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
