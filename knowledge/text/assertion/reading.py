"""One pass over one text: its terms, cues and answers, and what its terms have become so far."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from knowledge.text.assertion.form_answers import read_answers
from knowledge.text.assertion.marks import Cue, Cues, Terms, find_cues
from knowledge.text.assertion.places import Places
from knowledge.text.assertion.reach import Reach
from knowledge.text.assertion.status import Assertion
from knowledge.text.document import Document
from knowledge.text.lexicon import Match
from knowledge.text.synonyms import TermKind

_ALLERGY = re.compile(r"(?:类|制剂)?(?:药物?)?过敏(?!性|原|反应|试验)")


class Reading:
    """What the steps of the engine share; ``result`` has the status of each term by its number."""

    def __init__(self, document: Document, matches: Sequence[Match]) -> None:
        self.document = document
        self.folded = document.folded
        parted = (m for m in matches if " " in self.folded[m.start : m.end])
        document.keep_together((match.start, match.end) for match in parted)
        self.terms = Terms([_as_allergy(self.folded, match) for match in matches])
        self.answers = read_answers(self.folded, self.terms.matches)
        self.cues = Cues(find_cues(document, self.terms, self.answers.taken))
        self.places = Places(document)
        self.reach = Reach(document, self.terms, self.cues, self.places)
        self.result = [Assertion() for _ in matches]

    def of(self, *categories: str) -> list[Cue]:
        """The cues of these categories, in text order."""
        return [cue for cue in self.cues if cue.rule.category in categories]

    def words(self, index: int) -> str:
        """The folded words of a term."""
        match = self.terms.matches[index]
        return self.folded[match.start : match.end]


def _as_allergy(folded: str, match: Match) -> Match:
    """A drug of which an allergy is told is read as the allergy: 曾疑青霉素过敏，后排除."""
    if match.kind is TermKind.DRUG and _ALLERGY.match(folded, match.end):
        return replace(match, kind=TermKind.DISEASE)
    return match
