"""The heads: a score for every type and every pair of a first and a last token.

The efficient global pointer (Su et al. 2022): what makes two tokens the ends of *some* span is one
rotated query-key product for all types, to which each type adds a score of the first token and one
of the last.  One scheme serves nested and flat spans alike.  A span is where the score is above 0.

    score[t, i, j] = pairs[i, j] + starts[t, i] + stops[t, j],   i ≤ j

The relation head has three such tables (Su 2022, GPLinker): which spans are a subject or an object,
and for every predicate which first tokens of a subject and of an object belong together, and which
last tokens do.  There i and j stand in any order.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from openvino import Node
from openvino import opset16 as op

from serving.encoder.checkpoint import head_prefix
from serving.encoder.shape import HeadShape
from serving.ir.inputs import integer, number
from serving.ir.matrix import Floats

_BASE = 10_000.0


@dataclass(frozen=True, slots=True)
class SpanScores:
    """The parts of one text's scores, float32: ``pairs`` [length, length], ``starts`` and ``stops``
    [types, length]."""

    pairs: Floats
    starts: Floats
    stops: Floats

    @classmethod
    def of_row(cls, parts: Sequence[Floats], row: int, length: int) -> SpanScores:
        """Those of one row of a batch's ``parts``, of its ``length`` tokens between [CLS] and
        [SEP]."""
        pairs, starts, stops = parts
        end = length + 1
        return cls(pairs[row, 1:end, 1:end], starts[row, :, 1:end], stops[row, :, 1:end])

    def dense(self) -> Floats:
        """Every score [types, length, length]; minus infinity where a span would end before it
        begins."""
        length = len(self.pairs)
        scores = self.pairs[None] + self.starts[:, :, None] + self.stops[:, None, :]
        scores[:, np.tri(length, k=-1, dtype=bool)] = -np.inf
        return scores

    def found(self, above: float = 0.0) -> list[tuple[int, int, int, float]]:
        """(type, first token, last token, score) of every span above the threshold.

        Most pairs fall below it whatever the type, so no more than those that can reach it are
        looked at type by type.
        """
        best = self.starts.max(0)[:, None] + self.stops.max(0)[None]
        first, last = np.nonzero(self.pairs + best > above)
        ordered = first <= last
        first, last = first[ordered], last[ordered]
        scores = self.pairs[first, last] + self.starts[:, first] + self.stops[:, last]
        kinds, places = np.nonzero(scores > above)
        return [
            (int(kind), int(first[place]), int(last[place]), float(scores[kind, place]))
            for kind, place in zip(kinds, places, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Link:
    """``subject`` and ``object`` are (first, last) tokens; ``predicate`` by its number."""

    subject: tuple[int, int]
    predicate: int
    object: tuple[int, int]
    score: float


# Spans of one role that are paired, the best of them: more are no text but a model that fails.
_MOST_SPANS = 120


@dataclass(frozen=True, slots=True)
class RelationScores:
    """The tables of one text's relations; labels of ``spans`` are subject and object, those of
    ``heads`` and ``tails`` the predicates."""

    spans: SpanScores
    heads: SpanScores
    tails: SpanScores

    def found(self, above: float = 0.0) -> list[Link]:
        """Every relation whose least sure part is above the threshold: its two spans, the link
        of their first tokens, the link of their last ones."""
        ends: tuple[list[tuple[int, int]], list[tuple[int, int]]] = ([], [])
        sure: tuple[list[float], list[float]] = ([], [])
        for role, first, last, score in sorted(self.spans.found(above), key=lambda one: -one[3]):
            if len(ends[role]) < _MOST_SPANS:
                ends[role].append((first, last))
                sure[role].append(score)
        if not all(ends):
            return []
        (heads, tails), (others, other_tails) = (np.array(one).T for one in ends)
        links = np.minimum(
            _between(self.heads, heads, others), _between(self.tails, tails, other_tails)
        )
        linked = np.minimum(links, np.minimum.outer(*map(np.array, sure)))
        return [
            Link(ends[0][one], int(kind), ends[1][other], float(linked[kind, one, other]))
            for kind, one, other in zip(*np.nonzero(linked > above), strict=True)
            if ends[0][one] != ends[1][other]
        ]


def _between(table: SpanScores, rows: NDArray[Any], columns: NDArray[Any]) -> Floats:
    """Scores [predicates, rows, columns] of the chosen tokens."""
    chosen: Floats = (
        table.pairs[np.ix_(rows, columns)][None]
        + table.starts[:, rows, None]
        + table.stops[:, None, columns]
    )
    return chosen


def frequencies(size: int) -> NDArray[np.float32]:
    """Angles a position turns by, [size / 2] (Su et al. 2021)."""
    return (_BASE ** (-np.arange(0, size, 2, dtype=np.float64) / size)).astype(np.float32)


def scores(
    rows: Node, length: Node, tensors: Mapping[str, Floats], head: HeadShape
) -> dict[str, Node]:
    """The head over ``rows`` [batch, length, hidden]: for each of its tables nodes ``pairs``
    [batch, length, length], ``starts`` and ``stops`` [batch, types, length]."""
    return {
        f"{grid}{name}": node
        for grid, labels in head.grids.items()
        for name, node in _grid(
            rows, length, tensors, head_prefix(head) + grid, head.size, labels
        ).items()
    }


def _grid(
    rows: Node, length: Node, tensors: Mapping[str, Floats], prefix: str, size: int, labels: int
) -> dict[str, Node]:
    def linear(given: Node, name: str, factor: float = 1.0) -> Node:
        weight = tensors[f"{prefix}{name}.weight"] * np.float32(factor)
        bias = tensors[f"{prefix}{name}.bias"] * np.float32(factor)
        return op.add(op.matmul(given, op.constant(weight), False, True), op.constant(bias))

    both = linear(rows, "projection")
    half = size // 2
    parts = op.variadic_split(both, integer(-1), integer([half] * 4))
    places = op.convert(op.range(integer(0), length, integer(1), "i64"), "f32")
    angles = op.multiply(
        op.unsqueeze(places, integer(-1)), op.constant(frequencies(size)[np.newaxis])
    )
    sine, cosine = op.sin(angles), op.cos(angles)

    def turned(first: Node, second: Node) -> Node:
        left = op.subtract(op.multiply(first, cosine), op.multiply(second, sine))
        right = op.add(op.multiply(second, cosine), op.multiply(first, sine))
        return op.concat([left, right], axis=-1)

    query, key = (turned(parts.output(place), parts.output(place + 1)) for place in (0, 2))
    pairs = op.multiply(op.matmul(query, key, False, True), number(1 / math.sqrt(size)))
    ends = op.transpose(linear(both, "ends", 0.5), integer([0, 2, 1]))
    split = op.variadic_split(ends, integer(1), integer([labels, labels]))
    return {"pairs": pairs, "starts": split.output(0), "stops": split.output(1)}
