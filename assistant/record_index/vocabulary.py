"""The words of the query language that are data: fields, and what a thing can be."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, cast

from knowledge.text.folding import fold

FieldKind = Literal["fact", "code", "date", "text", "title", "patient"]
StatusKind = Literal["outcome", "standing"]


@dataclass(frozen=True, slots=True)
class Field:
    """What stands before a colon; ``types``: the entities that it speaks of."""

    name: str
    kind: FieldKind
    types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Status:
    """What may stand behind a colon: an outcome of a test, or how a thing stands."""

    name: str
    kind: StatusKind
    means: tuple[str, ...]


def table(name: str) -> list[list[str]]:
    """The rows of a table of the package."""
    text = (files("assistant.record_index") / "data" / f"{name}.tsv").read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]


@cache
def fields() -> dict[str, Field]:
    """Every name of a field, folded → the field."""
    found: dict[str, Field] = {}
    for name, others, kind, types in table("fields"):
        field = Field(name, cast(FieldKind, kind), tuple(types.split()))
        found.update(dict.fromkeys(map(fold, [name, *others.split(",")]), field))
    return found


@cache
def statuses() -> dict[str, Status]:
    """Every name of a status, folded → the status."""
    found: dict[str, Status] = {}
    for name, others, kind, means in table("statuses"):
        status = Status(name, cast(StatusKind, kind), tuple(means.split()))
        found.update(dict.fromkeys(map(fold, [name, *others.split(",")]), status))
    return found


@cache
def molar_masses() -> dict[str, float]:
    """Analyte → g/mol."""
    return {name: float(mass) for name, mass in table("molar_masses")}


def name_of(words: str) -> str:
    """The one spelling of a name.  The filtration rate eGFR is not the gene EGFR."""
    stripped = words.strip()
    if stripped.startswith("eGFR"):
        stripped = f"估算肾小球滤过率{stripped[4:]}"
    return fold(stripped).replace(" ", "")
