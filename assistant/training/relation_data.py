"""Annotated triples, in the form of CMeIE, as batches for the relation model.

A line is ``{"text", "spo_list": [{"subject", "predicate", "object"}]}``; an object may be
``{"@value": …}``.  The set names words, not places: a triple stands where its subject and its
object are nearest to one another.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.tasks.structuring.relation_decoding import FoundTriple
from assistant.training.batches import cuts, groups, padded
from assistant.training.dataset import DatasetInvalid, read_lines
from assistant.training.scoring import Scores
from serving.encoder.vocabulary import Vocabulary

Words = tuple[str, str, str]
"""Subject, predicate, object."""


@dataclass(frozen=True, slots=True)
class RelationExample:
    """One text with its triples."""

    text: str
    triples: frozenset[Words]


@dataclass(frozen=True, slots=True)
class RelationDocument:
    """Token ids without special tokens; ``links`` [triples, 5] of (predicate, first and last token
    of the subject, of the object)."""

    ids: NDArray[np.int64]
    links: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class RelationBatch:
    """``ids``, ``mask`` [batch, length]; ``spans``, ``heads``, ``tails`` [n, 4] of (row, label,
    token, token), as the relation head's tables have them."""

    ids: NDArray[np.int64]
    mask: NDArray[np.bool_]
    spans: NDArray[np.int64]
    heads: NDArray[np.int64]
    tails: NDArray[np.int64]


def read(path: Path) -> list[RelationExample]:
    """Every text of a file; .gz too.

    Raises:
        DatasetInvalid: the file is missing, or wrong in a line.
    """
    found = []
    for number, line in read_lines(path):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            text = record["text"]
            triples = frozenset(
                (str(one["subject"]), str(one["predicate"]), _object(one["object"]))
                for one in record["spo_list"]
            )
            if not isinstance(text, str):
                raise TypeError
        except (ValueError, KeyError, TypeError) as error:
            raise DatasetInvalid(
                f"{path}, line {number}: not an object with text and spo_list "
                "[{subject, predicate, object}]."
            ) from error
        found.append(RelationExample(text, triples))
    if not found:
        raise DatasetInvalid(f"{path} holds no text.")
    return found


def predicates_of(examples: Sequence[RelationExample]) -> list[str]:
    """The predicates of all texts, sorted."""
    return sorted({triple[1] for example in examples for triple in example.triples})


def document(
    example: RelationExample, vocabulary: Vocabulary, predicates: Sequence[str]
) -> tuple[RelationDocument, int]:
    """An example as tokens, and how many of its triples are not words of the text (left out)."""
    tokens = vocabulary.tokens(example.text)
    first = {start: index for index, start in reversed(list(enumerate(tokens.starts)))}
    last = {end: index for index, end in enumerate(tokens.ends)}
    number = {name: index for index, name in enumerate(predicates)}
    links = []
    for subject, predicate, other in sorted(example.triples):
        ends = [
            (first[start], last[start + len(words)])
            for start, words in _nearest(example.text, subject, other)
            if start in first and start + len(words) in last
        ]
        if len(ends) == 2:
            links.append((number[predicate], *ends[0], *ends[1]))
    made = RelationDocument(
        np.array(tokens.ids, np.int64), np.array(links, np.int64).reshape(-1, 5)
    )
    return made, len(example.triples) - len(links)


def pieces(
    made: RelationDocument, size: int, random: np.random.Generator
) -> Iterator[RelationDocument]:
    """The document in windows (see `cuts`); triples that a cut goes through are left out."""
    for start, end in cuts(len(made.ids), size, random):
        places = made.links[:, 1:]
        inside = ((places >= start) & (places < end)).all(1)
        links = made.links[inside] - np.array([0, start, start, start, start])
        yield RelationDocument(made.ids[start:end], links)


def batches(
    documents: Sequence[RelationDocument],
    vocabulary: Vocabulary,
    tokens: int,
    random: np.random.Generator,
    hidden: float = 0.0,
) -> Iterator[RelationBatch]:
    """Batches of about ``tokens`` tokens."""
    for group in groups([len(one.ids) for one in documents], tokens, random):
        rows = [documents[index] for index in group]
        ids, mask = padded([row.ids for row in rows], vocabulary, random, hidden)
        # [CLS] stands before the first token.
        links = [
            (row, kind, *(place + 1 for place in places))
            for row, one in enumerate(rows)
            for kind, *places in one.links.tolist()
        ]
        spans = {(row, 0, first, last) for row, _, first, last, _, _ in links}
        spans |= {(row, 1, first, last) for row, _, _, _, first, last in links}
        yield RelationBatch(
            ids,
            mask,
            _rows(spans),
            _rows({(row, kind, one, other) for row, kind, one, _, other, _ in links}),
            _rows({(row, kind, one, other) for row, kind, _, one, _, other in links}),
        )


def score(
    examples: Iterable[RelationExample], find: Callable[[str], Iterable[FoundTriple]]
) -> Scores:
    """Strict scores of what ``find`` finds."""
    scores = Scores()
    for example in examples:
        found = {one.words(example.text) for one in find(example.text)}
        gold = set(example.triples)
        scores.count(gold, found, lambda words: words[1])
        scores.confuse(gold, found, lambda words: words[1], lambda words: (words[0], words[2]))
    return scores


def _rows(found: set[tuple[int, int, int, int]]) -> NDArray[np.int64]:
    return np.array(sorted(found), np.int64).reshape(-1, 4)


def _object(value: object) -> str:
    return str(value["@value"]) if isinstance(value, dict) else str(value)


def _nearest(text: str, subject: str, other: str) -> list[tuple[int, str]]:
    pairs = [
        (max(one, two) - min(one + len(subject), two + len(other)), one, two)
        for one in _places(text, subject)
        for two in _places(text, other)
    ]
    if not pairs:
        return []
    _, one, two = min(pairs)
    return [(one, subject), (two, other)]


def _places(text: str, words: str) -> list[int]:
    found, place = [], text.find(words) if words else -1
    while place >= 0:
        found.append(place)
        place = text.find(words, place + 1)
    return found
