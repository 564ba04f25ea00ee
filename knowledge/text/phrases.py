"""Ways to say a thing as data: tables of name, pattern and example, one wording a row.

A pattern that no line holds is a list of wordings, and as a list it can be read, added to and
tested: each row reads its own example (``tests/knowledge/text/test_phrases.py``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

_REFERENCE = re.compile(r"\{([a-z_]+|[\u4e00-\u9fff]+)\}")


@dataclass(frozen=True, slots=True)
class Phrase:
    """One row; ``pattern`` has what it refers to in full, ``example`` what it reads in braces."""

    name: str
    pattern: str
    example: str


class Phrases(Mapping[str, re.Pattern[str]]):
    """The rows of one table by name: those of a name are one pattern, the first row first."""

    def __init__(self, rows: list[Phrase]) -> None:
        self.rows = tuple(rows)
        self._sources: dict[str, list[str]] = {}
        for row in rows:
            self._sources.setdefault(row.name, []).append(row.pattern)
        self._compiled: dict[str, re.Pattern[str]] = {}

    def __getitem__(self, name: str) -> re.Pattern[str]:
        if name not in self._compiled:
            self._compiled[name] = re.compile("|".join(self._sources[name]))
        return self._compiled[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._sources)

    def __len__(self) -> int:
        return len(self._sources)

    def any_named(self, names: Mapping[str, str]) -> re.Pattern[str]:
        """One pattern that says by its group which name was read: group → name."""
        return re.compile("|".join(f"(?P<{group}>{self[n].pattern})" for group, n in names.items()))


def parse_phrases(text: str) -> Phrases:
    """The rows of a table: name, pattern, example, parted by tabs; ``#`` begins a comment.

    ``{name}`` in a pattern stands for all rows of that name above it.

    Raises:
        ValueError: a row is malformed; the message names its line.
    """
    rows: list[Phrase] = []
    for line, row in enumerate(text.splitlines(), start=1):
        if not row.strip() or row.startswith("#"):
            continue
        fields = row.split("\t")
        if len(fields) != 3 or not all(fields):
            raise ValueError(f"line {line}: expected name, pattern, example")
        name, pattern, example = fields
        if not 0 <= example.find("{") < example.find("}"):
            raise ValueError(f"line {line}: the example marks nothing in braces")
        try:
            full = _REFERENCE.sub(lambda hit: _named(rows, hit[1]), pattern)
            re.compile(full)
        except (KeyError, re.error) as error:
            raise ValueError(f"line {line}: {error}") from error
        rows.append(Phrase(name, full, example))
    return Phrases(rows)


def _named(rows: list[Phrase], name: str) -> str:
    found = [row.pattern for row in rows if row.name == name]
    if not found:
        raise KeyError(f"no rows of {name} above")
    return f"(?:{'|'.join(found)})"


def read_phrases(table: Traversable) -> Phrases:
    """The table of a file that ships; see `parse_phrases`."""
    return parse_phrases(table.read_text("utf-8"))


@cache
def phrases_of(package: str, place: str = "data/phrases.tsv") -> Phrases:
    """The table at ``place`` of a package, read once."""
    return read_phrases(files(package).joinpath(*place.split("/")))
