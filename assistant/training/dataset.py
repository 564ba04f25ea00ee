"""Annotated text in the forms that Chinese clinical data sets come in.

*JSON lines*: an object a line with ``text`` and ``entities: [{start, end, type}]``, end exclusive,
spans may nest (CMeEE, Yidu-S4K, one's own).  *BIO*: one character and its tag a line, an empty line
between documents (cEHRNER, cMedQANER); tags are ``B_type``, ``I_type``, ``O``, with ``_`` or ``-``,
and E, M, S where a set has them.  Either may be compressed by gzip.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


class DatasetInvalid(Exception):
    """A data set cannot be read; the message names the file and the line."""


@dataclass(frozen=True, slots=True, order=True)
class Label:
    """``[start, end)`` in code points, and the type as the data set names it."""

    start: int
    end: int
    type: str


@dataclass(frozen=True, slots=True)
class Example:
    """One document.  ``annotated``: the types that its annotators looked for; what else stands in
    the text says nothing."""

    text: str
    labels: tuple[Label, ...]
    annotated: frozenset[str]


def read(path: Path, prefix: str = "") -> list[Example]:
    """Every document of one file.

    ``prefix`` goes before each type, so that sets which mean different things by the same name can
    be learnt together.

    Raises:
        DatasetInvalid: the file is missing, of no known form, or wrong in a line.
    """
    lines = read_lines(path)
    first = next((line for _, line in lines if line.strip()), "")
    parse = _json_lines if first.lstrip().startswith("{") else _bio
    documents = list(parse(path, lines))
    if not documents:
        raise DatasetInvalid(f"{path} holds no document.")
    types = frozenset(prefix + label.type for _, labels in documents for label in labels)
    return [
        Example(
            text,
            tuple(sorted(Label(one.start, one.end, prefix + one.type) for one in labels)),
            types,
        )
        for text, labels in documents
    ]


def types_of(examples: Sequence[Example]) -> list[str]:
    """The types of all documents, sorted."""
    return sorted(frozenset().union(*(example.annotated for example in examples)))


def is_nested(examples: Sequence[Example]) -> bool:
    """Whether any two spans of one document share a code point."""
    for example in examples:
        end = 0
        for label in example.labels:
            if label.start < end:
                return True
            end = max(end, label.end)
    return False


def split(examples: Sequence[T], share: float) -> tuple[list[T], list[T]]:
    """The first documents and the last ``share`` of them, by their order: the same every time."""
    held = max(1, round(len(examples) * share))
    if not 0 < share < 1 or held >= len(examples):
        raise DatasetInvalid(
            f"{len(examples)} documents cannot be split with a share of {share}; give a --dev set."
        )
    return list(examples[:-held]), list(examples[-held:])


def read_lines(path: Path) -> list[tuple[int, str]]:
    """The lines of a UTF-8 file, plain or gzip, with their numbers from 1.

    Raises:
        DatasetInvalid: it cannot be read.
    """
    try:
        return list(_lines(path))
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise DatasetInvalid(f"{path} cannot be read: {error}.") from error


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    packed = path.open("rb").read(2) == b"\x1f\x8b"
    with gzip.open(path) if packed else path.open("rb") as stream:
        # Lines end at \n alone: a note may hold any other separator of Unicode.
        for number, line in enumerate(stream, 1):
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
            yield number, text.rstrip("\n").removesuffix("\r")


def _json_lines(
    path: Path, lines: Sequence[tuple[int, str]]
) -> Iterator[tuple[str, tuple[Label, ...]]]:
    for number, line in lines:
        if not line.strip():
            continue
        try:
            record: dict[str, Any] = json.loads(line)
            text = record["text"]
            labels = tuple(
                {Label(int(e["start"]), int(e["end"]), str(e["type"])) for e in record["entities"]}
            )
            # Published sets hold a few entities of no character, which name nothing.
            labels = tuple(label for label in labels if label.start != label.end)
        except (ValueError, KeyError, TypeError) as error:
            raise DatasetInvalid(
                f"{path}, line {number}: not an object with text and entities "
                "[{start, end, type}]."
            ) from error
        if not isinstance(text, str):
            raise DatasetInvalid(f"{path}, line {number}: text is no string.")
        for label in labels:
            if not 0 <= label.start < label.end <= len(text):
                raise DatasetInvalid(
                    f"{path}, line {number}: an entity from {label.start} to {label.end} does not "
                    f"lie in a text of {len(text)} characters (end is exclusive)."
                )
        yield text, labels


def _bio(path: Path, lines: Sequence[tuple[int, str]]) -> Iterator[tuple[str, tuple[Label, ...]]]:
    characters: list[str] = []
    tags: list[str] = []
    for number, line in [*lines, (0, "")]:
        if line.strip():
            character, tag = _cell(path, number, line)
            characters.append(character)
            tags.append(tag)
        elif characters:
            yield "".join(characters), tuple(_spans(characters, tags))
            characters, tags = [], []


def _cell(path: Path, number: int, line: str) -> tuple[str, str]:
    tag = line.split()[-1]
    character = line[: line.rindex(tag)]
    # One separator belongs to the form; a character that is a space itself comes before it.
    character = character[:-1] or " "
    if tag != "O" and (tag[:1] not in "BIEMS" or tag[1:2] not in ("_", "-") or not tag[2:]):
        raise DatasetInvalid(
            f"{path}, line {number}: {tag!r} is no tag (B_type, I_type or O), and the file is not "
            "JSON lines either."
        )
    return character, tag


def _spans(characters: Sequence[str], tags: Sequence[str]) -> Iterator[Label]:
    """Spans of a tag sequence; an I that continues nothing begins a span."""
    place, start, kind = 0, 0, ""
    for character, tag in zip(characters, tags, strict=True):
        if kind and (tag[0] in "OBS" or tag[2:] != kind):
            yield Label(start, place, kind)
            kind = ""
        if tag != "O" and not kind:
            start, kind = place, tag[2:]
        place += len(character)
        if tag[0] in "ES":
            yield Label(start, place, kind)
            kind = ""
    if kind:
        yield Label(start, place, kind)
