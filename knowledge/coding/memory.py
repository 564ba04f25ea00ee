"""What coded diagnoses teach: which terms wordings like this one were given before."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from knowledge.coding.term_index import TermIndex, grams

_NEIGHBOURS = 20
_OFFERED = 15
_SMOOTHING = 2.0


@dataclass(frozen=True)
class Example:
    """A wording in its plain form, and the numbers of the terms that it was given."""

    text: str
    terms: frozenset[int]


@dataclass(frozen=True)
class Recollection:
    """What is remembered for one wording, by the number of a term.

    ``nearest`` is the likeness of the most similar example with the term, ``votes`` its share among
    the neighbours' (squared likenesses), ``linked`` the evidence of all n-grams together
    (noisy-or, as a negative log), ``strongest`` that of the best n-gram; ``prior`` counts examples.
    """

    nearest: dict[int, float]
    votes: dict[int, float]
    linked: dict[int, float]
    strongest: dict[int, float]
    prior: dict[int, int]
    likeness: float

    def offered(self) -> set[int]:
        """The terms that are worth being candidates."""
        found: set[int] = set()
        for scores in (self.votes, self.linked, self.strongest):
            found.update(sorted(scores, key=scores.__getitem__, reverse=True)[:_OFFERED])
        return found


class CodingMemory:
    """Examples by likeness, and n-grams by the terms that they go with."""

    def __init__(self, examples: Sequence[Example]) -> None:
        self.examples = list(examples)
        self._index = TermIndex(example.text for example in self.examples)
        self._seen: Counter[str] = Counter()
        self._together: dict[str, Counter[int]] = defaultdict(Counter)
        self._prior: Counter[int] = Counter()
        for example in self.examples:
            self._prior.update(example.terms)
            for gram in grams(example.text):
                self._seen[gram] += 1
                self._together[gram].update(example.terms)

    def recall(self, text: str, without: int | None = None) -> Recollection:
        """What is remembered for ``text``; ``without`` leaves out the example of this number."""
        own: frozenset[int] = frozenset()
        likeness = self._index.overlap(text).dice
        if without is not None:
            own = self.examples[without].terms
            likeness[without] = 0.0
        nearest: dict[int, float] = {}
        votes: Counter[int] = Counter()
        neighbours = np.argsort(-likeness, kind="stable")[:_NEIGHBOURS]
        total = float((likeness[neighbours] ** 2).sum()) + 1e-9
        for number in neighbours:
            like = float(likeness[number])
            for term in self.examples[int(number)].terms if like > 0 else ():
                nearest[term] = max(like, nearest.get(term, 0.0))
                votes[term] += like**2 / total  # type: ignore[assignment]
        linked, strongest = self._links(text, own, int(without is not None))
        return Recollection(
            nearest=nearest,
            votes=dict(votes),
            linked=linked,
            strongest=strongest,
            prior={t: n - (t in own) for t, n in self._prior.items()} if own else self._prior,
            likeness=float(likeness.max(initial=0.0)),
        )

    def _links(
        self, text: str, own: frozenset[int], left_out: int
    ) -> tuple[dict[int, float], dict[int, float]]:
        linked: dict[int, float] = defaultdict(float)
        strongest: dict[int, float] = {}
        for gram in grams(text):
            seen = self._seen[gram] - left_out
            for term, count in self._together[gram].items() if seen > 0 else ():
                count -= term in own
                if count > 0:
                    chance = count / (seen + _SMOOTHING)
                    linked[term] -= float(np.log(1 - 0.9 * chance))
                    strongest[term] = max(chance, strongest.get(term, 0.0))
        return dict(linked), strongest
