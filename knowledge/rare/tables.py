"""Our own tables beside the ontology: Chinese names of diseases, wordings of phenotypes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

# What may follow a name: its type, number, inheritance, or nothing.
_TYPE = re.compile(
    r"(?:-\d+|[ ,]+(?:types?|groups?|complementation|autosomal|recessive|dominant|x-?linked"
    r"|susceptibility|familial|primary|juvenile|infantile|adult|late|early|onset|neonatal|antenatal"
    r"|hereditary|congenital|classic|form|and|or|with|due|to|variant|axonal|demyelinating"
    r"|vitamin|mut|cbl\w*|hyperammonemia|nephropathic|a[dr]|generalized|severe|mild|intermediate|"
    r"[ivx]+[a-e]?|\d+\w*|[a-z]\d?)\b.*)?"
)
_TAIL = re.compile(
    r"[ ,-]+(?:(?:type|group|complementation group|form)\s*)?(?:[ivx]{1,5}[a-e]?|\d+[a-z]*|[a-z])$"
    r"|[ ,]+(?:autosomal (?:dominant|recessive)|x-linked(?: (?:dominant|recessive))?)$"
)


@dataclass(frozen=True, slots=True)
class ChineseName:
    """A rare disease's Chinese name, the other ones, and the English ones that it stands for."""

    name: str
    names: tuple[str, ...]
    english: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Phenotype:
    """A phenotype by its English label: findings of ours that are it, and further wordings."""

    label: str
    findings: tuple[str, ...]
    wordings: tuple[str, ...]


def folder() -> Path:
    """Where the tables are."""
    return Path(str(files("knowledge.rare")))


def table_files() -> list[Path]:
    """The tables, for a version that follows their content."""
    return [folder() / name for name in ("names.tsv", "phenotypes.tsv", "not_rare.txt")]


@lru_cache(maxsize=1)
def chinese_names() -> tuple[ChineseName, ...]:
    """All rows of ``names.tsv``."""
    return tuple(
        ChineseName(cells[0], _parts(cells[1]), tuple(n.lower() for n in _parts(cells[2])))
        for cells in _rows("names.tsv")
    )


@lru_cache(maxsize=1)
def phenotypes() -> tuple[Phenotype, ...]:
    """All rows of ``phenotypes.tsv``."""
    return tuple(
        Phenotype(cells[0], _parts(cells[1]), _parts(cells[2])) for cells in _rows("phenotypes.tsv")
    )


@lru_cache(maxsize=1)
def not_rare() -> re.Pattern[str]:
    """What a disease's name must not have, to be hinted at."""
    lines = (folder() / "not_rare.txt").read_text(encoding="utf-8").splitlines()
    return re.compile("|".join(n for n in lines if n and not n.startswith("#")), re.IGNORECASE)


def _rows(name: str) -> Iterator[list[str]]:
    for line in (folder() / name).read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            yield [*(cell.strip() for cell in line.split("\t")), "", ""][:3]


def _parts(cell: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in cell.split("|") if part.strip())


def chinese_name(english: str) -> ChineseName | None:
    """The row of a disease by its English name, the longest that fits; None where there is none."""
    folded = " ".join(english.lower().split())
    best: tuple[int, ChineseName] | None = None
    for row in chinese_names():
        for known in row.english:
            fits = folded.startswith(known) and _TYPE.fullmatch(folded[len(known) :])
            if fits and (best is None or len(known) > best[0]):
                best = (len(known), row)
    return best[1] if best else None


def stem(english: str) -> str:
    """The name without type, number and inheritance: kinds of one disease share it."""
    name = " ".join(english.lower().split())
    while (shorter := _TAIL.sub("", name)) != name:
        name = shorter
    return name.strip(" ,")
