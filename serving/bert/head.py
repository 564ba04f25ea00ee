"""The span head: a score for every type and every pair of a first and a last token.

The efficient global pointer (Su et al. 2022): what makes two tokens the ends of *some* span is one
rotated query-key product for all types, to which each type adds a score of the first token and one
of the last.  One scheme serves nested and flat spans alike.  A span is where the score is above 0.

    score[t, i, j] = pairs[i, j] + starts[t, i] + stops[t, j],   i ≤ j
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from openvino import Node
from openvino import opset16 as op

from serving.bert.checkpoint import HEAD_PREFIX
from serving.bert.shape import SpanShape
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
    def of_row(
        cls, pairs: Floats, starts: Floats, stops: Floats, row: int, length: int
    ) -> SpanScores:
        """Those of one row of a batch, of its ``length`` tokens between [CLS] and [SEP]."""
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
        first, last = np.nonzero(np.triu(self.pairs + best > above))
        scores = self.pairs[first, last] + self.starts[:, first] + self.stops[:, last]
        kinds, places = np.nonzero(scores > above)
        return [
            (int(kind), int(first[place]), int(last[place]), float(scores[kind, place]))
            for kind, place in zip(kinds, places, strict=True)
        ]


def frequencies(size: int) -> NDArray[np.float32]:
    """Angles a position turns by, [size / 2] (Su et al. 2021)."""
    return (_BASE ** (-np.arange(0, size, 2, dtype=np.float64) / size)).astype(np.float32)


def span_scores(
    rows: Node, length: Node, tensors: Mapping[str, Floats], shape: SpanShape
) -> dict[str, Node]:
    """The head over ``rows`` [batch, length, hidden]: nodes ``pairs`` [batch, length, length],
    ``starts`` and ``stops`` [batch, types, length]."""

    def linear(given: Node, name: str, factor: float = 1.0) -> Node:
        weight = tensors[f"{HEAD_PREFIX}{name}.weight"] * np.float32(factor)
        bias = tensors[f"{HEAD_PREFIX}{name}.bias"] * np.float32(factor)
        return op.add(op.matmul(given, op.constant(weight), False, True), op.constant(bias))

    both = linear(rows, "projection")
    half = shape.size // 2
    parts = op.variadic_split(both, integer(-1), integer([half] * 4))
    places = op.convert(op.range(integer(0), length, integer(1), "i64"), "f32")
    angles = op.multiply(
        op.unsqueeze(places, integer(-1)), op.constant(frequencies(shape.size)[np.newaxis])
    )
    sine, cosine = op.sin(angles), op.cos(angles)

    def turned(first: Node, second: Node) -> Node:
        left = op.subtract(op.multiply(first, cosine), op.multiply(second, sine))
        right = op.add(op.multiply(second, cosine), op.multiply(first, sine))
        return op.concat([left, right], axis=-1)

    query, key = (turned(parts.output(place), parts.output(place + 1)) for place in (0, 2))
    pairs = op.multiply(op.matmul(query, key, False, True), number(1 / math.sqrt(shape.size)))
    ends = op.transpose(linear(both, "ends", 0.5), integer([0, 2, 1]))
    count = len(shape.labels)
    split = op.variadic_split(ends, integer(1), integer([count, count]))
    return {"pairs": pairs, "starts": split.output(0), "stops": split.output(1)}
