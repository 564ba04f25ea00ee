"""What rose and what fell, by words and by the values themselves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from assistant.grounding.measured import Measured
from assistant.grounding.measuring import Names, Sentences, tests_of
from knowledge.text.folding import fold

_UP = re.compile(r"[上回]升|升高|增高|增[加多大]|[升增]至|升到|加重|偏高|↑|高于正常")
_DOWN = re.compile(r"下降|降低|减[少低]|[降减]至|降到|回落|偏低|↓|低于正常")
_DENIED = re.compile(r"(?:无|未|不|没有?|非)(?:见|明显|显著|再|有|继续)*\Z")


@dataclass(frozen=True, slots=True)
class Trend:
    """Something that rose or fell, by the name that the list of tests has for it."""

    concept: str
    up: bool
    start: int
    end: int


def trends(text: str) -> list[Trend]:
    """What rose and fell by the words of ``text``; what did not is left out."""
    folded = fold(text)
    names, sentences = Names(tests_of(text)), Sentences(folded)
    found = []
    for pattern, up in ((_UP, True), (_DOWN, False)):
        for match in pattern.finditer(folded):
            begin = sentences.begin(match.start())
            if _DENIED.search(folded[max(begin, match.start() - 5) : match.start()]):
                continue
            if name := names.last(begin, match.start()):
                found.append(Trend(name.concept, up, match.start(), match.end()))
    return found


def numeric_trends(values: Sequence[Measured]) -> list[tuple[str, bool]]:
    """(concept, whether it rose) for values of one thing that follow one another."""
    found = []
    for one, two in pairwise(values):
        a, b = one.quantity, two.quantity
        if (
            one.concept
            and one.concept == two.concept
            and one.fits(two)
            and two.fits(one)
            and a.unit.converts_to(b.unit)
            and a.base != b.base
        ):
            found.append((one.concept, b.base > a.base))
    return found
