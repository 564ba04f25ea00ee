"""Scores of tokens to triples of the original text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from assistant.tasks.structuring.decoding import share
from assistant.tasks.structuring.windows import windows
from serving.encoder.head import RelationScores
from serving.encoder.vocabulary import Vocabulary

Scan = Callable[[Sequence[Sequence[int]]], Iterable[tuple[int, RelationScores]]]
"""Token ids of windows, without special tokens → (which window, its scores), in any order."""

_OVERLAP = 96
Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class FoundTriple:
    """``subject`` and ``object`` are [start, end) in code points; a score of 0 to 1."""

    subject: Place
    predicate: str
    object: Place
    score: float

    def words(self, text: str) -> tuple[str, str, str]:
        """The triple as people read it."""
        (start, end), (other_start, other_end) = self.subject, self.object
        return text[start:end], self.predicate, text[other_start:other_end]


class RelationReader(Protocol):
    """Reads the triples of a text.  Safe to use from several threads."""

    @property
    def name(self) -> str:
        """What the source of a relation is called: a model with its version."""
        ...

    def read(self, text: str) -> list[FoundTriple]:
        """The triples of ``text``, by their places; any text is fine, empty too."""
        ...


def find(
    text: str,
    vocabulary: Vocabulary,
    predicates: Sequence[str],
    scan: Scan,
    size: int,
    above: float = 0.0,
) -> list[FoundTriple]:
    """The triples of one text, by their places; ``size``: tokens that the model reads at once."""
    tokens = vocabulary.tokens(text)
    parts = windows(len(tokens), size, min(_OVERLAP, size // 2))
    best: dict[tuple[Place, int, Place], float] = {}
    for index, scores in scan([tokens.ids[part.start : part.end] for part in parts]):
        first = parts[index].start
        for link in scores.found(above):
            subject, other = (
                (tokens.starts[first + begin], tokens.ends[first + end])
                for begin, end in (link.subject, link.object)
            )
            key = (subject, link.predicate, other)
            best[key] = max(link.score, best.get(key, link.score))
    return [
        FoundTriple(subject, predicates[kind], other, share(score))
        for (subject, kind, other), score in sorted(best.items())
    ]
