"""Labelled texts as files have them, and saved predictions of the same forms.

A record is one line of JSON with ``text`` and, for

* entities: ``{"entities": [{"start", "end", "type"}]}``, in code points, end exclusive;
* triples: ``{"spo_list": [{"subject", "predicate", "object"}]}`` as in CMeIE (whose objects are
  ``{"@value": …}``), or the same under ``triples``;
* terms: ``{"normalized_result": …}`` as in CHIP-CDN, ``##`` between several, or a list.

``id`` may stand beside them.  Predictions need no text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from eval.errors import InputError
from eval.json_lines import read_objects

SEPARATOR = "##"


class What(StrEnum):
    """What is read from a text."""

    ENTITIES = "entities"
    TRIPLES = "triples"
    TERMS = "terms"


@dataclass(frozen=True, slots=True)
class Item:
    """One entity, triple or term.

    ``key`` is what must be the same to be right: start, end and type; subject, predicate and
    object; the term.  ``kind`` is the type or the predicate, "" for a term.
    """

    key: tuple[str | int, ...]
    kind: str = ""

    def words(self, text: str) -> str:
        """The item as people read it."""
        if isinstance(self.key[0], int):
            start, end = int(self.key[0]), int(self.key[1])
            return f"{text[start:end]}（{self.kind} {start}–{end}）"
        return " – ".join(str(part) for part in self.key)


Items = frozenset[Item]


@dataclass(frozen=True, slots=True)
class Document:
    """A text with what it holds."""

    id: str
    text: str
    items: Items


@dataclass(frozen=True, slots=True)
class _Record:
    line: int
    id: str | None
    text: str | None
    items: Items


def entity(start: int, end: int, kind: str) -> Item:
    """An entity as an item."""
    return Item((start, end, kind), kind)


def triple(subject: str, predicate: str, object_: str) -> Item:
    """A triple as an item."""
    return Item((subject, predicate, object_), predicate)


def term(name: str) -> Item:
    """A standard term as an item."""
    return Item((name,))


def read_gold(path: Path, what: What) -> list[Document]:
    """The labelled texts of a file.

    Raises:
        InputError: with file, line and field; also where nothing is labelled.
    """
    documents = []
    for record in _records(path, what):
        if record.text is None or not record.text.strip():
            raise InputError(path, record.line, "a text is needed.", "text")
        name = record.id or f"{path.name.split('.')[0]}-{record.line}"
        documents.append(Document(name, record.text, record.items))
    if not any(document.items for document in documents):
        raise InputError(path, 0, f"no text of it is labelled with {what.value}.")
    return documents


def read_predictions(
    path: Path, what: What, gold: Sequence[Document], limit: int | None = None
) -> list[Items]:
    """What is predicted for each of the first ``limit`` texts of ``gold``, in their order.

    Predictions belong to texts by their ids where every one has an id that ``gold`` has, else by
    their place.

    Raises:
        InputError: with file, line and field; also where a text has no prediction, or where a
            prediction is of another text.
    """
    records = _records(path, what)
    wanted = list(gold[:limit])
    numbers = {document.id: number for number, document in enumerate(gold)}
    if records and all(record.id is not None for record in records):
        paired = _by_id(path, records, gold, numbers)
    else:
        paired = dict(enumerate(records))
        if len(records) > len(gold):
            line = records[len(gold)].line
            raise InputError(path, line, f"the gold has {len(gold)} texts; this is one more.")
    for number, document in enumerate(wanted):
        if number not in paired:
            problem = f"there is no prediction for {document.id!r}, text {number + 1} of the gold."
            raise InputError(path, 0, problem)
        record = paired[number]
        if record.text is not None and record.text != document.text:
            problem = f"this is not the text of {document.id!r}, text {number + 1} of the gold."
            raise InputError(path, record.line, problem, "text")
    return [paired[number].items for number in range(len(wanted))]


def _by_id(
    path: Path, records: Sequence[_Record], gold: Sequence[Document], numbers: Mapping[str, int]
) -> dict[int, _Record]:
    paired = {}
    for record in records:
        number = numbers.get(record.id or "")
        if number is None:
            problem = f"the gold, with {len(gold)} texts, has no {record.id!r}."
            raise InputError(path, record.line, problem, "id")
        paired[number] = record
    return paired


def _records(path: Path, what: What) -> list[_Record]:
    records: list[_Record] = []
    lines: dict[str, int] = {}
    for line, row in read_objects(path):
        name, text = row.get("id"), row.get("text")
        if isinstance(name, int) and not isinstance(name, bool):
            name = str(name)
        if name is not None and (not isinstance(name, str) or not name.strip()):
            raise InputError(path, line, "text or a whole number is needed.", "id")
        if name in lines:
            problem = f"{name!r} stands in line {lines[name]} already; ids must be unique."
            raise InputError(path, line, problem, "id")
        if text is not None and not isinstance(text, str):
            raise InputError(path, line, "text is needed.", "text")
        if name is not None:
            lines[name] = line
        records.append(_Record(line, name, text, _ITEMS[what](path, line, row)))
    return records


def _entities(path: Path, line: int, row: Mapping[str, Any]) -> Items:
    found = []
    for field, value in _objects(path, line, row, "entities"):
        start, end = (_offset(path, line, value, field, name) for name in ("start", "end"))
        # Empty ones stand in CMeEE: they count, and no recogniser can find them.
        if start > end:
            problem = f"an entity cannot begin at {start} and end at {end}; the end is exclusive."
            raise InputError(path, line, problem, f"{field}.end")
        found.append(entity(start, end, _text(path, line, value, field, "type")))
    return frozenset(found)


def _triples(path: Path, line: int, row: Mapping[str, Any]) -> Items:
    name = "triples" if "triples" in row else "spo_list"
    found = []
    for field, value in _objects(path, line, row, name):
        subject, predicate = (
            _text(path, line, value, field, part) for part in ("subject", "predicate")
        )
        given = value.get("object")
        inner = {"object": given.get("@value") if isinstance(given, dict) else given}
        found.append(triple(subject, predicate, _text(path, line, inner, field, "object")))
    return frozenset(found)


def _terms(path: Path, line: int, row: Mapping[str, Any]) -> Items:
    given = row.get("normalized_result")
    names = given.split(SEPARATOR) if isinstance(given, str) else given
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        problem = f"terms are needed, {SEPARATOR} between several; empty where there is none."
        raise InputError(path, line, problem, "normalized_result")
    # Some tables quote terms that hold a comma, and the quotes stayed in the sets.
    return frozenset(term(name.strip('" ')) for name in names if name.strip('" '))


_ITEMS = {What.ENTITIES: _entities, What.TRIPLES: _triples, What.TERMS: _terms}


def _objects(
    path: Path, line: int, row: Mapping[str, Any], name: str
) -> list[tuple[str, Mapping[str, Any]]]:
    given = row.get(name)
    if not isinstance(given, list):
        raise InputError(path, line, "a list is needed; an empty one where there is none.", name)
    for number, value in enumerate(given):
        if not isinstance(value, dict):
            raise InputError(path, line, "an object is needed.", f"{name}[{number}]")
    return [(f"{name}[{number}]", value) for number, value in enumerate(given)]


def _offset(path: Path, line: int, value: Mapping[str, Any], field: str, name: str) -> int:
    given = value.get(name)
    if not isinstance(given, int) or isinstance(given, bool) or given < 0:
        raise InputError(path, line, "a whole number from 0 is needed.", f"{field}.{name}")
    return given


def _text(path: Path, line: int, value: Mapping[str, Any], field: str, name: str) -> str:
    given = value.get(name)
    if not isinstance(given, str) or not given.strip():
        raise InputError(path, line, "text is needed.", f"{field}.{name}")
    return given.strip()
