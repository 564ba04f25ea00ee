"""What a value says by itself: 血钾3.2mmol/L is 低钾血症, 体温36.8℃ is normal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from assistant.grounding.check import Check
from assistant.grounding.opposites import affirms
from assistant.grounding.source import Source
from assistant.grounding.tables import rows
from knowledge.text.amount import Quantity


@dataclass(frozen=True)
class ValueWord:
    """Words that a value of ``concept`` in ``unit`` from ``low`` to ``high`` says."""

    pattern: re.Pattern[str]
    concept: str
    unit: str
    low: Decimal | None
    high: Decimal | None

    @property
    def is_normal(self) -> bool:
        """Whether they say that all is well, which a later value may undo."""
        return "正常" in self.pattern.pattern


@cache
def value_words() -> list[ValueWord]:
    """The rows of the table."""
    found = []
    for pattern, concept, unit, *ends in rows("value_words.tsv"):
        low, high = (Decimal(end) if end else None for end in (*ends, "", "")[:2])
        found.append(ValueWord(re.compile(pattern), concept, unit, low, high))
    return found


def check_value_words(check: Check) -> None:
    """Note what values say as found; where none does, or it is denied, the other checks decide."""
    for word in value_words():
        for hit in word.pattern.finditer(check.text):
            source = None if _is_denied(check, hit) else _telling(word, check.sources)
            if source is not None:
                check.use(source)
                check.verify(hit.start(), hit.end())
                check.computed.append((hit.start(), hit.end()))


def _is_denied(check: Check, hit: re.Match[str]) -> bool:
    clause = check.said.clause_of(hit.start())
    if clause is None or not affirms(clause.text, hit[0]):
        return True
    start, end = hit.start() - clause.start, hit.end() - clause.start
    return any(d.start < end and start < d.end for d in clause.denials)


def _telling(word: ValueWord, sources: Sequence[Source]) -> Source | None:
    """The sentence with a value of the test in the range; for 正常 it must be the last that has
    any, and be so on both sides."""
    for source in reversed(sources):
        told = [
            q.unit_text == word.unit
            and q.shape == "one"
            and (word.low is None or q.low >= word.low)
            and (word.high is None or q.high < word.high)
            for q in _values(word, source)
        ]
        if told and word.is_normal:
            return source if all(told if word.unit in _OF_SIDES else told[-1:]) else None
        if any(told):
            return source
    return None


def _values(word: ValueWord, source: Source) -> list[Quantity]:
    return [
        m.quantity
        for m in source.measured
        if (m.concept == word.concept or word.concept in "".join(m.before)) and not m.reference
    ]


_OF_SIDES = ("级", "mmHg")
