"""A note as alerts read it: what is read once of a text is kept for as long as it is asked for.

A chart is opened, an order selected and signed within minutes, and each time the same notes come.
What words mean in a text depends on the text alone, so it is kept by the text, whoever's it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property, lru_cache

from assistant.alerts.tables import classes_of
from assistant.record.measurement import in_unit
from knowledge.text.assertion.engine import read_assertions
from knowledge.text.assertion.status import Assertion
from knowledge.text.document import Document
from knowledge.text.drugs import DrugMention
from knowledge.text.finding import Temporality
from knowledge.text.lexicon import Match
from knowledge.text.regimens import shipped_names
from knowledge.text.synonyms import TermKind

KEPT = 1024
"""Texts; of a usual one some 50 kB are kept."""
LONGEST = 20_000
"""Characters of a text that is kept."""
_GIVEN = re.compile(r"(?:予|给予|静滴|静脉滴注|肌注|口服|加用|改用|换用|使用|应用|联合|继续)\Z")
_STATED = re.compile(r"[\s:：为约是]*")
"""Between a name and its value: 体重60kg, not 体重增加5kg."""

Asserted = tuple[tuple[re.Match[str], Assertion], ...]


class Reading:
    """What one text says."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.document = Document(text)
        self._asserted: dict[tuple[str, TermKind], Asserted] = {}

    def asserted(self, words: re.Pattern[str], kind: TermKind) -> Asserted:
        """Where the words stand, and how each place is meant."""
        key = words.pattern, kind
        found = self._asserted.get(key)
        if found is None:
            found = self._asserted[key] = self._read(words, kind)
        return found

    def _read(self, words: re.Pattern[str], kind: TermKind) -> Asserted:
        hits = [hit for hit in words.finditer(self.document.folded) if hit.end() > hit.start()]
        if not hits:
            return ()
        matches = [Match(h.start(), h.end(), h[0], kind) for h in hits]
        return tuple(zip(hits, read_assertions(self.document, matches), strict=True))

    @cached_property
    def mentions(self) -> Sequence[DrugMention]:
        """The drugs that the text names."""
        return shipped_names().find(self.text)

    def given(self, classes: frozenset[str]) -> Sequence[tuple[DrugMention, Assertion]]:
        """The drugs of some classes that the text says are given now.

        How a text means its drugs is read only where it names one of these.
        """
        wanted = {m.name for m in self.mentions if not classes_of(m.name).isdisjoint(classes)}
        return [one for one in self._given if one[0].name in wanted] if wanted else ()

    @cached_property
    def _given(self) -> Sequence[tuple[DrugMention, Assertion]]:
        mentions = self.mentions
        matches = [Match(m.start, m.end, m.name, TermKind.DRUG) for m in mentions]
        said = read_assertions(self.document, matches) if matches else []
        found = []
        for mention, meant in zip(mentions, said, strict=True):
            before = self.document.folded[max(0, mention.start - 6) : mention.start]
            start, end = self.clause(mention.start)
            clause = self.document.folded[start:end]
            if not _GIVEN.search(before.rstrip("“\"' ")) or "过敏" in clause:
                continue
            if meant.temporality is Temporality.CURRENT:
                found.append((mention, meant))
        return found

    def clause(self, at: int) -> tuple[int, int]:
        """From the mark before ``at`` to the one behind it."""
        folded = self.document.folded
        start = max(folded.rfind(mark, 0, at) for mark in "。;\n") + 1
        ends = [end for mark in "。;\n" if (end := folded.find(mark, at)) >= 0]
        return start, min(ends, default=len(folded))

    def body(self, name: str, unit: str) -> float | None:
        """The 体重 or 身高 that the text states."""
        return next((v for n, v in self._measures(unit) if n == name), None)

    def _measures(self, unit: str) -> Sequence[tuple[str, float]]:
        if unit not in self._measured:
            from assistant.grounding.measuring import measured

            found = []
            for one in measured(self.text):
                between = self.text[one.name_end : one.quantity.start]
                value = in_unit(one.quantity, unit)
                if value is not None and one.quantity.unit and _STATED.fullmatch(between):
                    found.append((one.concept, value))
            self._measured[unit] = found
        return self._measured[unit]

    @cached_property
    def _measured(self) -> dict[str, Sequence[tuple[str, float]]]:
        return {}


_kept = lru_cache(maxsize=KEPT)(Reading)


def reading_of(text: str) -> Reading:
    """The text read; one of usual length is read once."""
    return _kept(text) if len(text) <= LONGEST else Reading(text)
