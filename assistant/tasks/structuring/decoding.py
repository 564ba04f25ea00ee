"""Scores of tokens to spans of the original text."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from assistant.tasks.structuring.windows import TokenSpan, merged, windows
from serving.encoder.head import SpanScores
from serving.encoder.vocabulary import Tokens, Vocabulary

Scan = Callable[[Sequence[Sequence[int]]], Iterable[tuple[int, SpanScores]]]
"""Token ids of windows, without special tokens → (which window, its scores), in any order."""

_OVERLAP = 48


@dataclass(frozen=True, slots=True)
class LabelledSpan:
    """``text[start:end]`` in code points, the label of the model, and a score of 0 to 1."""

    start: int
    end: int
    label: str
    score: float


def find(
    text: str,
    vocabulary: Vocabulary,
    labels: Sequence[str],
    scan: Scan,
    size: int,
    nested: bool,
    above: float = 0.0,
) -> list[LabelledSpan]:
    """The spans of one text by start, then the longer first.

    ``size``: tokens that the model reads at once.  Where spans may not be ``nested``, of two of
    one data set that share a character the better score stays.
    """
    tokens = vocabulary.tokens(text)
    parts = windows(len(tokens), size, min(_OVERLAP, size // 2))
    found: list[list[TokenSpan]] = [[] for _ in parts]
    rows = [tokens.ids[part.start : part.end] for part in parts]
    for index, scores in scan(rows):
        found[index] = scores.found(above)
    spans = list(_placed(merged(found, parts, len(tokens)), tokens, labels))
    if not nested:
        spans = [span for group in _by_source(spans) for span in flat(group)]
    return sorted(spans, key=lambda span: (span.start, -span.end, span.label))


def flat(spans: Iterable[LabelledSpan]) -> list[LabelledSpan]:
    """Spans of which no two share a character: the better score first, then the longer."""
    kept: dict[int, LabelledSpan] = {}
    taken: set[int] = set()
    for span in sorted(spans, key=lambda one: (-one.score, one.start - one.end, one.start)):
        places = range(span.start, span.end)
        if taken.isdisjoint(places):
            taken.update(places)
            kept[span.start] = span
    return list(kept.values())


def _by_source(spans: Iterable[LabelledSpan]) -> Iterable[list[LabelledSpan]]:
    """Labels of several data sets (``set/label``) are answers to different questions: spans of one
    set do not take the place of another's."""
    groups: dict[str, list[LabelledSpan]] = {}
    for span in spans:
        groups.setdefault(span.label.rpartition("/")[0], []).append(span)
    return groups.values()


def _placed(
    spans: Iterable[TokenSpan], tokens: Tokens, labels: Sequence[str]
) -> Iterator[LabelledSpan]:
    """Places in the text; several tokens of one character may give one span more than once."""
    best: dict[tuple[int, int, int], float] = {}
    for kind, first, last, score in spans:
        place = (tokens.starts[first], tokens.ends[last], kind)
        best[place] = max(score, best.get(place, -math.inf))
    for (start, end, kind), score in best.items():
        yield LabelledSpan(start, end, labels[kind], share(score))


def share(score: float) -> float:
    """The logistic function, with no overflow."""
    if score >= 0:
        return 1 / (1 + math.exp(-score))
    grown = math.exp(score)
    return grown / (1 + grown)


def logit(share: float) -> float:
    """The score whose logistic function is ``share``; at 0 and 1 the ends of all numbers."""
    if share <= 0:
        return -math.inf
    return math.inf if share >= 1 else math.log(share / (1 - share))
