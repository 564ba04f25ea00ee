"""Documents as batches for the span model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.training.dataset import Example, Label
from serving.encoder.vocabulary import Vocabulary

# Windows of a few batches are sorted by length together: little padding, and order left to chance.
_POOL = 16


@dataclass(frozen=True, slots=True)
class Document:
    """Token ids without special tokens; ``spans`` are (type, first, last) of tokens; ``annotated``
    tells for every type whether its annotators looked for it."""

    ids: NDArray[np.int64]
    spans: NDArray[np.int64]
    annotated: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Batch:
    """``ids``, ``mask`` [batch, length]; ``gold`` [spans, 4] of (row, type, first, last);
    ``annotated`` [batch, types]."""

    ids: NDArray[np.int64]
    mask: NDArray[np.bool_]
    gold: NDArray[np.int64]
    annotated: NDArray[np.bool_]


def document(
    example: Example, vocabulary: Vocabulary, types: Sequence[str]
) -> tuple[Document, int]:
    """An example as tokens, and how many of its spans begin or end within a token (left out)."""
    tokens = vocabulary.tokens(example.text)
    first = {start: index for index, start in reversed(list(enumerate(tokens.starts)))}
    last = {end: index for index, end in enumerate(tokens.ends)}
    number = {name: index for index, name in enumerate(types)}
    spans = []
    lost = 0
    for label in example.labels:
        begin, end = first.get(label.start), last.get(label.end)
        if begin is None or end is None or end < begin:
            lost += 1
        else:
            spans.append((number[label.type], begin, end))
    return (
        Document(
            np.array(tokens.ids, np.int64),
            np.array(spans, np.int64).reshape(-1, 3),
            np.array([name in example.annotated for name in types]),
        ),
        lost,
    )


class Mentions:
    """The wordings of each type in the training data, to put in place of one another."""

    def __init__(self, examples: Sequence[Example]) -> None:
        by_type: dict[str, set[str]] = defaultdict(set)
        for example in examples:
            for label in example.labels:
                by_type[label.type].add(example.text[label.start : label.end])
        self._wordings = {kind: sorted(words) for kind, words in by_type.items()}

    def exchanged(self, example: Example, share: float, random: np.random.Generator) -> Example:
        """The example with ``share`` of its spans worded as others of their type (Dai and Adel
        2020, mention replacement).  Spans in spans are left as they are."""
        text, labels, place = [], [], 0
        moved = 0
        for index, label in enumerate(example.labels):
            alone = label.start >= place and all(
                other.start >= label.end for other in example.labels[index + 1 :]
            )
            if not alone:
                return example
            words = example.text[label.start : label.end]
            if random.random() < share:
                wordings = self._wordings[label.type]
                words = wordings[int(random.integers(len(wordings)))]
            text += [example.text[place : label.start], words]
            start = label.start + moved
            labels.append(Label(start, start + len(words), label.type))
            moved += len(words) - (label.end - label.start)
            place = label.end
        text.append(example.text[place:])
        return Example("".join(text), tuple(labels), example.annotated)


def pieces(made: Document, size: int, random: np.random.Generator) -> Iterator[Document]:
    """The document in windows (see `cuts`); spans that a cut goes through are left out."""
    for start, end in cuts(len(made.ids), size, random):
        inside = (made.spans[:, 1] >= start) & (made.spans[:, 2] < end)
        spans = made.spans[inside] - np.array([0, start, start])
        yield Document(made.ids[start:end], spans, made.annotated)


def cuts(length: int, size: int, random: np.random.Generator) -> Iterator[tuple[int, int]]:
    """[start, end) of windows of at most ``size`` tokens; the first cut is by chance, so that no
    place is always at an edge."""
    start = 0
    end = int(random.integers(size // 2, size + 1)) if length > size else length
    while start < length:
        yield start, end
        start, end = end, min(length, end + size)


def batches(
    documents: Sequence[Document],
    vocabulary: Vocabulary,
    tokens: int,
    random: np.random.Generator,
    hidden: float = 0.0,
) -> Iterator[Batch]:
    """Batches of about ``tokens`` tokens; see `groups` and `padded`."""
    for group in groups([len(one.ids) for one in documents], tokens, random):
        rows = [documents[index] for index in group]
        ids, mask = padded([row.ids for row in rows], vocabulary, random, hidden)
        # [CLS] stands before the first token.
        gold = [
            (index, kind, first + 1, last + 1)
            for index, row in enumerate(rows)
            for kind, first, last in row.spans.tolist()
        ]
        annotated = np.stack([row.annotated for row in rows])
        yield Batch(ids, mask, np.array(gold, np.int64).reshape(-1, 4), annotated)


def groups(lengths: Sequence[int], tokens: int, random: np.random.Generator) -> Iterator[list[int]]:
    """Indexes of the rows of each batch of about ``tokens`` tokens, rows of like length together,
    in an order left to chance."""
    order = random.permutation(len(lengths))
    pool = max(1, tokens // (max(lengths, default=1) + 2)) * _POOL
    made: list[list[int]] = []
    for start in range(0, len(order), pool):
        chosen = order[start : start + pool].tolist()
        rows: list[int] = []
        for index in sorted(chosen, key=lambda one: lengths[one]):
            if rows and (len(rows) + 1) * (lengths[index] + 2) > tokens:
                made.append(rows)
                rows = []
            rows.append(index)
        if rows:
            made.append(rows)
    for index in random.permutation(len(made)):
        yield made[int(index)]


def padded(
    rows: Sequence[NDArray[np.int64]],
    vocabulary: Vocabulary,
    random: np.random.Generator,
    hidden: float = 0.0,
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Ids and mask [batch, length] of rows between [CLS] and [SEP].

    ``hidden``: share of tokens that are replaced by [MASK], so that the model looks at what stands
    around too.
    """
    length = max(map(len, rows)) + 2
    ids = np.full((len(rows), length), vocabulary.pad, np.int64)
    mask = np.zeros((len(rows), length), bool)
    for index, row in enumerate(rows):
        inner = row.copy()
        if hidden:
            inner[random.random(len(inner)) < hidden] = vocabulary.mask
        end = len(inner) + 1
        ids[index, 0], ids[index, 1:end], ids[index, end] = (
            vocabulary.first, inner, vocabulary.last,
        )  # fmt: skip
        mask[index, : end + 1] = True
    return ids, mask
