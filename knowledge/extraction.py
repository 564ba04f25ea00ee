"""Findings from Chinese clinical text and from what patients write about themselves."""

from __future__ import annotations

from knowledge.assertion import assert_terms
from knowledge.finding import Finding, Span
from knowledge.lexicon import Lexicon
from knowledge.synonyms import TermKind

FINDING_KINDS = frozenset({TermKind.SYMPTOM, TermKind.SIGN, TermKind.DISEASE})


class FindingExtractor:
    """Finds the terms of a lexicon in a note and how the note means them."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon

    @property
    def lexicon(self) -> Lexicon:
        """The terms that are looked for."""
        return self._lexicon

    def extract(self, text: str, note_id: str) -> list[Finding]:
        """The findings of ``text`` in text order.

        Each span covers the wording in ``text`` exactly (code points); symptoms, signs and
        diseases only.  A finding is reported as often as the text states it.
        """
        matches = self._lexicon.find(text, FINDING_KINDS)
        return [
            Finding(
                text=text[match.start : match.end],
                concept=match.concept,
                span=Span(note_id=note_id, start=match.start, end=match.end),
                polarity=assertion.polarity,
                certainty=assertion.certainty,
                temporality=assertion.temporality,
                experiencer=assertion.experiencer,
            )
            for match, assertion in zip(matches, assert_terms(text, matches), strict=True)
        ]
