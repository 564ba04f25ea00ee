"""The project's own table of clinical wordings: colloquial → clinical, and what is a kind of what.

``data/synonyms.tsv`` has one concept a line: name, kind, wordings separated by ``|``, and broader
concepts separated by ``|``.  A wording may hold ``…``, which stands for a few words that patients
put between (肚子…疼 reads 肚子有点疼, 肚子一直很疼), and may start with ``-`` when it denies the
concept (``-胃口好`` denies 厌食).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property, lru_cache
from importlib.resources import files

from knowledge.text.folding import fold


class TermKind(StrEnum):
    """What a term names."""

    SYMPTOM = "symptom"
    SIGN = "sign"
    TEST = "test"
    DISEASE = "disease"
    DRUG = "drug"
    BODY_PART = "body_part"
    IMAGING = "imaging"
    PROCEDURE = "procedure"


@dataclass(frozen=True)
class Concept:
    """A clinical concept with its wordings; ``parents`` are directly broader concepts."""

    name: str
    kind: TermKind
    wordings: tuple[str, ...] = ()
    denials: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()


@dataclass(frozen=True)
class SynonymTable:
    """All concepts of the table, by name and by wording."""

    concepts: dict[str, Concept] = field(default_factory=dict)

    @cached_property
    def _by_wording(self) -> dict[str, str]:
        table = {fold(name): name for name in self.concepts}
        for concept in self.concepts.values():
            for wording in concept.wordings:
                table.setdefault(fold(wording), concept.name)
        return table

    def canonical(self, wording: str) -> str | None:
        """The concept that ``wording`` names, or None when the table does not know it."""
        return self._by_wording.get(fold(wording))

    def ancestors(self, name: str) -> tuple[str, ...]:
        """Every broader concept of ``name``, nearest first, without ``name`` itself."""
        found: list[str] = []
        queue = list(self.concepts[name].parents) if name in self.concepts else []
        while queue:
            parent = queue.pop(0)
            if parent != name and parent not in found:
                found.append(parent)
                queue += self.concepts[parent].parents if parent in self.concepts else ()
        return tuple(found)


def parse_synonyms(text: str) -> SynonymTable:
    """Read the table.

    Raises:
        ValueError: a line is malformed, a name is given twice, or a parent is unknown.
    """
    concepts: dict[str, Concept] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = [cell.strip() for cell in line.split("\t")] + ["", ""]
        if len(cells) > 6 or not cells[0] or cells[1] not in set(TermKind):
            raise ValueError(
                f"synonym table, line {number}: expected name, kind, wordings, parents"
            )
        name, kind = cells[0], TermKind(cells[1])
        words = [word for word in cells[2].split("|") if word]
        if name in concepts:
            raise ValueError(f"synonym table, line {number}: {name} is given twice")
        concepts[name] = Concept(
            name,
            kind,
            tuple(word for word in words if not word.startswith("-")),
            tuple(word[1:] for word in words if word.startswith("-")),
            tuple(parent for parent in cells[3].split("|") if parent),
        )
    for concept in concepts.values():
        for parent in concept.parents:
            if parent not in concepts:
                raise ValueError(f"synonym table: {concept.name} names unknown parent {parent}")
    _check_unique(concepts)
    return SynonymTable(concepts)


def _check_unique(concepts: dict[str, Concept]) -> None:
    owners = {fold(name): name for name in concepts}
    for concept in concepts.values():
        for wording in concept.wordings:
            owner = owners.setdefault(fold(wording), concept.name)
            if owner != concept.name:
                raise ValueError(f"synonym table: {wording} names {owner} and {concept.name}")


@lru_cache(maxsize=1)
def load_synonyms() -> SynonymTable:
    """The table that ships with the product."""
    path = files("knowledge") / "data" / "synonyms.tsv"
    return parse_synonyms(path.read_text(encoding="utf-8"))
