"""A question to the index, as a tree.  ``at`` is where a condition begins in the query."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Operator = Literal["=", "!=", ">", ">=", "<", "<="]


@dataclass(frozen=True, slots=True)
class Has:
    """A thing by its name.  ``types``: the kinds of entities, () for all; ``standing`` as in
    `assistant.record_index.standing`; ``exact``: the name alone, nothing that ends with it."""

    words: str
    name: str
    types: tuple[str, ...] = ()
    standing: str = "present"
    exact: bool = False
    at: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """A test that came out so."""

    words: str
    name: str
    outcomes: tuple[str, ...]
    at: int = 0


@dataclass(frozen=True, slots=True)
class Compare:
    """A result against a number, in base units of ``dimensions`` (text; "" for none)."""

    words: str
    name: str
    operator: Operator
    number: float
    dimensions: str
    at: int = 0


@dataclass(frozen=True, slots=True)
class Coded:
    """A standard code that begins so."""

    words: str
    code: str
    at: int = 0


@dataclass(frozen=True, slots=True)
class Contains:
    """Words anywhere in a note, or in its title."""

    words: str
    text: str
    title: bool = False
    at: int = 0


@dataclass(frozen=True, slots=True)
class OfPatient:
    """The patient of this id."""

    words: str
    patient_id: str
    at: int = 0


@dataclass(frozen=True, slots=True)
class Dated:
    """From ``begin`` to before ``end``, both ISO days or "" for open."""

    words: str
    begin: str = ""
    end: str = ""
    at: int = 0


@dataclass(frozen=True, slots=True)
class Not:
    """What does not hold."""

    part: Query


@dataclass(frozen=True, slots=True)
class And:
    """All of these; days among them bound when the others are."""

    parts: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of these."""

    parts: tuple[Query, ...]


Leaf = Has | Outcome | Compare | Coded | Contains | OfPatient | Dated
Query = Leaf | Not | And | Or


def leaves(query: Query, *, denied: bool = False) -> Iterator[tuple[Leaf, bool]]:
    """Every condition in its order, with whether it is one that must not hold."""
    if isinstance(query, Not):
        yield from leaves(query.part, denied=not denied)
    elif isinstance(query, And | Or):
        for part in query.parts:
            yield from leaves(part, denied=denied)
    else:
        yield query, denied
