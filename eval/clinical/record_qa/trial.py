"""A question with its known answer, and who makes such questions of one encounter."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from assistant.record.encounter import Encounter
from eval.clinical.record_qa.truth import Known, Row, number

Words = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Trial:
    """A question over an encounter.

    ``must``: of each group one wording; ``head``: wordings of which the first thing said must have
    one; ``never``: what is false as an answer; ``nowhere``: what must not stand anywhere in it.
    ``expects``: answered, silent (the record does not say: no value may be given), missing (an
    input is named), refused, or flagged (a warning must stand beside it).  ``before``: what was
    asked before it, which it may go on from.
    """

    kind: str
    encounter: Encounter
    question: str
    must: Words = ()
    head: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    nowhere: tuple[str, ...] = ()
    expects: str = "answered"
    before: tuple[str, ...] = ()


@cache
def _wordings() -> dict[str, list[str]]:
    path = files("eval.clinical") / "data" / "record_qa" / "questions.yaml"
    found: dict[str, list[str]] = yaml.safe_load(path.read_text("utf-8"))
    return found


class Asker:
    """Makes the trials of one encounter."""

    def __init__(self, known: Known, dice: random.Random) -> None:
        self.known = known
        self.dice = dice
        self.encounter = known.encounter
        results = known.results()
        self.plain = {
            name: rows
            for name, rows in results.items()
            if not any(name != other and name in other for other in results)
        }
        self.several = {n: r for n, r in self.plain.items() if len(r) > 1 and len(values_of(r)) > 1}

    def ask(self, kind: str, words: dict[str, str] | None = None, **rest: Any) -> Trial:
        text = self.dice.choice(_wordings()[kind])
        for name, word in (words or {}).items():
            text = text.replace(f"<{name}>", word)
        encounter = rest.pop("encounter", self.encounter)
        return Trial(kind, encounter, text, **rest)

    def some(self, rows: dict[str, list[Row]]) -> tuple[str, list[Row]] | None:
        """One of the tests."""
        return self.dice.choice(sorted(rows.items())) if rows else None


Maker = Callable[[Asker], Iterator[Trial]]


def values_of(rows: Sequence[Row]) -> set[float]:
    return {n for row in rows if (n := number(row)) is not None}


def shown(row: Row) -> str:
    return str(row["value"])


def others(rows: Sequence[Row], right: Sequence[Row]) -> tuple[str, ...]:
    """The values that would be wrong."""
    own = {shown(row) for row in right}
    return tuple(sorted({shown(row) for row in rows} - own))
