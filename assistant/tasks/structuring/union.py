"""Spans of a trained model and of the lexicon as one answer."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from assistant.tasks.structuring.lexicon_recognizer import LISTED
from assistant.tasks.structuring.span import EntityType, TypedSpan

_GROUPS: dict[EntityType, int] = {
    EntityType.DISEASE: 0,
    EntityType.SYMPTOM: 0,
    EntityType.SIGN: 0,
    EntityType.TEST: 1,
    EntityType.IMAGING: 1,
    EntityType.DRUG: 2,
    EntityType.PROCEDURE: 3,
    EntityType.BODY_PART: 4,
}
"""Types that are readings of one thing: where two spans of a group share a character, one is
wrong."""


def union(model: Iterable[TypedSpan], lexicon: Iterable[TypedSpan]) -> list[TypedSpan]:
    """The model's spans, of a group the surer first; then what the lexicon adds beside them.

    A model knows wordings that no list has, the lexicon terms that its training data never showed.
    A listed term that reaches over a model's span is whole where that is cut (妊娠期糖尿病, not
    糖尿病), and the very same words are what the list says that they are.  Spans of different
    groups may nest (a body part in a disease), but no two are the same words.
    """
    listed = list(lexicon)
    terms = [_Apart() for _ in range(max(_GROUPS.values()) + 1)]
    for span in listed:
        if span.score >= LISTED:
            terms[_GROUPS[span.type]].take(span)
    types = {(s.start, s.end): _GROUPS[s.type] for s in listed if s.score >= LISTED}
    whole: list[TypedSpan] = []
    cut: list[TypedSpan] = []
    for span in model:
        group = _GROUPS[span.type]
        elsewhere = types.get((span.start, span.end), group) != group
        (cut if elsewhere or terms[group].reaches_over(span) else whole).append(span)
    chosen = [_Apart() for _ in range(max(_GROUPS.values()) + 1)]
    kept: dict[tuple[int, int], TypedSpan] = {}
    # A cut span is all there is where another span keeps the whole term out.
    for spans in (_surest(whole), _surest(listed), _surest(cut)):
        for span in spans:
            words = span.start, span.end
            if words not in kept and chosen[_GROUPS[span.type]].take(span):
                kept[words] = span
    return sorted(kept.values(), key=lambda span: (span.start, -span.end, span.type))


def _surest(spans: Iterable[TypedSpan]) -> Sequence[TypedSpan]:
    return sorted(spans, key=lambda s: (-s.score, s.start - s.end, s.start, s.type))


class _Apart:
    """Ranges of which no two share a character."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []

    def reaches_over(self, span: TypedSpan) -> bool:
        """Whether one of the ranges holds ``span`` and more."""
        at = bisect_right(self._starts, span.start) - 1
        if at < 0 or self._ends[at] < span.end:
            return False
        return (self._starts[at], self._ends[at]) != (span.start, span.end)

    def take(self, span: TypedSpan) -> bool:
        """Take the range in, unless it shares a character with one that is there."""
        if bisect_right(self._ends, span.start) < bisect_left(self._starts, span.end):
            return False
        at = bisect_left(self._starts, span.start)
        self._starts.insert(at, span.start)
        self._ends.insert(at, span.end)
        return True
