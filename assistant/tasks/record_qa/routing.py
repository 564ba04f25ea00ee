"""The table of routes: which kind of question words and slots make."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from assistant.tasks.record_qa.asked import Asked
from assistant.tasks.record_qa.tests import table


@dataclass(frozen=True, slots=True)
class Route:
    """A row of the table of routes."""

    kind: str
    needs: tuple[str, ...]
    words: re.Pattern[str]
    example: str

    def takes(self, asked: Asked) -> bool:
        """Whether the question has the slots and the words."""
        if self.needs and not any(_has(asked, need) for need in self.needs):
            return False
        return self.words.search(asked.folded) is not None


def _has(asked: Asked, need: str) -> bool:
    slots = {
        "test": asked.tests,
        "drug": asked.drugs,
        "class": asked.classes,
        "term": asked.terms,
        "allergen": asked.allergens,
        "imaging": asked.imaging,
        "section": asked.section,
        "calculator": asked.calculator,
        "day": asked.day,
    }
    return all(bool(slots[part]) for part in need.split("+"))


@cache
def routes() -> tuple[Route, ...]:
    """The table, in its order."""
    return tuple(
        Route(kind, () if needs == "-" else tuple(needs.split("|")), re.compile(words), example)
        for kind, needs, words, example in table("routes.tsv")
    )


def kind_of(asked: Asked) -> str:
    """The kind of the first row that takes the question; "" where none does."""
    if asked.tests and not (asked.drugs or asked.classes) and _HOW_LONG.search(asked.folded):
        # How long somebody had a fever is told by no single value.
        return "mention" if asked.terms else ""
    return next((route.kind for route in routes() if route.takes(asked)), "")


_HOW_LONG = re.compile(r"(?<![近前])(?:几天|多久|多长时间|几个?小时|几周)")
