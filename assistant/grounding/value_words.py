"""What a value says by itself: 血钾3.2mmol/L is 低钾血症, 体温36.8℃ is normal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from assistant.grounding.check import Check
from assistant.grounding.measured import Measured
from assistant.grounding.tables import rows


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
    """Note what values say as found; where none does, the other checks decide."""
    for word in value_words():
        for hit in word.pattern.finditer(check.text):
            for source in check.sources:
                if source.measured and _says(word, source.measured):
                    check.use(source)
                    check.verify(hit.start(), hit.end())
                    check.computed.append((hit.start(), hit.end()))
                    break


def _says(word: ValueWord, values: Sequence[Measured]) -> bool:
    """Whether a value of the test is in the range; for 正常 the last, or each of two sides."""
    own = [
        m.quantity
        for m in values
        if (m.concept == word.concept or word.concept in "".join(m.before)) and not m.reference
    ]
    told = [
        q.unit_text == word.unit
        and q.shape == "one"
        and (word.low is None or q.low >= word.low)
        and (word.high is None or q.high < word.high)
        for q in own
    ]
    if not word.is_normal:
        return any(told)
    return bool(told) and all(told if word.unit in _OF_SIDES else told[-1:])


_OF_SIDES else own[-1:]
    return bool(own) and all(
        q.unit_text == word.unit
        and q.shape == "one"
        and (word.low is None or q.low >= word.low)
        and (word.high is None or q.high < word.high)
        for q in own
    )


_OF_SIDES = ("级", "mmHg")
