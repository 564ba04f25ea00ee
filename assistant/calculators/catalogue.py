"""The list of calculators, as ``data/*.yaml`` have it.

A calculator is a formula (a function of this package) or a score (points of items).  Its inputs say
what they are, in which unit, and where a record has them.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

Kind = Literal["number", "age", "sex", "date", "criterion"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Name(_Part):
    """A name in both languages."""

    zh: str
    en: str = ""


class Band(_Part):
    """Values up to ``to`` (included) or ``below`` it (excluded); neither: all the rest."""

    to: float | None = None
    below: float | None = None
    points: float = 0
    text: str = ""

    def holds(self, value: float) -> bool:
        """Whether the value is in the band, given that it is in none before it."""
        if self.to is not None:
            return value <= self.to
        return self.below is None or value < self.below


class Input(_Part):
    """One input.

    ``analyte`` or ``vital`` is the test that a record has it under; ``terms`` are what is looked
    for in the notes for a criterion; ``ask``: only the doctor can tell.  ``points`` are for a
    criterion that holds, ``bands`` turn a number into points.
    """

    key: str
    title: str
    kind: Kind = "number"
    unit: str = ""
    analyte: str = ""
    vital: str = ""
    part: Literal["", "high", "low"] = ""
    low: float | None = None
    high: float | None = None
    terms: list[str] = []
    points: float = 0
    bands: list[Band] = []
    optional: bool = False
    ask: bool = False
    of_group: str = Field(default="", description="Only the most points of a group count.")


class Calculator(_Part):
    """One calculator."""

    key: str
    title: Name
    wordings: list[str]
    unit: str = ""
    digits: int = 1
    form: Literal["number", "weeks"] = "number"
    formula: str = ""
    source: str
    inputs: list[Input]
    reading: list[Band] = []
    notes: list[str] = []

    @model_validator(mode="after")
    def _complete(self) -> Self:
        keys = [one.key for one in self.inputs]
        if len(set(keys)) < len(keys):
            raise ValueError(f"{self.key}: an input stands twice")
        return self

    @property
    def is_score(self) -> bool:
        """Whether it adds up points."""
        return not self.formula


@cache
def calculators() -> dict[str, Calculator]:
    """All calculators by their keys."""
    folder = files("assistant.calculators") / "data"
    names = sorted(f.name for f in folder.iterdir() if f.name.endswith(".yaml"))
    rows = [row for name in names for row in yaml.safe_load((folder / name).read_text("utf-8"))]
    found = [Calculator.model_validate(row) for row in rows]
    if len({one.key for one in found}) < len(found):
        raise ValueError("a calculator stands twice")
    return {one.key: one for one in found}


def named(wording: str) -> list[Calculator]:
    """The calculators that a text names, the longest wording first."""
    folded = wording.casefold()
    hits = [
        (len(word), one)
        for one in calculators().values()
        for word in one.wordings
        if word.casefold() in folded
    ]
    ordered = sorted(hits, key=lambda hit: -hit[0])
    longest = ordered[0][0] if ordered else 0
    return [one for length, one in ordered if length == longest]
