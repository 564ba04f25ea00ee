"""The project's own clinical terms, as the files of ``data/terms`` have them.

A line is: type, names separated by 、 (each a concept of its own), other wordings separated by
``|``, context.  Only a line with one name has other wordings, so that none is given to the wrong
concept.  A wording that begins with ``-`` denies the concept (``-NKDA`` denies 药物过敏).  With a
context (a name of ``data/contexts.tsv``) the other wordings, or without any the names, are read
only where it holds.  The type ``none`` names words that hold a term and are none of it (手术室).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files

from knowledge.text.folding import fold
from knowledge.text.synonyms import TermKind

NONE = "none"
_COLUMNS = 4


@dataclass(frozen=True, slots=True)
class Term:
    """A wording of a concept; ``kind`` is None where the wording is no term."""

    wording: str
    concept: str
    kind: TermKind | None
    denied: bool = False
    context: str = ""


def parse_terms(text: str) -> Iterator[Term]:
    """Every wording of a file of terms.

    Raises:
        ValueError: a line has no type that is known, no name, or wordings of several names; the
            message gives its number.
    """
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = line.split("\t")
        if cells[0] not in _KINDS or len(cells) < 2 or not cells[1] or len(cells) > _COLUMNS:
            raise ValueError(f"terms, line {number}: expected a type and names")
        kind, names = _KINDS[cells[0]], [name for name in cells[1].split("、") if name]
        wordings = [word for word in "".join(cells[2:3]).split("|") if word]
        context = "".join(cells[3:])
        if wordings and len(names) > 1:
            raise ValueError(f"terms, line {number}: wordings are given to one name only")
        for name in names:
            yield Term(name, name, kind, context="" if wordings else context)
        for word in wordings:
            bare = word.removeprefix("-")
            yield Term(bare, names[0], kind, bare != word, context)


_KINDS: dict[str, TermKind | None] = {**{kind.value: kind for kind in TermKind}, NONE: None}


@lru_cache(maxsize=1)
def shipped_terms() -> tuple[Term, ...]:
    """The terms that ship with the product; of a wording that stands twice the first counts."""
    folder = files("knowledge.text") / "data" / "terms"
    tables = sorted((file for file in folder.iterdir()), key=lambda file: file.name)
    terms = [
        term
        for table in tables
        if table.name.endswith(".tsv")
        for term in parse_terms(table.read_text(encoding="utf-8"))
    ]
    return (*terms, *_otherwise_spelt(terms))


_SPELLINGS = (("梗死", "梗塞"), ("综合征", "综合症"), ("黑矇", "黑朦"), ("黑矇", "黑蒙"))


def _otherwise_spelt(terms: list[Term]) -> Iterator[Term]:
    """The terms as older notes spell them: 脑梗塞后遗症."""
    for term in terms:
        for standard, other in _SPELLINGS:
            if standard in term.wording:
                yield replace(term, wording=term.wording.replace(standard, other))


@lru_cache(maxsize=1)
def _tests() -> dict[str, str]:
    return {fold(t.wording): t.concept for t in shipped_terms() if t.kind is TermKind.TEST}


def shipped_test(wording: str) -> str | None:
    """The test that the shipped terms know by exactly this wording."""
    return _tests().get(fold(wording))
