"""Findings by the lexicon, and by a span model where the lexicon knows no term.

What the lexicon finds has a concept, by which diseases are ranked; what the model adds stands under
its own wording.  Either is read for denial, doubt, time and person by the same rules.
"""

from __future__ import annotations

from assistant.tasks.structuring.attributes import FINDINGS
from assistant.tasks.structuring.span import Recognizer
from knowledge.text.extraction import FindingExtractor, findings, names_something_else
from knowledge.text.finding import Finding
from knowledge.text.lexicon import Match
from knowledge.text.synonyms import TermKind


class EntityFindings:
    """A `knowledge.text.extraction.FindingReader`.  Safe to use from several threads."""

    def __init__(self, lexicon: FindingExtractor, recognizer: Recognizer) -> None:
        self._lexicon = lexicon
        self._recognizer = recognizer

    def extract(self, text: str, note_id: str) -> list[Finding]:
        """The findings of ``text`` in text order; see `FindingExtractor.extract`."""
        return findings(text, note_id, self.matches(text))

    def matches(self, text: str) -> list[Match]:
        """The lexicon's terms, and the model's that share no character with them."""
        listed = self._lexicon.matches(text)
        taken = {place for match in listed for place in range(match.start, match.end)}
        added = []
        # Of two that cross, the surer one.
        for span in sorted(self._recognizer.recognise(text), key=lambda s: (-s.score, s.start)):
            places = range(span.start, span.end)
            if (
                span.type in FINDINGS
                and taken.isdisjoint(places)
                and not names_something_else(text, span.start, span.end)
            ):
                taken.update(places)
                words = text[span.start : span.end]
                kind = TermKind(span.type.value)
                added.append(Match(span.start, span.end, words, kind))
        return sorted([*listed, *added], key=lambda match: match.start)
