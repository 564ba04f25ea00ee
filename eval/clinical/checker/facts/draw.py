"""One drawn record with a statement whose truth is known, and what it is drawn from."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

import yaml

T = TypeVar("T")
Dice = random.Random


@dataclass(frozen=True, slots=True)
class Draw:
    """A statement about a record; ``kind`` is what was changed, or how it was reworded."""

    family: str
    kind: str
    record: str
    statement: str
    true: bool


Family = Callable[[Dice], Iterator[Draw]]
"""Draws one truth and gives a record of it with some true and some false statements."""


@cache
def material() -> dict[str, Any]:
    """Drugs, tests, findings and the like (``facts.yaml``)."""
    text = (files("eval.clinical") / "data" / "checker" / "facts.yaml").read_text("utf-8")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def other(dice: Dice, items: Sequence[T], *taken: T) -> T:
    """One of the items that is none of ``taken``."""
    return dice.choice([item for item in items if item not in taken])


def maybe(dice: Dice, text: str, share: float = 0.5) -> str:
    """The text or nothing."""
    return text if dice.random() < share else ""
